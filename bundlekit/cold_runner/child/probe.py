"""Imports an object in the child and tells what it is: callable or not, its signature, the file it comes from."""

from __future__ import annotations

import inspect
import json
import os
import sys

from .channel import DOCUMENT, Channel, RefusedError
from .main import resolve

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from collections.abc import Callable

    from .job import Job

__all__ = ["run"]


def run(channel: Channel, job: Job) -> None:
    """Import the reference of `job` and send its description; never call it."""
    channel.phase("import")
    found = _found(job["reference"])
    channel.phase("result")
    signature, error = _signature(found)
    document = {
        "reference": job["reference"],
        "callable": callable(found),
        "signature": signature,
        "signature_error": error,
        "file": _file(job["reference"]),
        "is_stdlib": job["reference"].partition(":")[0].partition(".")[0] in sys.stdlib_module_names,
    }
    channel.send(DOCUMENT, json.dumps(document).encode())


def _found(reference: str) -> object:
    module_name = reference.partition(":")[0].strip()
    try:
        return resolve(reference)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise
        message = f"expected a module {module_name!r:.200} that can be imported, found none ({reference!r:.200})"
        raise RefusedError("E_ENTRYPOINT", message) from None


def _signature(found: object) -> tuple[dict[str, object] | None, str | None]:
    if not callable(found):
        return None, f"expected a callable, found {type(found).__qualname__}"
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError) as error:
        return None, str(error)
    described = [[each.name, each.kind.name, each.default is not each.empty] for each in parameters]
    return {"parameters": described, "kind": _kind(found)}, None


def _kind(found: Callable[..., object]) -> str:
    # inspect looks through functools.partial itself, but not into __call__, nor through wrappers that copy a name.
    called = found if inspect.isroutine(found) or inspect.isclass(found) else type(found).__call__
    for each in (found, called, inspect.unwrap(called)):
        if inspect.iscoroutinefunction(each):
            return "coroutine"
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            return "generator"
    return "plain"


def _file(reference: str) -> str | None:
    module_name = reference.partition(":")[0].strip()
    is_path = module_name.endswith(".py") or "/" in module_name
    module = sys.modules.get("bundle_wire" if is_path else module_name)
    file = getattr(module, "__file__", None)
    return os.path.abspath(file) if isinstance(file, str) else None
