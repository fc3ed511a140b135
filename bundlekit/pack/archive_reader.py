"""Our own reader of archives: one descriptor, one dialect, everything checked before anyone sees it.

The manifest comes first and says what must follow, so each tar header is compared with the one that the packer would
write, and the whole archive can hold nothing but the files of the manifest. Frames are decompressed on threads ahead of
the reader, hashes are computed on threads behind it; a frame's size is judged before it is decompressed.

See: DESIGN decision 2; HOSTILE_CORPUS A. No `tarfile`: its filters were bypassed on Pythons that we run on.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from bundlekit.errors import (
    ArchiveCorruptError,
    BundlekitError,
    DigestMismatchError,
    LimitExceededError,
    ManifestError,
)
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import Manifest, ManifestFile
from bundlekit.pack.archive_file import ArchiveFile, TarStream
from bundlekit.pack.hashing import Progress
from bundlekit.pack.in_order import in_order
from bundlekit.pack.limits import MAX_MANIFEST_BYTES
from bundlekit.pack.manifest_inventory import check_dependency_hash
from bundlekit.pack.manifest_json import parse_manifest
from bundlekit.pack.member_refusal import MAX_PAX_BYTES, Inventory, member_refusal
from bundlekit.pack.ustar import BLOCK, END, MANIFEST_PATH, header, header_of, octal, padding

__all__ = ["ArchiveContent", "MemberSink", "read_archive", "read_manifest"]

_CUT = "the archive is truncated: it ends"


class ArchiveContent(NamedTuple):
    """What an archive turned out to hold; `digest` is that of its manifest."""

    manifest: Manifest
    digest: Digest


class MemberSink(Protocol):
    """Takes the members of an archive, one after the other, in the manifest's order."""

    def begin(self, file: ManifestFile) -> None:
        """Prepare for the content of `file`."""
        ...

    def write(self, data: memoryview) -> None:
        """Take the next bytes of the file; they are not yet checked against its digest."""
        ...

    def end(self) -> None:
        """Finish the file."""
        ...


def read_manifest(path: Path) -> ArchiveContent:
    """Return the manifest of the archive at `path`, whose other members are not looked at.

    Raises:
        As :func:`read_archive`.
    """
    with _named(path), ArchiveFile(path) as archive:
        return _manifest(TarStream(in_order(archive.frame_jobs(), total_bytes=0)))


def read_archive(path: Path, sink: MemberSink | None = None, *, progress: Progress | None = None) -> ArchiveContent:
    """Check every byte of the archive at `path`, hand its members to `sink`, and return its manifest and digest.

    A sink gets content before all of it is checked, so it must keep it private until this returns.

    Raises:
        UsageError: `path` is no regular file.
        FileAccessError: it cannot be read.
        ArchiveCorruptError: damaged, truncated, followed by something, or not what bundlekit writes.
        ArchiveUnsafeError: a member that must not be unpacked: a link, a device, a path that leads elsewhere.
        ManifestError: no manifest at the start, or one that cannot be read.
        DigestMismatchError: the files are not those of the manifest.
        LimitExceededError: more than an archive may hold.
    """
    with _named(path), ArchiveFile(path) as archive:
        jobs = archive.frame_jobs()
        # The manifest by itself first: it tells how much work is coming, and whether any is worth starting.
        stream = TarStream(in_order(jobs, total_bytes=0))
        content = _manifest(stream)
        total = sum(file.size for file in content.manifest.files)
        stream.continue_with(in_order(jobs, total_bytes=total))
        done = 0
        for checked in in_order(_check_jobs(stream, content.manifest, sink), total_bytes=total, threads=1):
            done += checked
            if progress is not None:
                progress(done, total)
    return content


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let every refusal in here say which archive it speaks of."""
    try:
        yield
    except BundlekitError as error:
        if str(path) not in error.message:
            error.message = f"{path}: {error.message}"
            error.args = (error.message,)
        raise


def _manifest(stream: TarStream) -> ArchiveContent:
    data = _manifest_bytes(stream)
    return ArchiveContent(parse_manifest(data), Digest.of(data))


def _manifest_bytes(stream: TarStream) -> bytes:
    """Return the content of the archive's first member, which must be the manifest."""
    first = stream.read(BLOCK)
    if len(first) < BLOCK:
        message = f"{_CUT} in the manifest's tar header"
        raise ArchiveCorruptError(message)
    size = octal(first[124:136]) or 0
    if size > MAX_MANIFEST_BYTES:
        message = f"the manifest declares {size:,} bytes, more than {MAX_MANIFEST_BYTES:,}"
        raise LimitExceededError(message, subject=size)
    if first != header(MANIFEST_PATH, size, "0644"):
        refusal = member_refusal(first, Inventory({}, 0, None, {}))
        if not isinstance(refusal, DigestMismatchError) and first[: len(MANIFEST_PATH)] != MANIFEST_PATH.encode():
            raise refusal
        message = f"the archive does not start with its manifest ({MANIFEST_PATH}), as bundlekit writes it"
        raise ManifestError(message)
    # In one piece where it is in one chunk: a long manifest should not be in memory three times.
    whole = stream.whole(size)
    data = stream.read(size) if whole is None else bytes(whole)
    if len(data) < size or stream.read(len(padding(size))) != padding(size):
        message = f"{_CUT} in the manifest, or the manifest's padding is not empty"
        raise ArchiveCorruptError(message)
    return data


class _Check(NamedTuple):
    """The content of a file, whole and in memory, still to be hashed."""

    file: ManifestFile
    content: memoryview


def _check_jobs(stream: TarStream, manifest: Manifest, sink: MemberSink | None) -> Iterator[Callable[[], int]]:
    """Walk the members, and yield the hashing of what passes; each job returns how many bytes of content it was.

    The jobs are to be done in order, by one thread: a large file is hashed piece by piece. Small ones, whole in a
    chunk, go together.
    """
    reader = _MemberReader(stream, manifest, sink)
    batch: list[_Check] = []
    for index, file in enumerate(manifest.files):
        reader.begin(index, file)
        content = stream.whole(file.size)
        if content is None:
            yield from reader.pieces(file)
        else:
            reader.take(file, content)
            batch.append(_Check(file, content))
        reader.end_of(file)
        if stream.chunk_ended and batch:
            yield partial(_check_batch, tuple(batch))
            batch = []
    reader.end()
    yield partial(_check_batch, tuple(batch))


class _MemberReader:
    def __init__(self, stream: TarStream, manifest: Manifest, sink: MemberSink | None) -> None:
        self.stream = stream
        self.manifest = manifest
        self.sink = sink
        lock = manifest.dependencies.lock
        self.lock_path = None if lock is None else lock.path
        self.lock_content = b""

    def begin(self, index: int, file: ManifestFile) -> None:
        """Read the header of the next member, which must be that of `file`."""
        expected = header_of(file)
        found = self.stream.read(len(expected))
        if found != expected:
            raise self._refusal(found, index)
        if self.sink is not None:
            self.sink.begin(file)

    def take(self, file: ManifestFile, data: memoryview) -> None:
        """Hand on the next bytes of the content."""
        if self.sink is not None:
            self.sink.write(data)
        if file.path == self.lock_path:
            self.lock_content += data

    def pieces(self, file: ManifestFile) -> Iterator[Callable[[], int]]:
        """Hand on a content that spans chunks, and yield the hashing of each part."""
        hasher = hashlib.sha256()
        left = file.size
        while left:
            part = self.stream.part(left)
            if not part:
                message = f"{_CUT} {left:,} bytes before the end of {file.path!a}"
                raise ArchiveCorruptError(message, subject=file.path)
            self.take(file, part)
            left -= len(part)
            yield partial(_hash_piece, file, hasher, part, last=not left)

    def end_of(self, file: ManifestFile) -> None:
        """Read the padding."""
        if self.sink is not None:
            self.sink.end()
        expected = padding(file.size)
        if self.stream.read(len(expected)) != expected:
            message = f"the padding after {file.path!a} is truncated or not empty"
            raise ArchiveCorruptError(message, subject=file.path)

    def end(self) -> None:
        """Check that the two empty blocks follow and nothing after them, and what the lock says."""
        found = self.stream.read(len(END))
        if found != END:
            raise self._refusal(found, len(self.manifest.files))
        if self.stream.part(1):
            message = "there is more after the end of the archive's last member"
            raise ArchiveCorruptError(message)
        if self.lock_path is not None:
            check_dependency_hash(self.manifest, self.lock_content)

    def _refusal(self, found: bytes, index: int) -> Exception:
        """Return why `found` does not start the next member."""
        if len(found) < BLOCK:
            message = f"{_CUT} after {index} of {len(self.manifest.files)} files"
            return ArchiveCorruptError(message, subject=index)
        if found[156:157] == b"x":
            # The body of a pax header that is not ours, as far as it matters.
            found += self.stream.read(MAX_PAX_BYTES)
        files = self.manifest.files
        expected = files[index] if index < len(files) else None
        position = {file.path: place for place, file in enumerate(files)}
        return member_refusal(found, Inventory({file.path: file for file in files}, index, expected, position))


def _hash_piece(file: ManifestFile, hasher: "hashlib._Hash", piece: memoryview, *, last: bool) -> int:
    hasher.update(piece)
    if last:
        _check_digest(file, hasher.hexdigest())
    return len(piece)


def _check_batch(batch: tuple[_Check, ...]) -> int:
    """Check the digests of several files and return how many bytes they have."""
    for file, content in batch:
        _check_digest(file, hashlib.sha256(content).hexdigest())
    return sum(file.size for file, _ in batch)


def _check_digest(file: ManifestFile, hexdigest: str) -> None:
    if file.sha256 != "sha256:" + hexdigest:
        message = f"the content of {file.path!a} has the digest sha256:{hexdigest}, and the manifest says {file.sha256}"
        raise DigestMismatchError(message, subject=file.path)
