"""A project's members written as one archive: read once, hashed and compressed on both cores, published by rename.

The first frame is reserved: the manifest's length does not depend on the hashes in it, so it is written last.

See: DESIGN decision 2.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bundlekit.errors import DigestMismatchError, FileAccessError, UsageError
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import Manifest, ManifestFile
from bundlekit.model.project import Member, Project
from bundlekit.pack.hashing import Progress, manifest_file, member_pieces, read_member
from bundlekit.pack.in_order import in_order
from bundlekit.pack.limits import PIECE_BYTES, SMALL_GROUP_BYTES
from bundlekit.pack.manifest import manifest_of, unhashed_files
from bundlekit.pack.manifest_inventory import check_inventory
from bundlekit.pack.manifest_json import check_size, manifest_digest, manifest_json
from bundlekit.pack.unfinished import unfinished_file
from bundlekit.pack.ustar import END, MANIFEST_PATH, header, header_of, padding
from bundlekit.pack.zstd_frames import Frame, compress_frame, raw_frame, raw_frame_size, seek_table

__all__ = ["PackedArchive", "write_archive"]


class PackedArchive(NamedTuple):
    """What was written: the manifest, its digest, and the archive's size in bytes."""

    manifest: Manifest
    digest: Digest
    size: int


class _Piece(NamedTuple):
    """One frame's worth: its bytes compressed, how many they were, and the members that end in it."""

    compressed: bytes
    content_size: int
    files: tuple[ManifestFile, ...]


def write_archive(
    project: Project, destination: Path, *, expected: Digest | None = None, progress: Progress | None = None
) -> PackedArchive:
    """Write `project` to `destination`, which is replaced only by a complete archive, and return what it holds.

    `expected` is the digest that was proved beforehand; an archive with another one is not published.

    Raises:
        DigestMismatchError: the digest is not the expected one.
        PyprojectRefusedError, EntryPointRefusedError, NameRefusedError: see :func:`manifest_of`.
        LimitExceededError: the manifest would be longer than a reader accepts.
        FileAccessError: a member or the destination cannot be read or written, or a member changed meanwhile.
        UsageError: `destination` cannot be a file.
    """
    foreseen = _manifest_member(manifest_of(project, unhashed_files(project)))
    try:
        _check_destination(destination)
        with unfinished_file(destination.parent) as (temporary, file):
            manifest = _write(file, project, len(foreseen), progress)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
            # What was read may differ from what the project said (a lock that changed): never publish the two.
            check_inventory(manifest)
            digest = manifest_digest(manifest)
            _check_expected(expected, digest, project)
            temporary.replace(destination)
            _sync_directory(destination.parent)
    except OSError as error:
        message = f"cannot write {destination}: {error.strerror}"
        raise FileAccessError(message, subject=str(destination)) from error
    return PackedArchive(manifest, digest, size)


def _check_destination(destination: Path) -> None:
    if destination.is_dir():
        message = f"{destination} is a directory, and the archive is a file"
        raise UsageError(message, subject=str(destination))


def _check_expected(expected: Digest | None, digest: Digest, project: Project) -> None:
    if expected not in {None, digest}:
        message = f"{project.root} changed after it was proved: {expected} was proved, {digest} is there now"
        raise DigestMismatchError(message, subject=project.root, hint="pack again")


def _write(file: BinaryIO, project: Project, manifest_size: int, progress: Progress | None) -> Manifest:
    """Write everything and leave the file at its end; the manifest's frame is filled when the hashes are known."""
    total = sum(member.size for member in project.members)
    reserved = raw_frame_size(manifest_size)
    written = [Frame(0, reserved, manifest_size)]
    files: list[ManifestFile] = []
    done = 0
    file.seek(reserved)
    for piece in in_order(_jobs(os.fsencode(project.root), project.members), total_bytes=total):
        file.write(piece.compressed)
        written.append(Frame(0, len(piece.compressed), piece.content_size))
        files += piece.files
        done += piece.content_size
        if progress is not None:
            progress(min(done, total), total)
    file.write(seek_table(written))
    end = file.tell()
    manifest = manifest_of(project, files)
    file.seek(0)
    file.write(raw_frame(_manifest_member(manifest)))
    file.seek(end)
    return manifest


def _manifest_member(manifest: Manifest) -> bytes:
    """Return the manifest as the archive's first member, header and padding included."""
    data = manifest_json(manifest)
    check_size(data)
    return header(MANIFEST_PATH, len(data), "0644") + data + padding(len(data))


def _jobs(base: bytes, members: tuple[Member, ...]) -> Iterator[Callable[[], _Piece]]:
    """Yield what makes each frame. Where a frame ends depends on paths and sizes alone, never on time or threads."""
    group: list[Member] = []
    group_bytes = 0
    for member in members:
        large = member.size >= SMALL_GROUP_BYTES
        if group and (large or group_bytes >= SMALL_GROUP_BYTES):
            yield partial(_small_group, base, tuple(group))
            group, group_bytes = [], 0
        if large:
            yield from _large_member(base, member)
        else:
            group.append(member)
            group_bytes += member.size + len(END)
    if group:
        yield partial(_small_group, base, tuple(group))
    yield partial(_piece, END, ())


def _small_group(base: bytes, members: tuple[Member, ...]) -> _Piece:
    parts: list[bytes | bytearray] = []
    files = []
    for member in members:
        data = read_member(base, member)
        file = manifest_file(member, hashlib.sha256(data).hexdigest())
        files.append(file)
        parts += (header_of(file), data, padding(file.size))
    return _piece(b"".join(parts), tuple(files))


def _large_member(base: bytes, member: Member) -> Iterator[Callable[[], _Piece]]:
    """Read and hash here, in order, while the pieces before are compressed on the threads."""
    hasher = hashlib.sha256()
    left = member.size
    start = header_of(manifest_file(member, hasher.hexdigest()))
    for piece in member_pieces(base, member, PIECE_BYTES):
        hasher.update(piece)
        left -= len(piece)
        # In place: a copy of each piece would be as much memory again.
        piece[:0] = start
        start = b""
        piece.extend(padding(0 if left else member.size))
        yield partial(_piece, piece, () if left else (manifest_file(member, hasher.hexdigest()),))


def _piece(content: bytes | bytearray, files: tuple[ManifestFile, ...]) -> _Piece:
    return _Piece(compress_frame(content), len(content), files)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
