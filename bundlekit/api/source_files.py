"""The files of a bundle that a fix may change: read and written by descriptors, so that no link is ever followed.

A file is replaced wholly or not at all and keeps its mode, owner and access list; one that is no longer what was read
is left alone.
"""

import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from bundlekit.errors import FileAccessError
from bundlekit.read.document import MAX_DOCUMENT_BYTES

__all__ = ["SourceTexts", "read_texts", "write_text"]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LINKS = {errno.ELOOP, errno.ENOTDIR, errno.EMLINK}


class SourceTexts(NamedTuple):
    """Files by path: the texts of those that are there, and why the others that are there may not be changed."""

    texts: Mapping[str, str]
    blocked: Mapping[str, str]


class _BlockedError(Exception):
    """The file may not be changed; the text says why."""


def read_texts(root: Path, paths: Iterable[str], job_spec: Path | None = None) -> SourceTexts:
    """Return what stands at `paths` of the bundle in `root`; line ends and a byte order mark are part of a text.

    `job_spec` is the one file that may lie elsewhere, since whoever named it meant it.
    """
    texts: dict[str, str] = {}
    blocked: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        try:
            data = _read(*_located(root, path, job_spec))
            if data is not None:
                texts[path] = data.decode("utf-8")
        except _BlockedError as error:
            blocked[path] = str(error)
        except UnicodeDecodeError:
            blocked[path] = "it is not UTF-8"
        except OSError as error:
            blocked[path] = f"it cannot be read: {error.strerror or error}"
    return SourceTexts(texts, blocked)


def write_text(root: Path, path: str, before: str | None, after: str, job_spec: Path | None = None) -> None:
    """Replace the file at `path` of the bundle in `root`, which must still read `before`; None: there is none.

    Raises:
        FileAccessError: the file is read-only, somebody else's, or has changed; what stands there still does.
    """
    base, inside = _located(root, path, job_spec)
    *parents, name = inside.split("/")
    try:
        with _entered(base, parents, create=before is None) as directory:
            if before is None:
                _create(directory, name, after)
            else:
                _replace(directory, name, before, after)
    except (_BlockedError, OSError) as error:
        reason = f"cannot write: {error.strerror or error}" if isinstance(error, OSError) else str(error)
        message = f"{path} is left as it is: {reason}"
        hint = "see to it and fix again: what was fixed before it stays so"
        raise FileAccessError(message, subject=path, hint=hint) from error


def _located(root: Path, path: str, job_spec: Path | None) -> tuple[Path, str]:
    """Return the directory from which no link is followed, and the path from there."""
    if job_spec is not None and path == Path(os.path.relpath(job_spec, root)).as_posix():
        return job_spec.parent, job_spec.name
    return root, path


def _read(root: Path, path: str) -> bytes | None:
    """Return the content of a file, None where there is none."""
    *parents, name = path.split("/")
    if path.startswith("/") or ".." in parents or name in {"", "..", "."} or "\0" in path:
        raise _BlockedError("it is outside of the bundle")
    try:
        with _entered(root, parents) as directory:
            return _content(directory, name)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _LINKS:
            raise _BlockedError("it is a symbolic link, or behind one") from error
        raise


@contextmanager
def _entered(root: Path, parts: list[str], *, create: bool = False) -> Iterator[int]:
    """Open the directory that `parts` lead to from `root`, made where it is missing with `create`."""
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=directory)
            inner = os.open(part, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = inner
        yield directory
    finally:
        os.close(directory)


def _content(directory: int, name: str) -> bytes:
    descriptor = os.open(name, _READ, dir_fd=directory)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _BlockedError("it is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(MAX_DOCUMENT_BYTES + 1)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise _BlockedError(f"it has more than {MAX_DOCUMENT_BYTES:,} bytes")
    return data


def _create(directory: int, name: str, text: str) -> None:
    descriptor = os.open(name, _NEW, 0o666, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
    except OSError:
        os.unlink(name, dir_fd=directory)
        raise


def _replace(directory: int, name: str, before: str, after: str) -> None:
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    # The superuser may write what others may not, and means no more by it than they do.
    if not status.st_mode & 0o222 or not os.access(name, os.W_OK, dir_fd=directory):
        raise _BlockedError("it is read-only")
    temporary = f".{name[:200]}.{os.urandom(6).hex()}.tmp"
    descriptor = os.open(temporary, _NEW, 0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.fstat(descriptor).st_gid):
                os.fchown(descriptor, status.st_uid, status.st_gid)
            _keep_attributes(directory, name, descriptor)
            os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
            file.write(after.encode())
            file.flush()
            os.fsync(descriptor)
        # As late as can be: what an editor saves between this and the next call is all that could be lost.
        if _content(directory, name) != before.encode():
            raise _BlockedError("it has changed since it was read")
        os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=directory)


def _keep_attributes(directory: int, name: str, descriptor: int) -> None:
    """Give a new file the extended attributes of the old one, access lists of a shared directory among them."""
    if sys.platform != "linux":
        return
    old = os.open(name, _READ, dir_fd=directory)
    try:
        # Some belong to the system alone; and not every file system has any.
        with suppress(OSError):
            for attribute in os.listxattr(old):
                with suppress(OSError):
                    os.setxattr(descriptor, attribute, os.getxattr(old, attribute))
    finally:
        os.close(old)
