"""A verified directory from an archive: written in private, checked against the manifest, published by one rename.

Until then nothing of the archive can be seen at the destination; after it, all of it is there and on disk.

See: DESIGN decision 2; HOSTILE_CORPUS A39, A40; DEFECTS 17, 18.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bundlekit.errors import DigestMismatchError, FileAccessError, UsageError
from bundlekit.model.manifest import Manifest, ManifestFile
from bundlekit.pack.archive_reader import ArchiveContent, read_archive
from bundlekit.pack.disk import Disk
from bundlekit.pack.hashing import Progress
from bundlekit.pack.unfinished import unfinished_directory

__all__ = ["unpack_archive"]

_DIRECTORY_MODE = 0o755
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def unpack_archive(path: Path, destination: Path, *, progress: Progress | None = None) -> ArchiveContent:
    """Write the files of the archive at `path` as the directory `destination`, and return its manifest and digest.

    Modes are those of the manifest whatever the umask; owner and times are the caller's and now. The manifest itself is
    not written.

    Raises:
        UsageError: `destination` exists and is not an empty directory, or its parent is none.
        FileAccessError: no space, no permission.
        As :func:`bundlekit.pack.archive_reader.read_archive`.
    """
    destination = destination.absolute()
    try:
        _check_destination(destination)
        with unfinished_directory(destination.parent) as staging:
            tree = staging / "tree"
            sink = _Writer(tree)
            try:
                content = read_archive(path, sink, progress=progress)
            finally:
                sink.close()
            sink.disk.finish()
            _check_inventory(tree, content.manifest)
            _sync_directories(tree, content.manifest)
            tree.rename(destination)
            _sync_directory(destination.parent)
    except OSError as error:
        message = f"cannot write {destination}: {error.strerror}"
        raise FileAccessError(message, subject=str(destination)) from error
    return content


def _check_destination(destination: Path) -> None:
    if destination.is_symlink() or (destination.exists() and not destination.is_dir()):
        message = f"{destination} exists and is not a directory"
        raise UsageError(message, subject=str(destination), hint="name a directory that does not exist yet")
    if destination.is_dir() and any(destination.iterdir()):
        message = f"{destination} is not empty, and unpacking merges into nothing"
        raise UsageError(message, subject=str(destination), hint="name a directory that does not exist yet")
    if not destination.parent.is_dir():
        message = f"{destination.parent}, where {destination.name} should be, is not a directory"
        raise UsageError(message, subject=str(destination.parent), hint="create it first")


class _Writer:
    """The sink that writes: one file at a time, each directory entered by a descriptor, nothing ever followed."""

    def __init__(self, tree: Path) -> None:
        tree.mkdir(mode=_DIRECTORY_MODE)
        # Where the umask takes bits away, they are put back: a digest covers the modes.
        self._fix_modes = stat.S_IMODE(tree.stat().st_mode) != _DIRECTORY_MODE
        if self._fix_modes:
            tree.chmod(_DIRECTORY_MODE)
        self._names: list[str] = []
        self._directories = [os.open(tree, _OPEN_DIRECTORY)]
        self._file = -1
        self.disk = Disk()

    def begin(self, file: ManifestFile) -> None:
        """Create the file of a member, and the directories that it is the first in."""
        directory, _, name = file.path.rpartition("/")
        self._enter(directory.split("/") if directory else [])
        mode = int(file.mode, 8)
        self._file = os.open(name, _NEW_FILE, mode, dir_fd=self._directories[-1])
        if self._fix_modes:
            os.fchmod(self._file, mode)

    def write(self, data: memoryview) -> None:
        """Write all of `data`."""
        while data:
            data = data[os.write(self._file, data) :]

    def end(self) -> None:
        """Have the file brought to the disk and closed."""
        descriptor, self._file = self._file, -1
        self.disk.take(descriptor)

    def close(self) -> None:
        """Close whatever is open, also after a failure in the middle."""
        if self._file >= 0:
            os.close(self._file)
        self.disk.close()
        self._names.clear()
        while self._directories:
            os.close(self._directories.pop())

    def _enter(self, names: list[str]) -> None:
        """Go to a directory from the one before, by the part of the way that they share."""
        shared = 0
        while shared < min(len(names), len(self._names)) and names[shared] == self._names[shared]:
            shared += 1
        while len(self._names) > shared:
            self._names.pop()
            os.close(self._directories.pop())
        for name in names[shared:]:
            here = self._directories[-1]
            # All members below a directory follow each other, so it is entered, and made, only once.
            os.mkdir(name, _DIRECTORY_MODE, dir_fd=here)
            descriptor = os.open(name, _OPEN_DIRECTORY, dir_fd=here)
            self._directories.append(descriptor)
            self._names.append(name)
            if self._fix_modes:
                os.fchmod(descriptor, _DIRECTORY_MODE)


def _check_inventory(tree: Path, manifest: Manifest) -> None:
    """Check that the disk holds just the files of the manifest, each with its size and mode."""
    promised = {file.path: (file.size, int(file.mode, 8)) for file in manifest.files}
    for path, status in _found(os.fsencode(tree), ""):
        if promised.pop(path, None) != (status.st_size, stat.S_IMODE(status.st_mode)):
            message = f"{path!a} was not written as the manifest lists it"
            raise DigestMismatchError(message, subject=path)
    for path in promised:
        message = f"{path!a} is in the manifest and was not written"
        raise DigestMismatchError(message, subject=path)


def _found(here: bytes, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(here) as entries:
        for entry in entries:
            path = prefix + entry.name.decode("utf-8", "surrogateescape")
            if entry.is_dir(follow_symlinks=False):
                yield from _found(entry.path, path + "/")
            else:
                yield path, entry.stat(follow_symlinks=False)


def _sync_directories(tree: Path, manifest: Manifest) -> None:
    """Bring the directories to the disk; the files are there."""
    base = os.fsencode(tree)
    directories = {b""}
    for file in manifest.files:
        parent = file.path.encode().rpartition(b"/")[0]
        while parent not in directories:
            directories.add(parent)
            parent = parent.rpartition(b"/")[0]
    for directory in directories:
        _sync_path(base + b"/" + directory, _OPEN_DIRECTORY)


def _sync_directory(directory: Path) -> None:
    _sync_path(os.fsencode(directory), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _sync_path(path: bytes, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
