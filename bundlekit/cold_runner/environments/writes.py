"""What a task wrote: how files were and are, told by content and mode."""

import contextlib
import os
import stat
from typing import NamedTuple

__all__ = ["State", "Write", "same_content", "states_below"]

_CHUNK = 1 << 20


class Write(NamedTuple):
    """One thing that a task did to its files: `change` is ``created``, ``modified`` or ``deleted``."""

    path: str
    change: str


class State(NamedTuple):
    """What is known of a file without reading it; a directory is all zeros."""

    mode: int
    size: int
    inode: int
    changed_ns: int


def states_below(root: str) -> dict[str, State]:
    """Return what is below `root`, without what cannot be read or is deeper than a path can be."""
    states: dict[str, State] = {}
    # No recursion: a task may have made more levels than the stack holds.
    folders = [""]
    while folders:
        folder = folders.pop()
        with contextlib.suppress(OSError), os.scandir(os.path.join(root, folder)) as entries:
            for entry in entries:
                path = folder + entry.name
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    states[path + "/"] = State(0, 0, 0, 0)
                    folders.append(path + "/")
                else:
                    states[path] = State(found.st_mode, found.st_size, found.st_ino, found.st_ctime_ns)
    return states


def same_content(first: str, second: str) -> bool:
    """Whether two files can be read and hold the same."""
    try:
        with open(first, "rb") as one, open(second, "rb") as other:
            while True:
                chunk = one.read(_CHUNK)
                if chunk != other.read(_CHUNK):
                    return False
                if not chunk:
                    return True
    except OSError:
        return False
