"""What is written beside its destination until it is whole: held by a kernel lock, gone afterwards.

A killed process cannot remove what it wrote. Its lock ends with it, so the next one that writes to the same directory
takes away what no living process holds. Names are those that never ship (`bundlekit.read.tree`).
"""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bundlekit.read.tree import UNFINISHED

__all__ = ["unfinished_directory", "unfinished_file"]

_FILE, _DIRECTORY = ".pack", ".unpack"


@contextmanager
def unfinished_file(directory: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Give a new file in `directory`, and remove it at the end unless it was renamed.

    Raises:
        OSError: it cannot be made.
    """
    _remove_abandoned(directory)
    while True:
        path = _new_name(directory, _FILE)
        try:
            with path.open("xb") as file:
                if not _is_held(file.fileno(), path):
                    continue
                yield path, file
                return
        finally:
            with suppress(OSError):
                path.unlink()


@contextmanager
def unfinished_directory(directory: Path) -> Iterator[Path]:
    """Give a new directory in `directory` that only this user can enter, and remove it with all that is in it.

    Raises:
        OSError: it cannot be made.
    """
    _remove_abandoned(directory)
    while True:
        path = _new_name(directory, _DIRECTORY)
        path.mkdir(mode=0o700)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            # Another process has taken it for abandoned.
            continue
        try:
            if not _is_held(descriptor, path):
                continue
            yield path
            return
        finally:
            shutil.rmtree(path, ignore_errors=True)
            os.close(descriptor)


def _new_name(directory: Path, suffix: str) -> Path:
    return directory / f".bundlekit-{os.urandom(6).hex()}{suffix}"


def _is_held(descriptor: int, path: Path) -> bool:
    """Lock what was just made, and return whether it is still there: another process may have come in between."""
    # Where a file system knows no locks, nobody can hold one, and nothing is ever taken for abandoned.
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _remove_abandoned(directory: Path) -> None:
    """Remove what killed processes left in `directory`; what cannot be removed is no concern of now."""
    with suppress(OSError), os.scandir(directory) as entries:
        for name in [entry.name for entry in entries if UNFINISHED.fullmatch(entry.name)]:
            with suppress(OSError):
                _remove_if_abandoned(directory / name)


def _remove_if_abandoned(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    finally:
        os.close(descriptor)
