"""What the supervisor hands to a child: the job, the code that does it, and the command that starts it.

Marshal carries it, in the trusted direction only: it is in every interpreter from the start and keeps floats, large
integers and bytes as they are.
"""

import marshal
import os
import sys
from functools import cache
from importlib.machinery import PathFinder
from typing import TypedDict

from ..script_source import script_source
from .channel import JOB_FD

__all__ = ["FLAGS", "Job", "code", "command", "empty_job", "order", "warm_orders"]

FLAGS: tuple[str, ...] = ("-P", "-s", "-u", "-B", "-X", "utf8")
"""What ``-I`` isolates, but PYTHONHASHSEED is obeyed (DESIGN decision 6)."""

_PACKAGE = "_bundlekit_child"
_BOOTSTRAP = f"""\
import marshal,sys
M=type(sys)
p=sys.modules[{_PACKAGE!r}]=M({_PACKAGE!r})
p.__path__=[]
def load(c):
 for n,x in c:
  m=M({_PACKAGE!r}+"."+n)
  m.__package__={_PACKAGE!r}
  sys.modules[m.__name__]=m
  setattr(p,n,m)
  exec(compile(x,"<bundlekit child "+n+">","exec") if type(x) is str else x,m.__dict__)
f=open({JOB_FD},"rb")
load(marshal.load(f))
p.ENTRY.main(f,load)
"""
_MARSHAL_VERSION = 4
"""The newest that every supported interpreter reads."""

_STATE_MODULES: tuple[str, ...] = (
    "state_types",
    "state_prints",
    "state_texts",
    "state_items",
    "state_modules",
    "state_files",
    "state_process",
    "state_natives",
    "state",
)
"""What tells of Python state, in the order in which they import each other."""

_compiled: dict[str, object] = {}


class Job(TypedDict):
    """One call in a child. `verb` is simulate, target or probe; keys that it does not use hold empty values.

    `limits` are values by names of the module ``resource``, in its units.
    `environment` holds all variables that bundle code is to see: the child may have been started with others.
    `texts` is a file of base64; in `sim_returns` a tuple of start, size and whether text is wanted stands for a part.
    """

    verb: str
    environment: dict[str, str]
    tree: str
    site: str
    reference: str
    entrypoint: str
    params: dict[str, object]
    seed: int
    sim_returns: list[dict[str, object]]
    target_data: object
    limits: dict[str, int]
    sandboxed: bool
    texts: str


def empty_job(verb: str, reference: str) -> Job:
    """Return a job that says what is to be called, and nothing else yet."""
    return Job(
        verb=verb,
        environment={},
        tree="",
        site="",
        reference=reference,
        entrypoint="",
        params={},
        seed=0,
        sim_returns=[],
        target_data=None,
        limits={},
        sandboxed=False,
        texts="",
    )


def command(python: str, entry: str = "main") -> list[str]:
    """Return the command that starts a child with the interpreter `python`, or a zygote if that is its `entry`."""
    return [python, *FLAGS, "-c", _BOOTSTRAP.replace("ENTRY", entry)]


def code(version: str, *extra: str) -> bytes:
    """Return what a child of the interpreter `version` (``3.12.1``) reads from JOB_FD first: the modules it runs.

    An interpreter of our own version gets bytecode, which is compiled once here; any other gets the source.
    """
    return _marshalled(_modules(version, "channel", "returns", "main", *extra))


def order(job: Job, version: str) -> bytes:
    """Return what a child reads next, once it is told to go: the modules for the verb, and the job itself."""
    names = [] if job["verb"] == "simulate" else [job["verb"]]
    if job["limits"] or job["sandboxed"]:
        names.append("restraint")
    return _marshalled((_modules(version, *names), job))


def warm_orders(job: Job, digest: str, version: str) -> bytes:
    """Return what a warm process of the interpreter `version` reads from JOB_FD: modules, more for later, the job."""
    later: dict[str, object] = {name: _modules(version, name) for name in ("restraint", "target")}
    # Packed: hardly any process is asked for it, and none other pays for more than a copy.
    later["state"] = _packed(version)
    return code(version, "framing", "warm") + _marshalled(((later, digest), job))


@cache
def _packed(version: str) -> bytes:
    return _marshalled(_modules(version, *_STATE_MODULES))


def _marshalled(value: object) -> bytes:
    return marshal.dumps(value, _MARSHAL_VERSION)  # type: ignore[arg-type]  # its stub knows no code objects


def _modules(version: str, *names: str) -> list[tuple[str, object]]:
    same = version == ".".join(map(str, sys.version_info[:3]))
    return [(name, _code(name) if same else _source(name)) for name in names]


def _code(name: str) -> object:
    """Return the code of a sibling module, from its bytecode cache if it has one, or else its source."""
    if name not in _compiled:
        # Found, not imported: what a child imports is not ours to load.
        spec = PathFinder.find_spec(f"{__package__}.{name}", [os.path.dirname(__file__)])
        get_code = getattr(spec.loader, "get_code", None) if spec else None
        _compiled[name] = (get_code(spec.name) if spec and get_code else None) or _source(name)
    return _compiled[name]


def _source(name: str) -> str:
    return script_source(f"child/{name}.py")
