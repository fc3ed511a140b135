"""What tells, without reading any file, that a bundle's directory is as it was."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["MAX_ENTRIES", "NEVER_READ", "TreeState", "file_state", "tree_state"]

MAX_ENTRIES = 20_000
"""Reading such a bundle takes seconds anyway, and looking at every entry of a larger one takes long by itself."""

NEVER_READ = frozenset(
    {
        ".bundlekit",
        ".git",
        ".hg",
        ".svn",
        "__pycache__",
        "node_modules",
        ".npm",
        ".yarn",
        ".tox",
        ".nox",
        ".venv",
        "venv",
        "virtualenv",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
        ".idea",
        ".vscode",
    }
)
"""Directories of tools: nothing in them is looked at, save where a pattern of the bundle brings it back by its path."""


class TreeState(NamedTuple):
    """The state of all entries as one hex digest; `newest_ns` is when the last of them changed, since the epoch.

    `unread` are the directories in which nothing was looked at.
    """

    digest: str
    newest_ns: int
    unread: tuple[str, ...]


class _Entry(NamedTuple):
    line: str
    changed_ns: int
    directory: str | None = None
    unread: str | None = None


def tree_state(root: str) -> TreeState | None:
    """Return the state of the directory `root`, None where it cannot be told from its entries alone.

    Names, kinds, sizes, inodes and times of modification and of change count. The time of change is what no program can
    set: a file that was copied over with its old time of modification is seen. A link to a directory leads to entries
    that are not looked at, and so does an entry that cannot be.
    """
    lines: list[str] = []
    unread: list[str] = []
    newest_ns = 0
    pending = [""]
    try:
        while pending:
            for entry in _entries(root, pending.pop()):
                if entry is None or len(lines) >= MAX_ENTRIES:
                    return None
                lines.append(entry.line)
                newest_ns = max(newest_ns, entry.changed_ns)
                pending += [] if entry.directory is None else [entry.directory]
                unread += [] if entry.unread is None else [entry.unread]
    except OSError:
        return None
    text = "\n".join(sorted(lines)).encode("utf-8", "surrogateescape")
    return TreeState(hashlib.sha256(text).hexdigest(), newest_ns, tuple(unread))


def file_state(path: Path) -> tuple[str, int] | None:
    """Return the state of the file at `path`, links followed, and when it changed; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return _state(status), status.st_ctime_ns


def _entries(root: str, directory: str) -> Iterator[_Entry | None]:
    with os.scandir(f"{root}/{directory}" if directory else root) as listing:
        entries = list(listing)
    if directory and any(entry.name == "pyvenv.cfg" for entry in entries):
        # A virtual environment of any name: thousands of files that never ship.
        yield _Entry(f"{directory}\0environment", 0, unread=directory)
        return
    prefix = f"{directory}/" if directory else ""
    for entry in entries:
        path = prefix + entry.name
        status = entry.stat(follow_symlinks=False)
        if entry.name in NEVER_READ and (stat.S_ISDIR(status.st_mode) or stat.S_ISLNK(status.st_mode)):
            yield _Entry(f"{path}\0{status.st_mode}", 0, unread=path)
        elif stat.S_ISDIR(status.st_mode):
            yield _Entry(f"{path}\0{status.st_mode}", 0, directory=path)
        elif stat.S_ISLNK(status.st_mode):
            yield _link(entry, path, status)
        else:
            yield _Entry(f"{path}\0{_state(status)}", status.st_ctime_ns)


def _link(entry: os.DirEntry[str], path: str, status: os.stat_result) -> _Entry | None:
    try:
        target = entry.stat()
    except OSError:
        return _Entry(f"{path}\0{_state(status)}\0broken", status.st_ctime_ns)
    if stat.S_ISDIR(target.st_mode):
        return None
    return _Entry(f"{path}\0{_state(status)}\0{_state(target)}", max(status.st_ctime_ns, target.st_ctime_ns))


def _state(status: os.stat_result) -> str:
    parts = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
    return " ".join(map(str, parts))
