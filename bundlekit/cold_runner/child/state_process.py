"""What the interpreter and the process hold besides modules: generators, settings, handlers, threads, open files.

Runs in a warm process, under the conditions of the module `main`. A part that a module of the standard library keeps is
looked at only if that module is there: looking imports nothing.
"""

import _contextvars
import _locale
import _signal  # type: ignore[import-not-found]  # the stubs know signal only
import gc
import posix
import sys
import time

from .framing import ANSWER_FD, REQUEST_FD
from .state_files import placed
from .state_items import told
from .state_prints import Fingerprints
from .state_texts import looks_secret, shown
from .state_types import attributes_of, type_name

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .state_items import Item

__all__ = ["groups_of_process"]

_TOTAL, _EACH = 500_000, 50_000
_MAX_TEXT = 100
_SIGNALS = range(1, 65)
_MAX_LOGGERS = 5000
_DECIMAL = "decimal_context"
_TOLD_ELSEWHERE = frozenset({"format_options", "numpy.ufunc.extobj", _DECIMAL})
"""Variables in which numpy and decimal keep what is told in their own words."""
_OF_THE_RUNNER = frozenset({"0", "1", "2", str(ANSWER_FD), str(REQUEST_FD)})


def groups_of_process(
    places: "dict[str, str]", foreign: "frozenset[str]", *, is_collecting: bool
) -> "Iterator[tuple[str, int, list[Item]]]":
    """Yield a name, whether it is the bundle's own doing, and what there is; a group is missing while its module is.

    Paths are shown by `places`; `foreign` are the modules that are not the bundle's; `is_collecting`: garbage is
    collected.
    """
    prints = Fingerprints(_TOTAL, _EACH)
    yield "<garbage>", 1, [_item("other", "garbage collection", prints, [is_collecting, *gc.get_threshold()])]
    looks = (
        ("directory", "", lambda prints: _directory(prints, places)),
        ("open files", "", lambda prints: _open_files(prints, places)),
    )
    if "logging" in sys.modules:
        yield from _logging(prints, foreign)
    for name, module, look in (*_GROUPS, *looks):
        if module and module not in sys.modules:
            continue
        try:
            yield f"<{name}>", 1, list(look(prints))
        except Exception:  # noqa: BLE001, S112 - bundle code may have put anything in these places
            continue


def _item(kind: str, name: str, prints: Fingerprints, value: object) -> "Item":
    """Return what is told of one piece of state: kind, name, fingerprint, short text; texts of ours are not quoted."""
    text = value if type(value) is str and value.isprintable() and not looks_secret(name) else shown(value, name)
    return told(kind, name, prints.of(value), text[:_MAX_TEXT])


def _random(prints: Fingerprints) -> "Iterator[Item]":
    generator = sys.modules["random"]._inst  # noqa: SLF001 - what random.random and others draw from
    yield _item("random", "random", prints, generator)


def _numpy_random(prints: Fingerprints) -> "Iterator[Item]":
    generator = sys.modules["numpy.random.mtrand"]._rand  # noqa: SLF001 - what numpy.random.rand and others draw from
    yield _item("numpy", "numpy.random", prints, generator)


def _numpy(prints: Fingerprints) -> "Iterator[Item]":
    numpy = sys.modules["numpy"]
    yield _item("numpy", "numpy error state", prints, numpy.geterr())
    yield _item("numpy", "numpy error callback", prints, numpy.geterrcall())
    yield _item("numpy", "numpy print options", prints, numpy.get_printoptions())


def _pandas(prints: Fingerprints) -> "Iterator[Item]":
    options = sys.modules["pandas._config.config"]._global_config  # noqa: SLF001 - there is no other place for all of it
    yield _item("other", "pandas options", prints, options)


def _environment(prints: Fingerprints) -> "Iterator[Item]":
    variables = sys.modules["os"].environ._data  # noqa: SLF001 - as it is, without its decoding
    for name, value in list(variables.items()):
        text = name.decode("utf-8", "surrogateescape")
        found = value.decode("utf-8", "surrogateescape")
        yield _item("environment", text, prints, found)


def _directory(prints: Fingerprints, places: "dict[str, str]") -> "Iterator[Item]":
    try:
        path = posix.getcwd()
    except OSError:
        path = "a directory that is gone"
    yield _item("cwd", "working directory", prints, placed(path, places))
    # To ask the system for it is to set it, for other threads too.
    lines = _read("/proc/self/status").split(b"\n") if sys.platform == "linux" else []
    mask = [line.split()[1].decode() for line in lines if line.startswith(b"Umask:")]
    yield _item("other", "umask", prints, mask[0] if mask else "")


def _locale_settings(prints: Fingerprints) -> "Iterator[Item]":
    yield _item("locale", "locale", prints, _locale.setlocale(_locale.LC_ALL, None))
    yield _item("locale", "time zone", prints, ", ".join(time.tzname))


def _context(prints: Fingerprints) -> "Iterator[Item]":
    counts: dict[str, int] = {}
    for variable, value in _contextvars.copy_context().items():
        if variable.name in _TOLD_ELSEWHERE:
            continue
        counts[variable.name] = counts.get(variable.name, 0) + 1
        name = variable.name + (f" ({counts[variable.name]})" if counts[variable.name] > 1 else "")
        yield _item("other", f"context variable {name}", prints, value)


def _decimal(prints: Fingerprints) -> "Iterator[Item]":
    # To ask for it is to make it; before that, it would be made from this one.
    context = sys.modules["decimal"].DefaultContext
    for variable, value in _contextvars.copy_context().items():
        context = value if variable.name == _DECIMAL else context
    # Its flags tell only what was computed.
    settings = ", ".join(f"{each}={getattr(context, each)}" for each in ("prec", "rounding", "Emin", "Emax"))
    yield _item("other", "decimal context", prints, settings)


def _warnings(prints: Fingerprints) -> "Iterator[Item]":
    warnings = sys.modules["warnings"]
    filters = [
        f"{each[0]} {_pattern(each[1])} {type_name(each[2])} {_pattern(each[3])} {each[4]}" for each in warnings.filters
    ]
    yield told("warnings", "warnings filters", prints.of(filters), shown(filters[:2]))


def _pattern(value: object) -> str:
    return str(getattr(value, "pattern", value))


def _import_path(prints: Fingerprints) -> "Iterator[Item]":
    yield _item("import-path", "sys.path", prints, sys.path)
    yield _item("import-path", "sys.meta_path", prints, [_kind(each) for each in sys.meta_path])
    yield _item("import-path", "sys.path_hooks", prints, [_kind(each) for each in sys.path_hooks])


def _interpreter(prints: Fingerprints) -> "Iterator[Item]":
    settings: dict[str, object] = {
        "recursion limit": sys.getrecursionlimit(),
        "switch interval": sys.getswitchinterval(),
        "digits of integers": sys.get_int_max_str_digits(),
        "trace function": _kind(sys.gettrace()),
        "profile function": _kind(sys.getprofile()),
        "sys.excepthook": _kind(sys.excepthook),
        "sys.displayhook": _kind(sys.displayhook),
        "sys.stdout": _kind(sys.stdout),
        "sys.stderr": _kind(sys.stderr),
        "sys.stdin": _kind(sys.stdin),
    }
    for name, value in settings.items():
        yield _item("other", name, prints, value)


def _exits(prints: Fingerprints) -> "Iterator[Item]":
    count = sys.modules["atexit"]._ncallbacks()  # noqa: SLF001 - the only way to know
    yield _item("other", "functions to call at exit", prints, count)


def _logging(prints: Fingerprints, foreign: "frozenset[str]") -> "Iterator[tuple[str, int, list[Item]]]":
    """Yield what is set of all loggers: those with names of other modules are not the bundle's."""
    logging = sys.modules["logging"]
    own = [_item("other", "logging.disable", prints, logging.root.manager.disable)]
    others: list[Item] = []
    for name, logger in [("root", logging.root), *list(logging.root.manager.loggerDict.items())[:_MAX_LOGGERS]]:
        found = attributes_of(logger)
        if name == "root" or any(found.get(each) for each in ("handlers", "filters", "level")):
            handlers = [_kind(each) for each in _listed(found.get("handlers"))]
            piece = _item("other", f"logging of {name}", prints, [*handlers, found.get("level"), found.get("disabled")])
            (others if name.partition(".")[0] in foreign else own).append(piece)
    yield "<logging>", 1, own
    yield "<logging of libraries>", 0, others


def _signals(prints: Fingerprints) -> "Iterator[Item]":
    for number in _SIGNALS:
        try:
            handler = _signal.getsignal(number)
        except ValueError:
            continue
        if handler is not None and not isinstance(handler, int):
            yield _item("signal-handler", f"signal {number}", prints, _kind(handler))
        elif handler is not None:
            yield _item("signal-handler", f"signal {number}", prints, ("default", "ignored")[int(handler)])
    for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF"):
        is_set = any(_signal.getitimer(getattr(_signal, name)))
        yield _item("signal-handler", name, prints, "running" if is_set else "not set")


def _threads(prints: Fingerprints) -> "Iterator[Item]":
    counts: dict[str, int] = {}
    alive = sys.modules["threading"]._active  # noqa: SLF001 - what threading.enumerate returns, without its lock
    for thread in list(alive.values()):
        name = attributes_of(thread).get("_name")
        # Names are numbered: what counts is how many of them do the same.
        shape = "".join("N" if each.isdigit() else each for each in name) if type(name) is str else "?"
        counts[shape] = counts.get(shape, 0) + 1
    for shape, count in counts.items():
        if shape != "MainThread":
            yield _item("thread", f"thread {shape!r}", prints, f"{count} alive")


def _sockets(prints: Fingerprints) -> "Iterator[Item]":
    yield _item("other", "default timeout of sockets", prints, sys.modules["_socket"].getdefaulttimeout())


def _open_files(prints: Fingerprints, places: "dict[str, str]") -> "Iterator[Item]":
    counts: dict[str, int] = {}
    for number in posix.listdir("/proc/self/fd" if sys.platform == "linux" else "/dev/fd"):
        try:
            target = posix.readlink(f"/proc/self/fd/{number}") if number not in _OF_THE_RUNNER else ""
        except OSError:
            continue
        if target:
            name = placed(target, places) if target.startswith("/") else target.partition(":")[0]
            counts[name] = counts.get(name, 0) + 1
    for name, count in counts.items():
        yield _item("open-file", name, prints, f"open {count} times" if count > 1 else "open")


def _children(prints: Fingerprints) -> "Iterator[Item]":
    count = 0
    for task in posix.listdir("/proc/self/task"):
        count += len(_read(f"/proc/self/task/{task}/children").split())
    yield _item("other", "child processes", prints, count)


def _read(path: str) -> bytes:
    number = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        return posix.read(number, 1 << 16)
    finally:
        posix.close(number)


def _kind(value: object) -> str:
    """Return what tells one function or object from another, without its address."""
    if value is None:
        return "none"
    return shown(value)


def _listed(value: object) -> "list[object]":
    return list(value) if type(value) is list else []


_GROUPS: "tuple[tuple[str, str, Callable[[Fingerprints], Iterator[Item]]], ...]" = (
    ("random", "random", _random),
    ("numpy.random", "numpy.random.mtrand", _numpy_random),
    ("numpy", "numpy", _numpy),
    ("pandas", "pandas._config.config", _pandas),
    ("environment", "", _environment),
    ("locale", "", _locale_settings),
    ("context", "", _context),
    ("warnings", "warnings", _warnings),
    ("import path", "", _import_path),
    ("interpreter", "", _interpreter),
    ("exits", "atexit", _exits),
    ("decimal", "decimal", _decimal),
    ("signals", "", _signals),
    ("threads", "threading", _threads),
    ("sockets", "_socket", _sockets),
    ("children", "", _children),
)
