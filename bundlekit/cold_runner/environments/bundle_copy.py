"""The private copy of a bundle: exactly the files that were listed, each with the bytes that were listed.

What is run and built is this copy, so nothing is ever written into the user's directory, and a file that changes
meanwhile is noticed rather than run.
"""

import hashlib
import os
import stat
from collections.abc import Sequence
from typing import NamedTuple

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .tree_digest import ListedFile

__all__ = ["ListedBundle", "copy_bundle", "read_listed"]

_CHUNK = 1 << 20


class ListedBundle(NamedTuple):
    """A directory and the files in it that are the bundle."""

    root: str
    files: Sequence[ListedFile]


def copy_bundle(bundle: ListedBundle, destination: str) -> None:
    """Copy the files of `bundle` into the new directory `destination`, verifying sizes and digests on the way.

    Raises:
        RunnerError: E_SOURCE when a file is not as listed.
        OSError: the copy cannot be written.
    """
    os.mkdir(destination, 0o755)
    made = {""}
    for file in bundle.files:
        source = _open_source(bundle.root, file[0])
        try:
            folder = file[0].rpartition("/")[0]
            if folder not in made:
                os.makedirs(os.path.join(destination, folder), exist_ok=True)
                made.add(folder)
            _copy_file(source, file, os.path.join(destination, file[0]))
        finally:
            os.close(source)


def read_listed(root: str, file: ListedFile) -> bytes:
    """Return the content of one listed file, verified.

    Raises:
        RunnerError: E_SOURCE when it is not as listed.
    """
    source = _open_source(root, file[0])
    content = bytearray()
    try:
        while len(content) <= file[2] and (chunk := os.read(source, _CHUNK)):
            content += chunk
    finally:
        os.close(source)
    if len(content) != file[2] or f"sha256:{hashlib.sha256(content).hexdigest()}" != file[3]:
        raise _changed(file[0])
    return bytes(content)


def _copy_file(source: int, file: ListedFile, destination: str) -> None:
    path, mode, size, digest = file
    found, copied = hashlib.sha256(), 0
    target = os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        while copied <= size and (chunk := os.read(source, _CHUNK)):
            found.update(chunk)
            copied += len(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(target, view) :]
        os.fchmod(target, 0o755 if mode == "0755" else 0o644)
    finally:
        os.close(target)
    if copied != size or f"sha256:{found.hexdigest()}" != digest:
        raise _changed(path)


def _open_source(root: str, path: str) -> int:
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or "" in parts:
        message = f"expected a path inside the bundle, found {path!r:.200}"
        raise RunnerError(ErrorCode.SOURCE, Phase.ENVIRONMENT, message)
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(_without_link(root, path), flags)
    except OSError as error:
        message = f"{path} of the bundle cannot be read: {error.strerror or error}; was it changed after it was listed?"
        raise RunnerError(ErrorCode.SOURCE, Phase.ENVIRONMENT, message) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _changed(path)
    return descriptor


def _without_link(root: str, path: str) -> str:
    """Return where the file's bytes lie: a link is followed inside the bundle, to what the listing says of them."""
    place = os.path.join(root, path)
    if os.path.islink(place):
        top, real = os.path.realpath(root), os.path.realpath(place)
        return real if os.path.commonpath((top, real)) == top else place
    return place


def _changed(path: str) -> RunnerError:
    message = (
        f"{path} of the bundle changed after it was listed: its size or digest is another now; run the command again"
    )
    return RunnerError(ErrorCode.SOURCE, Phase.ENVIRONMENT, message)
