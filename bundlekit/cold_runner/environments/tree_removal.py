"""Removes directory trees, whatever bundle code has left in them.

Not by shutil, whose import would cost every task a third of an interpreter's start. A directory is entered by a
descriptor that follows no link, and only one is held: a tree may be deeper than a path, or a stack, can be.
"""

import contextlib
import os
import stat
from contextlib import suppress
from typing import NamedTuple

__all__ = ["discard_tree", "remove_tree"]

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _Level(NamedTuple):
    """A directory on the way down: which one it is, and those in it that are still to be removed."""

    identity: tuple[int, int]
    directories: list[str]


def remove_tree(path: str) -> None:
    """Remove the directory or file `path`, if it is there, also where its directories are not readable or writable.

    Raises:
        OSError: something in it cannot be removed, or was moved elsewhere meanwhile.
    """
    try:
        state = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(state.st_mode):
        with suppress(FileNotFoundError):  # somebody else was faster
            os.unlink(path)
        return
    descriptor = _entered(path, None)
    try:
        levels = [_without_files(descriptor)]
        while True:
            if levels[-1].directories:
                descriptor = _moved(descriptor, levels[-1].directories[-1])
                levels.append(_without_files(descriptor))
            elif len(levels) > 1:
                levels.pop()
                descriptor = _moved(descriptor, "..")
                _remove_last(levels[-1], descriptor)
            else:
                break
    finally:
        os.close(descriptor)
    os.rmdir(path)


def discard_tree(path: str) -> None:
    """Remove what can be removed of `path`, which a task had: no other must suffer from what it made to stay.

    A mount, a file that cannot be changed, files that only another user may remove: whoever removes the directory above
    tries again, and tells.
    """
    with contextlib.suppress(OSError):
        remove_tree(path)


def _entered(name: str, parent: int | None) -> int:
    try:
        return os.open(name, _FLAGS, dir_fd=parent)
    except PermissionError:
        os.chmod(name, stat.S_IRWXU, dir_fd=parent)
        return os.open(name, _FLAGS, dir_fd=parent)


def _moved(descriptor: int, name: str) -> int:
    """Return a descriptor of the directory `name` in `descriptor`, which is closed."""
    entered = _entered(name, descriptor)
    os.close(descriptor)
    return entered


def _without_files(descriptor: int) -> _Level:
    """Remove everything but directories from the directory `descriptor` and return what is left."""
    state = os.fstat(descriptor)
    if state.st_mode & stat.S_IRWXU != stat.S_IRWXU:
        os.fchmod(descriptor, stat.S_IRWXU)
    directories: list[str] = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                directories.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=descriptor)
    return _Level((state.st_dev, state.st_ino), directories)


def _remove_last(level: _Level, descriptor: int) -> None:
    state = os.fstat(descriptor)
    if (state.st_dev, state.st_ino) != level.identity:
        message = "a directory that is being removed was moved elsewhere"
        raise OSError(message)
    os.rmdir(level.directories.pop(), dir_fd=descriptor)
