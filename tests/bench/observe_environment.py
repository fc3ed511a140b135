"""Tells what importing really gives, one JSON line a reference; run by the interpreter that is observed, stdlib alone.

``observe_environment.py entry-points`` looks at every entry point that the environment declares, and at each once more
under a name that it does not have. ``observe_environment.py functions PACKAGE...`` looks at every public function,
class and method of the packages' public modules. Each module is imported in a process of its own, forked from one that
has imported nothing, so that no import depends on what another one did.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import os
import pkgutil
import signal
import sys
import warnings
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_S = 120
RENAMED = "_renamed_by_bundlekit"


def main(arguments: list[str]) -> None:
    """Print the lines of one mode."""
    if arguments[0] == "entry-points":
        for distribution, module, attributes in sorted(entry_points()):
            sys.stdout.write(in_child(observe_references, distribution, module, attributes))
    else:
        for package in arguments[1:]:
            sys.stdout.write(in_child(observe_package, package))


def entry_points() -> list[tuple[str, str, list[str]]]:
    """Return distribution, module and the objects that its entry points name there ("" is the module itself)."""
    found = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"] or "?"
        for point in distribution.entry_points:
            module, _, attribute = point.value.partition("[")[0].partition(":")
            found.setdefault((name, module.strip()), set()).add(attribute.strip())
    return [(name, module, sorted(attributes)) for (name, module), attributes in found.items()]


def in_child(work: Callable[..., None], *arguments: object) -> str:
    """Run `work` in a forked process and return the lines that it writes."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        status = 1
        try:
            quiet(writing)
            with os.fdopen(writing, "w", encoding="utf-8") as out:
                work(out, *arguments)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as lines:
        text = lines.read()
    os.waitpid(pid, 0)
    return text


def quiet(kept: int) -> None:
    """Send what imported code prints nowhere, and end the process when it hangs."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.set_inheritable(kept, False)  # noqa: FBT003 - its only form
    signal.alarm(DEADLINE_S)
    warnings.simplefilter("ignore")
    sys.argv = ["observed"]


def observe_references(out: TextIO, distribution: str, module: str, attributes: list[str]) -> None:
    """Write one line for each reference: its kind of answer, and the signature where it has one."""
    value, error = imported(module)
    for attribute in attributes:
        write(out, (distribution, module), attribute, value, error)
        if attribute:
            write(out, (distribution, module), attribute + RENAMED, value, error)
    write(out, (distribution, module + RENAMED), "", *imported(module + RENAMED))


def imported(module: str) -> tuple[object, str | None]:
    """Return the module and None, or None and why it cannot be imported."""
    try:
        return importlib.import_module(module), None
    except BaseException as error:  # noqa: BLE001 - whatever foreign code raises is the observation
        return None, f"{type(error).__name__}: {error}"[:300]


def write(out: TextIO, where: tuple[str, str], attribute: str, value: object, error: str | None) -> None:
    """Write what the attribute of an imported module is."""
    line = {"distribution": where[0], "module": where[1], "attribute": attribute, "error": error}
    if error is None and attribute:
        try:
            for part in attribute.split("."):
                value = getattr(value, part)
        except BaseException as raised:  # noqa: BLE001 - as above
            line["error"] = f"{type(raised).__name__}: {raised}"[:300]
        else:
            line |= describe(value)
    out.write(json.dumps(line) + "\n")


def describe(value: object) -> dict[str, object]:
    """Return whether a value can be called, and what inspect says of its parameters."""
    if not callable(value):
        return {"callable": False, "signature": None}
    try:
        parameters = inspect.signature(value).parameters.values()
    except BaseException as error:  # noqa: BLE001 - as above: a __signature__ may do anything
        return {"callable": True, "signature": None, "unsigned": f"{type(error).__name__}: {error}"[:200]}
    described = [[each.name, each.kind.name, each.default is not each.empty] for each in parameters]
    return {"callable": True, "signature": described}


def observe_package(out: TextIO, package: str) -> None:
    """Write what the public modules of a package hold; importing any of them imports the package itself first."""
    signal.alarm(0)
    top = importlib.import_module(package)
    names = {package}
    for found in pkgutil.walk_packages(top.__path__, package + ".", onerror=lambda _: None):
        parts = found.name.split(".")
        if not any(part.startswith("_") or part in SKIPPED for part in parts):
            names.add(found.name)
    out.writelines(in_child(observe_public, package, module) for module in sorted(names))


SKIPPED = {"tests", "test", "testing", "conftest", "setup", "benchmarks", "examples", "externals", "extern", "vendored"}


def observe_public(out: TextIO, package: str, module: str) -> None:
    """Write one line for each public function, class and method of a module."""
    value, error = imported(module)
    if error is not None:
        write(out, (package, module), "", value, error)
        return
    for name in sorted(set(dir(value))):
        if name.startswith("_"):
            continue
        found = getattr(value, name, None)
        if inspect.isroutine(found) or (inspect.isclass(found) and str(found.__module__).startswith(package)):
            write(out, (package, module), name, value, None)
        if inspect.isclass(found) and found.__module__ == module:
            for inner in sorted(vars(found)):
                if not inner.startswith("_") and inspect.isroutine(getattr(found, inner, None)):
                    write(out, (package, module), f"{name}.{inner}", value, None)


if __name__ == "__main__":
    main(sys.argv[1:])
