"""Files copied with their content on the disk: as reflinks where the file system shares extents, never as hard links.

A reflink is a copy for everybody who writes to either file; a hard link let a task that appended to its data change
what the store held (DEFECTS 24).

See: ioctl_ficlone(2).
"""

import errno
import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path

from bundlekit.errors import FileAccessError, UsageError

__all__ = ["copy_file", "copy_tree", "publish_copy", "sync_directory"]

_FICLONE = 0x40049409
"""_IOW(0x94, 9, int)"""

_NOT_HERE = frozenset({errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM})
"""No such file system, or not between these two."""


def copy_file(source: Path, destination: Path) -> None:
    """Write the new file `destination` with the content of `source`, and bring it to the disk.

    Raises:
        OSError: either cannot be read or written, or `destination` exists.
    """
    with source.open("rb") as read, destination.open("xb") as written:
        if not _cloned(read.fileno(), written.fileno()):
            shutil.copyfileobj(read, written, 1 << 20)
        written.flush()
        os.fsync(written.fileno())


def copy_tree(source: Path, destination: Path) -> None:
    """Write the new directory `destination` with copies of what `source` holds, regular files in directories.

    Raises:
        OSError: something cannot be read or written.
    """
    destination.mkdir(mode=0o755)
    for entry in source.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            copy_tree(entry, destination / entry.name)
        else:
            copy_file(entry, destination / entry.name)
            (destination / entry.name).chmod(entry.stat().st_mode & 0o777)
    sync_directory(destination)


def publish_copy(source: Path, destination: Path) -> None:
    """Put a copy of `source` at `destination`, whole or not at all; a file that is there is replaced.

    Raises:
        UsageError: `destination` is a directory, or its parent is none.
        FileAccessError: it cannot be written.
    """
    if destination.is_dir() or not destination.absolute().parent.is_dir():
        what = "is a directory" if destination.is_dir() else "is in no directory that exists"
        message = f"{destination} {what}, and an archive is a file"
        raise UsageError(message, subject=str(destination))
    staged = destination.with_name(f".bundlekit-{os.urandom(6).hex()}.pack")
    try:
        copy_file(source, staged)
        staged.replace(destination)
        sync_directory(destination.absolute().parent)
    except OSError as error:
        message = f"cannot write {destination}: {error.strerror}"
        raise FileAccessError(message, subject=str(destination)) from error
    finally:
        with suppress(OSError):
            staged.unlink()


def sync_directory(directory: Path) -> None:
    """Bring the names in `directory` to the disk.

    Raises:
        OSError: it cannot be opened or synced.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cloned(source: int, destination: int) -> bool:
    try:
        fcntl.ioctl(destination, _FICLONE, source)
    except OSError as error:
        if error.errno in _NOT_HERE:
            return False
        raise
    return True
