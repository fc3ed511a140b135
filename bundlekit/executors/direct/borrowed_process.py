"""The host's process, lent to a bundle for one call and given back as it was."""

import contextlib
import importlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from types import ModuleType

from bundlekit.executors.direct.stage import Stage

__all__ = ["PROCESS_LOCK", "borrowed_process"]

PROCESS_LOCK = threading.RLock()
"""Whoever holds it may change what all threads of the process share."""


@contextlib.contextmanager
def borrowed_process(stage: Stage, environment: Mapping[str, str]) -> Iterator[None]:
    """Make this process one of the bundle's: directory, variables, import path, modules, streams; then undo it.

    What bundle code prints goes to stderr, as it does from every other executor. Hold PROCESS_LOCK meanwhile.
    """
    variables, path, streams = dict(os.environ), list(sys.path), (sys.stdin, sys.stdout, sys.stderr)
    directory = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        with _modules_of(stage):
            _set_variables(environment)
            os.chdir(stage.tree)
            first = next((at for at, entry in enumerate(path) if entry.endswith("-packages")), len(path))
            sys.path[first:first] = stage.roots
            importlib.invalidate_caches()
            sys.stdout = sys.stderr
            yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        sys.path[:] = path
        _set_variables(variables)
        os.fchdir(directory)
        os.close(directory)


@contextlib.contextmanager
def _modules_of(stage: Stage) -> Iterator[None]:
    """Have the bundle's own modules loaded instead of those of the same names that the host has."""
    kept = _taken_out(stage.names)
    sys.modules.update(stage.modules)
    try:
        yield
    finally:
        stage.modules.clear()
        stage.modules.update(_taken_out(stage.names))
        sys.modules.update(kept)


def _taken_out(names: frozenset[str]) -> dict[str, ModuleType]:
    found = {name: module for name, module in list(sys.modules.items()) if name.partition(".")[0] in names}
    for name in found:
        del sys.modules[name]
    return found


def _set_variables(variables: Mapping[str, str]) -> None:
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)
