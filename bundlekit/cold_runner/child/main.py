"""What runs in the child: bundle code is imported and called here, and its result goes back through a private pipe.

Runs in the environment's own interpreter (any CPython >= 3.11), not as a file but as code that the supervisor hands
over, so that a zipapp needs no file and a folder no compilation. It has the descriptors 0 (/dev/null), 1 and 2 (both
the log), JOB_FD (code, then a marshalled job), RESULT_FD and GO_FD, at which it waits: a child may be started before
there is a job. A simulation imports nothing here that an interpreter has not loaded at its start: each import would be
paid by every task, and could meet a module of the bundle's instead.

See: DESIGN decisions 5 and 6.
"""

import marshal
import os
import sys

from .channel import DONE, GO_FD, OUTPUT, STACK_SIGNAL, Channel, RefusedError
from .returns import outputs_of

TYPE_CHECKING = False  # typing is not loaded at the start of an interpreter
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType
    from typing import BinaryIO

    from .job import Job

__all__ = ["call_wire", "main", "module_of", "resolve", "settle", "show_faults", "simulate", "wire_function"]


def main(orders: "BinaryIO", load: "Callable[[list[tuple[str, CodeType | str]]], None]") -> None:
    """Wait for one job, do it and report it; returns only where the interpreter should end in its own way.

    `orders` gives the modules that the job needs besides this one, and the job; `load` makes the modules.
    """
    show_faults()
    channel = Channel()
    _rehearse()
    if not os.read(GO_FD, 1):
        os._exit(0)  # whoever started this process has no use for it any more
    os.close(GO_FD)
    modules, job = marshal.load(orders)  # noqa: S302 - the supervisor wrote it
    orders.close()
    load(modules)
    status = 1
    try:
        settle(job)
        _run(channel, job)
        channel.send(DONE)
        status = 0
    except RefusedError as error:
        channel.refused(error)
    except BaseException as error:  # noqa: BLE001 - the one place around foreign code
        channel.raised(error)
    channel.leave(status)


def module_of(name: str) -> "ModuleType":
    """Return the module `name`, imported; a path to a file is loaded as the module ``bundle_wire``."""
    if name.endswith(".py") or "/" in name:
        return _module_of_file(name)
    __import__(name)
    return sys.modules[name]


def resolve(reference: str) -> object:
    """Return the object that ``module:object.attribute`` or ``path.py:object`` names.

    Raises:
        RefusedError: E_ENTRYPOINT when the module has no such object.
    """
    module_name, _, path = reference.partition(":")
    found: object = module_of(module_name.strip())
    names = path.partition("[")[0].strip().split(".")
    for position, name in enumerate(names):
        try:
            found = getattr(found, name)
        except AttributeError:
            owner = ".".join([module_name, *names[:position]])
            raise RefusedError("E_ENTRYPOINT", f"expected {name!r} in {owner}, found no such attribute") from None
    return found


def show_faults() -> None:
    """Have this process show its stacks when it crashes, and when it is asked to."""
    import faulthandler  # noqa: PLC0415 - built in; the promise of the module holds

    faulthandler.enable()
    if sys.platform == "linux":
        faulthandler.register(STACK_SIGNAL)


def _rehearse() -> None:
    """Do once, while nobody waits, what every job needs: a page of memory costs most when it is first touched.

    A fork shares all pages until it writes to them: compiling one line costs it twenty times what it costs later.
    """
    import _frozen_importlib_external  # noqa: PLC0415 - loaded at every start

    marshal.loads(marshal.dumps(compile("def wire(a, b=0): return {'a': b'', **b}", "", "exec"), 4))  # noqa: S302 - ours
    _frozen_importlib_external.PathFinder.find_spec("wire", [])
    os.environ["TMPDIR"] = os.environ.get("TMPDIR", "")


def settle(job: "Job") -> None:
    """Put this process where `job` wants it: its limits, variables, directory and import path."""
    if job["limits"] or job["sandboxed"]:
        restrain: Callable[[Job], None] = sys.modules[f"{__package__}.restraint"].restrain
        restrain(job)
    variables, present = job["environment"], dict(os.environ)
    for name in present:
        if name not in variables:
            del os.environ[name]
    for name, value in variables.items():
        # Nearly all are as this process was started; setting one costs as much as looking at all.
        if present.get(name) != value:
            os.environ[name] = value
    os.chdir(job["tree"])
    after = sys.path.index(job["site"]) + 1 if job["site"] in sys.path else len(sys.path)
    sys.path.insert(after, job["tree"])


def _run(channel: Channel, job: "Job") -> None:
    if job["verb"] == "simulate":
        simulate(channel, job)
    else:
        extra = sys.modules[f"{__package__}.{job['verb']}"]
        run: Callable[[Channel, Job], None] = extra.run
        run(channel, job)


def simulate(channel: Channel, job: "Job") -> None:
    """Import and call the wire function of `job`; send what it returned."""
    channel.phase("import")
    returned = call_wire(channel, wire_function(job["reference"]), job)
    for name, data in outputs_of(returned):
        channel.send(OUTPUT, name, data)


def wire_function(reference: str) -> "Callable[..., object]":
    """Return the wire function, imported.

    Raises:
        RefusedError: E_ENTRYPOINT when there is none, or it cannot be called.
    """
    wire = resolve(reference)
    if not callable(wire):
        raise RefusedError("E_ENTRYPOINT", f"expected {reference} to be callable, found {type(wire).__name__}")
    return wire


def call_wire(channel: Channel, wire: "Callable[..., object]", job: "Job") -> object:
    """Return what the wire function gives for `job`; the channel is told of the phases.

    Raises:
        RefusedError: E_ENTRYPOINT when the task names a module that cannot be found.
    """
    _check_entrypoint(job["entrypoint"])
    channel.phase("call")
    returned = wire(job["entrypoint"], job["params"], job["seed"])
    channel.phase("result")
    return returned


def _check_entrypoint(entrypoint: str) -> None:
    """Refuse ``module:object`` whose module cannot be found, even if the wire function would not look at it."""
    module_name, colon, _ = entrypoint.rpartition(":")
    if not colon or "/" in entrypoint or module_name in sys.modules:
        return
    import importlib.util  # noqa: PLC0415 - `main` and `a.b/scenario` do not need it

    try:
        found = importlib.util.find_spec(module_name) if _is_dotted_name(module_name) else None
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise
        found = None
    if found is None:
        message = (
            f"expected a module that can be imported before the colon of the entrypoint, found {entrypoint!r:.200}"
        )
        raise RefusedError("E_ENTRYPOINT", message)


def _is_dotted_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _module_of_file(path: str) -> "ModuleType":
    # What importlib.util has from them; the module itself would import half of the standard library first.
    import _frozen_importlib  # noqa: PLC0415 - see above
    import _frozen_importlib_external  # noqa: PLC0415 - see above

    spec = _frozen_importlib_external.spec_from_file_location("bundle_wire", os.path.join(os.getcwd(), path))
    if spec is None or spec.loader is None or not os.path.isfile(path):
        raise RefusedError("E_ENTRYPOINT", f"expected a Python file {path!r} in the bundle, found none")
    module = _frozen_importlib.module_from_spec(spec)
    sys.modules["bundle_wire"] = module
    spec.loader.exec_module(module)
    return module
