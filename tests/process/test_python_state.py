"""Python state that tasks leave in a real warm process: every planted kind is named, and nothing else is."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from builders.cold_runs import wire_bundle
from builders.warm_sequences import watched_run

from bundlekit.isolation.python_state import PythonWatch
from bundlekit.model.isolation import Behaviour, PythonChange

pytestmark = pytest.mark.process

_LEAKS = """
    import builtins
    import collections, decimal, functools, itertools, locale, logging, os, random, signal, sys, threading, time
    import contextvars, gc, warnings, socket, io
    from pathlib import Path
    from parts import memoized, shared

    n = 0
    history = []
    table = {}
    ids = itertools.count()
    generator = random.Random(1)
    kept = []
    log = logging.getLogger("model")
    variable = contextvars.ContextVar("scenario", default=None)
    api_token = "t0"
    text = io.StringIO()

    class Slotted:
        __slots__ = ("value",)
    slotted = Slotted()
    slotted.value = 0

    class State:
        counter = 0
        seen = collections.deque(maxlen=3)
        class Inner:
            depth = 0
        @staticmethod
        def run(acc=[]):
            acc.append(1)

    class Evil:
        def __repr__(self): raise SystemExit("repr")
        def __eq__(self, other): raise SystemExit("eq")
        def __hash__(self): raise SystemExit("hash")
        def __getattr__(self, name): raise SystemExit("getattr")
        @property
        def __class__(self): raise SystemExit("class")
        @property
        def value(self): raise SystemExit("value")
    evil = Evil()
    evil.__dict__["n"] = 0
    evil.__dict__["self"] = evil

    def total(x, *, acc={}):
        acc[len(acc)] = x
        total.calls = getattr(total, "calls", 0) + 1

    def maker():
        count = 0
        def step():
            nonlocal count
            count += 1
        return step
    step = maker()

    @functools.lru_cache(maxsize=None)
    def row(i):
        return [i]

    memo_calls = functools.lru_cache(lambda key: key)

    def leak():
        global n, api_token
        n += 1
        history.append(n)
        table["last"] = table.get("last", 0) + 1
        next(ids)
        generator.random()
        slotted.value += 1
        State.counter += 1
        State.seen.append(n)
        State.Inner.depth += 1
        State.run()
        evil.__dict__["n"] += 1
        total(1)
        step()
        row(1).append(n)
        memo_calls(n)
        shared.append(n)
        text.write("x")
        api_token = f"t{n}"
        random.random()
        os.environ["LEFT"] = str(n)
        os.environ["API_KEY"] = f"hidden{n}"
        os.makedirs(f"sub{n}", exist_ok=True)
        os.chdir(f"sub{n}")
        locale.setlocale(locale.LC_ALL, "C.UTF-8" if n % 2 else "C")
        decimal.getcontext().prec = 20 + n
        warnings.filterwarnings("ignore", message=f"m{n}")
        sys.path.append(f"/nowhere{n}")
        threading.Thread(target=rest, daemon=True).start()
        kept.append(open(Path(os.environ["TMPDIR"]) / f"open{n}", "w"))
        signal.signal(signal.SIGUSR1, [on_signal, on_other][n % 2])
        (Path(os.environ["HOME"]) / "left").write_text("x" * n)
        logging.getLogger("model").addHandler(logging.NullHandler())
        sys.setrecursionlimit(2000 + n)
        sys.setswitchinterval(0.01 * n)
        gc.set_threshold(700 + n)
        os.umask(n)
        variable.set(n)
        socket.setdefaulttimeout(float(n))
        time.sleep = [pause, wait][n % 2]
        sys.settrace(trace if n % 2 else None)
        builtins.planted = n
        doubled(n)

    @memoized
    def doubled(x): return 2 * x
    def on_signal(number, frame): pass
    def on_other(number, frame): pass
    def rest(): threading.Event().wait(600)
    def pause(seconds): threading.Event().wait(seconds)
    def wait(seconds): threading.Event().wait(seconds)
    def trace(frame, event, argument): return None

    def wire(entrypoint, params, seed):
        leak()
        return {"seen": b"ok"}
"""
_PARTS = """
    import functools
    shared = []
    def memoized(function):
        results = {}
        @functools.wraps(function)
        def remembering(*arguments):
            if arguments not in results:
                results[arguments] = function(*arguments)
            return results[arguments]
        return remembering
"""
_PLANTED = {
    ("module-global", "builtins.planted"): ("absent", "4"),
    ("closure", "wire.doubled closure 'results'"): ("dict of 0", None),
    ("module-global", "wire.n"): ("0", "4"),
    ("module-global", "wire.history"): ("list of 0", "list of 4: 1, 2, 3, 4"),
    ("module-global", "wire.table"): ("dict of 0", "dict of 1: 'last': 4"),
    ("module-global", "wire.ids"): ("itertools.count count(0)", "itertools.count count(4)"),
    ("module-global", "wire.generator"): ("<random.Random> gauss_next=None", None),
    ("module-global", "wire.kept"): ("list of 0", None),
    ("module-global", "wire.slotted"): ("<wire.Slotted> value=0", "<wire.Slotted> value=4"),
    ("module-global", "wire.evil"): (None, None),
    ("module-global", "wire.api_token"): ("str", None),
    ("module-global", "wire.text"): ("_io.StringIO ", "_io.StringIO xxxx"),
    ("module-global", "parts.shared"): ("list of 0", "list of 4: 1, 2, 3, 4"),
    ("module-global", "time.sleep"): ("absent", None),
    ("class-attribute", "wire.State.counter"): ("0", "4"),
    ("class-attribute", "wire.State.seen"): ("collections.deque of 0", "collections.deque of 3: 2, 3, 4"),
    ("class-attribute", "wire.State.Inner.depth"): ("0", "4"),
    ("function-default", "wire.State.run default 'acc'"): ("list of 0", "list of 4: 1, 1, 1, 1"),
    ("function-default", "wire.total default 'acc'"): ("dict of 0", "dict of 4: 0: 1, 1: 1, 2: 1, 3: 1"),
    ("function-attribute", "wire.total.calls"): ("absent", "4"),
    ("closure", "wire.step closure 'count'"): ("0", "4"),
    ("function-cache", "wire.row"): ("0 entries", "1 entry"),
    ("function-cache", "wire.memo_calls"): ("0 entries", "4 entries"),
    ("random", "random"): (None, None),
    ("environment", "LEFT"): ("absent", "4"),
    ("environment", "API_KEY"): ("absent", "str"),
    ("cwd", "working directory"): (".", "sub1/sub2/sub3/sub4"),
    ("locale", "locale"): (None, None),
    ("other", "decimal context"): (None, None),
    ("warnings", "warnings filters"): (None, None),
    ("import-path", "sys.path"): (None, None),
    ("thread", "thread 'Thread-N (rest)'"): ("absent", "4 alive"),
    ("signal-handler", "signal 10"): ("default", "function wire.on_signal"),
    ("file", "HOME/left"): ("absent", "4 bytes"),
    ("other", "logging of model"): (None, None),
    ("other", "recursion limit"): (None, "2004"),
    ("other", "switch interval"): (None, "0.04"),
    ("other", "garbage collection"): (None, None),
    ("other", "umask"): (None, "0004"),
    ("other", "context variable scenario"): ("absent", "4"),
    ("other", "default timeout of sockets"): ("None", "4.0"),
    ("other", "trace function"): (None, None),
}


@pytest.fixture
def place(tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where bundles are made, with a cache of environments of its own."""
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(scratch))
    return tmp_path


def _changes(root: Path, entrypoints: str = "aaba") -> list[PythonChange]:
    snapshots = watched_run(root, entrypoints)
    return list(PythonWatch().changes(snapshots, [ord(each) - ord("a") for each in entrypoints]))


def test_every_planted_kind_is_named_with_what_it_was_and_became(place: Path) -> None:
    """A scientist who reads `wire.State.counter: 0, then 4` knows what to mend."""
    changes = _changes(wire_bundle(place, _LEAKS, parts=_PARTS))
    found = {(each.kind, each.name): each for each in changes}
    for key, (before, after) in _PLANTED.items():
        assert key in found, (key, sorted(found))
        assert before is None or found[key].before == before, found[key]
        assert after is None or found[key].after == after, found[key]
        assert found[key].behaviour is Behaviour.ACCUMULATES, found[key]
        assert found[key].is_own, found[key]
    others = {key for key in found if key not in _PLANTED}
    assert others == {
        *(("open-file", f"TMPDIR/open{n}") for n in (2, 3, 4)),
        *(("file", f"TMPDIR/open{n}") for n in (2, 3, 4)),
        *(("file", f"sub1/{below}") for below in ("sub2/", "sub2/sub3/", "sub2/sub3/sub4/")),
    }
    assert not [each for each in changes if "hidden" in each.before + each.after]


_INNOCENT = """
    import collections, decimal, functools, json, logging, math, os, random, re, string, tempfile, threading, warnings
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import dataclass, field
    from pathlib import Path

    log = logging.getLogger(__name__)
    RATES = {"beta": 0.3, "gamma": 0.1}
    NAMES = ("s", "i", "r")
    _compiled = None

    @dataclass
    class State:
        values: list = field(default_factory=list)

    def compiled():
        global _compiled
        if _compiled is None:
            _compiled = re.compile(r"(\\w+)")
        return _compiled

    @functools.lru_cache
    def factorial(n):
        return math.factorial(n)

    _powers = {}

    def power(n):
        if n not in _powers:
            _powers[n] = [n, n * n]
        return _powers[n]

    def run(seed, scale):
        random.seed(seed)
        generator = random.Random(seed)
        state = State()
        for _ in range(50):
            state.values.append(generator.random() * scale + random.random())
        with ThreadPoolExecutor(2) as pool:
            total = sum(pool.map(float, state.values))
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "scratch").write_text("x")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.warn("nothing", stacklevel=1)
        with decimal.localcontext() as context:
            context.prec = 5
            decimal.Decimal(1) / decimal.Decimal(3)
        compiled().findall("a b")
        factorial(10 + seed)
        power(seed)
        log.info("done")
        before = os.environ.get("MODE")
        os.environ["MODE"] = "x"
        os.environ.pop("MODE") if before is None else None
        return total

    def wire(entrypoint, params, seed):
        if entrypoint == "b":
            import asyncio, csv, multiprocessing.pool, sqlite3, statistics, unittest.mock, xml.etree.ElementTree
            return {"out": json.dumps(run(seed + 1, statistics.mean([1, 2]))).encode()}
        return {"out": json.dumps(run(seed, 1.0)).encode()}
"""


def test_a_bundle_that_leaves_nothing_is_told_of_with_silence(place: Path) -> None:
    """Imports, caches of the standard library and what is made once are no leaks: a false alarm ends all trust."""
    own = [each for each in _changes(wire_bundle(place, _INNOCENT)) if each.is_own]
    assert [each for each in own if each.behaviour is not Behaviour.LAST_TASK] == []
    assert {each.name for each in own} == {"random"}


_NUMERIC = """
    import sys
    sys.path.append(SITE)
    import numpy as np
    table = np.zeros(3)
    generator = np.random.default_rng(1)
    legacy = np.random.RandomState(1)
    objects = np.array([1, "a"], dtype=object)
    days = np.array(["2020-01-01"], dtype="M8[D]")
    unchanged = np.arange(1000.0)[::2]
    def wire(entrypoint, params, seed):
        if params.get("innocent"):
            np.random.seed(seed)
            np.random.rand(3)
            np.random.default_rng(seed).random()
            with np.errstate(all="ignore"):
                np.float64(1) / np.float64(0)
            with np.printoptions(precision=2):
                str(unchanged)
            return {"seen": b"ok"}
        table[1] += 1
        generator.random()
        legacy.rand()
        objects[0] += 1
        days[0] += 1
        np.random.rand()
        np.seterr(over="raise" if table[1] % 2 else "warn")
        np.set_printoptions(precision=int(table[1]))
        return {"seen": b"ok"}
"""


def test_numbers_generators_and_settings_of_numpy_are_looked_into(place: Path) -> None:
    """Most models keep their state in arrays, and draw from one generator."""
    site = Path(np.__file__).parents[1]
    root = wire_bundle(place, _NUMERIC.replace("SITE", repr(str(site))))
    changes = _changes(root)
    assert {(each.kind, each.name) for each in changes} == {
        *(("module-global", f"wire.{name}") for name in ("table", "generator", "legacy", "objects", "days")),
        *(("numpy", name) for name in ("numpy.random", "numpy error state", "numpy print options")),
    }
    assert {each.behaviour for each in changes} == {Behaviour.ACCUMULATES}
    innocent = watched_run(root, "aaba", innocent=1)
    assert not PythonWatch().changes(innocent, [0, 0, 1, 0])


_EXTENSION = """
#include <Python.h>
static PyObject *history, *table, *names;
static PyObject *add(PyObject *self, PyObject *value) {
    if (!history) { history = PyList_New(0); table = PyDict_New(); names = Py_BuildValue("{s:[i]}", "x", 1); }
    PyList_Append(history, value);
    PyObject *size = PyLong_FromSsize_t(PyList_Size(history));
    PyDict_SetItemString(table, "size", size);
    Py_DECREF(size);
    Py_RETURN_NONE;
}
static PyMethodDef methods[] = {{"add", add, METH_O, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "held", 0, -1, methods};
PyMODINIT_FUNC PyInit_held(void) { return PyModule_Create(&module); }
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is a file on Linux only")
def test_objects_that_only_native_code_holds_are_found_where_it_holds_them(place: Path) -> None:
    """A list in a C global changes in place: its pointer, all that native memory shows, stays the same."""
    root = wire_bundle(place, "import held\ndef wire(e, p, s):\n    held.add(1.5)\n    return {'seen': b'ok'}")
    source = place / "held.c"
    source.write_text(_EXTENSION, encoding="utf-8")
    include = sysconfig.get_paths()["include"]
    subprocess.run(["cc", "-shared", "-fPIC", f"-I{include}", source, "-o", root / "held.so"], check=True)
    found = [(each.name, each.before, each.after, each.behaviour) for each in _changes(root)]
    assert sorted(found) == [
        ("held.so: history (Python object)", "absent", "list of 4: 1.5, 1.5, 1.5, 1.5", Behaviour.ACCUMULATES),
        ("held.so: table (Python object)", "absent", "dict of 1: 'size': 4", Behaviour.ACCUMULATES),
    ]


def test_a_value_too_large_to_be_looked_at_as_a_whole_is_told(place: Path) -> None:
    """What was not looked at is not clean."""
    watch = PythonWatch()
    source = "agents = [[n] for n in range(60_000)]\ndef wire(e, p, s):\n    return {'seen': b'ok'}"
    watched_run(wire_bundle(place, source), "a", watch=watch)
    assert watch.unseen == ("of Python values, only the beginning of 1, which are large",)


def test_looking_changes_nothing(place: Path) -> None:
    """Between two tasks that are to be compared, there must be nothing but the first of them."""
    watch = PythonWatch()
    snapshots = watched_run(wire_bundle(place, _INNOCENT), "aa", watch=watch, looks=3)
    assert watch.unseen == ()
    assert snapshots[0] == snapshots[1] == snapshots[2]
    assert snapshots[3] == snapshots[4] == snapshots[5]
    assert snapshots[0] != snapshots[3]
