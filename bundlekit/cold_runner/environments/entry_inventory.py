"""What an entry of the cache held when it was complete, and what is different in it now.

Written once, before the marker, and read only by who verifies: it tells accidents and stray edits, not the work of
somebody who may write to the cache and so could write another inventory.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from typing import Literal, NamedTuple

__all__ = ["INVENTORY", "Difference", "differences", "write_inventory"]

INVENTORY = "bundlekit-inventory.json"

_OWN = frozenset({INVENTORY, "bundlekit-complete.json"})

_State = list[str | int]
"""Mode in octal, size in bytes and SHA-256 of a file; ``link`` and where it leads; else ``special``."""


class Difference(NamedTuple):
    """One path of an entry, from its directory, and what became of it."""

    path: str
    change: Literal["edited", "missing", "added"]


def write_inventory(directory: str) -> None:
    """Write the inventory of everything in `directory` into it.

    Raises:
        OSError: something cannot be read, or the inventory not be written.
    """
    found = dict(sorted(_states(directory)))
    with open(os.path.join(directory, INVENTORY), "w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump(found, file, ensure_ascii=False, separators=(",", ":"))


def differences(directory: str) -> tuple[Difference, ...] | None:
    """Return what differs in `directory` from its inventory, sorted by path; None if it has none that can be read.

    Bytecode that was added in a ``__pycache__`` is no difference: any program that a task starts may leave some.

    Raises:
        OSError: something in it cannot be read.
    """
    try:
        with open(os.path.join(directory, INVENTORY), encoding="utf-8", errors="surrogateescape") as file:
            known = json.load(file)
    except (OSError, ValueError):
        return None
    if not isinstance(known, dict):
        return None
    found = dict(_states(directory))
    missing = [Difference(path, "missing") for path in known if path not in found]
    edited = [Difference(path, "edited") for path, state in known.items() if path in found and found[path] != state]
    added = [Difference(path, "added") for path in found if path not in known and not _is_bytecode(path)]
    return tuple(sorted([*missing, *edited, *added]))


def _states(root: str) -> Iterator[tuple[str, _State]]:
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(os.path.join(root, folder)) as entries:
            for entry in entries:
                path = folder + entry.name
                if entry.is_symlink():
                    yield path, ["link", os.readlink(entry.path)]
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(path + "/")
                elif not entry.is_file(follow_symlinks=False):
                    yield path, ["special"]
                elif path not in _OWN:
                    yield path, _state(entry.path)


def _state(path: str) -> _State:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        return [oct(stat.S_IMODE(state.st_mode)), state.st_size, hashlib.file_digest(file, "sha256").hexdigest()]


def _is_bytecode(path: str) -> bool:
    return path.endswith(".pyc") and os.path.basename(os.path.dirname(path)) == "__pycache__"
