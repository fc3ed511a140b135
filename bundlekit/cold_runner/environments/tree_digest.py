"""The inventory of a bundle directory, and the digest of it for runs that nobody gave a manifest.

See: DESIGN decision 5, last paragraph.
"""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence

from ..codes import ErrorCode, Phase
from ..exclusions import excluded_by_default, is_virtual_environment
from ..runner_error import RunnerError

__all__ = ["ListedFile", "inventory", "inventory_digest", "tree_digest"]

ListedFile = tuple[str, str, int, str]
"""Path from the root in POSIX form, mode ``0644`` or ``0755``, size in bytes, ``sha256:..``."""

_CHUNK = 1 << 20


def tree_digest(root: str, log: Callable[[str], None]) -> str:
    """Return the digest of all regular files below `root` outside the default exclusions."""
    return inventory_digest(inventory(root, log))


def inventory_digest(files: Sequence[ListedFile]) -> str:
    """Return the digest of the canonical list of `files`, whatever their order."""
    listed = sorted((list(file) for file in files), key=lambda file: os.fsencode(str(file[0])))
    canonical = json.dumps(listed, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()


def inventory(root: str, log: Callable[[str], None]) -> tuple[ListedFile, ...]:
    """Return what the directory `root` holds; links and special files are left out with a line on the log.

    Raises:
        RunnerError: E_SOURCE when `root` is no directory, E_IO when something in it cannot be read.
    """
    if not os.path.isdir(root):
        message = f"expected a bundle directory, found {'another kind of file' if os.path.lexists(root) else 'nothing'}"
        raise RunnerError(ErrorCode.SOURCE, Phase.ENVIRONMENT, f"{message}: {root}")
    try:
        return tuple(_file(root, path) for path in sorted(_walk(root, "", log), key=os.fsencode))
    except OSError as error:
        message = f"the bundle cannot be read: {error.filename or root}: {error.strerror or error}"
        raise RunnerError(ErrorCode.IO, Phase.ENVIRONMENT, message) from error


def _walk(root: str, folder: str, log: Callable[[str], None]) -> Iterator[str]:
    with os.scandir(os.path.join(root, folder)) as entries:
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            is_directory = entry.is_dir(follow_symlinks=False)
            if excluded_by_default(path, is_directory=is_directory):
                continue
            if is_directory and is_virtual_environment(os.path.join(root, path)):
                continue
            if is_directory:
                yield from _walk(root, path, log)
            elif entry.is_file(follow_symlinks=False):
                yield path
            else:
                kind = "link" if entry.is_symlink() else "special file"
                log(f"Leaving out the {kind} {path!r}: only regular files are part of a bundle")


def _file(root: str, path: str) -> ListedFile:
    descriptor = os.open(os.path.join(root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    digest = hashlib.sha256()
    size = 0
    try:
        mode = "0755" if os.fstat(descriptor).st_mode & stat.S_IXUSR else "0644"
        while chunk := os.read(descriptor, _CHUNK):
            digest.update(chunk)
            size += len(chunk)
    finally:
        os.close(descriptor)
    return path, mode, size, f"sha256:{digest.hexdigest()}"
