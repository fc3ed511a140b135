"""Members read and hashed, each checked to be the file that the walk saw and to stay so while it is read.

See: HOSTILE_CORPUS N14-N16, S13.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bundlekit.errors import FileAccessError
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import ManifestFile
from bundlekit.model.project import Member
from bundlekit.pack.in_order import in_order

__all__ = ["Progress", "hash_tree", "manifest_file", "member_pieces", "read_member"]

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all."""

_READ_BYTES = 1 << 20
_BATCH_BYTES = 8 << 20
_BATCH_MEMBERS = 64


def hash_tree(root: Path, members: Sequence[Member], *, progress: Progress | None = None) -> tuple[ManifestFile, ...]:
    """Return what the manifest says of each member, in their order.

    Raises:
        FileAccessError: a file cannot be read, or is not (or does not stay) what the walk saw.
    """
    base = os.fsencode(root)
    total = sum(member.size for member in members)
    files: list[ManifestFile] = []
    done = 0
    for batch in in_order((partial(_hash_batch, base, batch) for batch in _batches(members)), total_bytes=total):
        files += batch
        done += sum(file.size for file in batch)
        if progress is not None:
            progress(done, total)
    return tuple(files)


def manifest_file(member: Member, hexdigest: str) -> ManifestFile:
    """Return the manifest's line of a member whose SHA-256 is `hexdigest`."""
    return ManifestFile(
        member.path, member.size, "0755" if member.executable else "0644", Digest("sha256:" + hexdigest)
    )


def read_member(base: bytes, member: Member) -> bytearray:
    """Return the whole content of a small member of the directory `base`.

    Raises:
        FileAccessError: see :func:`hash_tree`.
    """
    data = bytearray(member.size)
    with _opened(base, member) as descriptor:
        _fill(descriptor, memoryview(data), member)
    return data


def member_pieces(base: bytes, member: Member, piece_bytes: int) -> Iterator[bytearray]:
    """Yield the content of a member in buffers of `piece_bytes`, a new one each, the last one shorter.

    Raises:
        FileAccessError: see :func:`hash_tree`.
    """
    with _opened(base, member) as descriptor:
        left = member.size
        while left:
            buffer = bytearray(min(piece_bytes, left))
            _fill(descriptor, memoryview(buffer), member)
            left -= len(buffer)
            yield buffer


def _batches(members: Sequence[Member]) -> Iterator[tuple[Member, ...]]:
    start = size = 0
    for index, member in enumerate(members):
        size += member.size
        if size >= _BATCH_BYTES or index - start + 1 >= _BATCH_MEMBERS:
            yield tuple(members[start : index + 1])
            start, size = index + 1, 0
    if start < len(members):
        yield tuple(members[start:])


def _hash_batch(base: bytes, members: Sequence[Member]) -> list[ManifestFile]:
    return [manifest_file(member, _hash_member(base, member)) for member in members]


def _hash_member(base: bytes, member: Member) -> str:
    if member.size <= _READ_BYTES:
        return hashlib.sha256(read_member(base, member)).hexdigest()
    hasher = hashlib.sha256()
    buffer = memoryview(bytearray(_READ_BYTES))
    with _opened(base, member) as descriptor:
        left = member.size
        while left:
            part = buffer[: min(_READ_BYTES, left)]
            _fill(descriptor, part, member)
            hasher.update(part)
            left -= len(part)
    return hasher.hexdigest()


def _fill(descriptor: int, buffer: memoryview, member: Member) -> None:
    done = 0
    while done < len(buffer):
        count = os.readv(descriptor, [buffer[done:]])
        if not count:
            raise _changed(member)
        done += count


@contextmanager
def _opened(base: bytes, member: Member) -> Iterator[int]:
    """Give a descriptor of the member's file, and check before and after that it is the file that was promised.

    O_NONBLOCK and O_NOFOLLOW: a FIFO or a link that took its place since the walk must neither block nor be followed.
    """
    try:
        descriptor = os.open(
            base + b"/" + (member.source or member.path).encode(),
            os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
        )
        try:
            before = os.fstat(descriptor)
            executable = bool(before.st_mode & stat.S_IXUSR)
            if not stat.S_ISREG(before.st_mode) or (before.st_size, executable) != (member.size, member.executable):
                raise _changed(member)
            yield descriptor
            after = os.fstat(descriptor)
            if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                raise _changed(member)
        finally:
            os.close(descriptor)
    except OSError as error:
        message = f"cannot read {member.path}: {error.strerror}"
        raise FileAccessError(message, subject=member.path) from error


def _changed(member: Member) -> FileAccessError:
    message = f"{member.path} changed while it was being read"
    return FileAccessError(message, subject=member.path, hint="run again when nothing writes into the bundle")
