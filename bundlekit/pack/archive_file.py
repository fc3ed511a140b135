"""An archive's bytes: one descriptor, its frames decompressed in order, and the tar stream that they make.

A frame's size is judged before it is decompressed, so no archive can make the reader take more memory than for a few.
"""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import zstandard

from bundlekit.errors import ArchiveCorruptError, FileAccessError, LimitExceededError, UsageError
from bundlekit.pack.limits import MAX_FRAME_BYTES, MAX_MANIFEST_BYTES
from bundlekit.pack.ustar import BLOCK
from bundlekit.pack.zstd_frames import Frame, frames

__all__ = ["ArchiveFile", "TarStream"]


class _Tools(threading.local):
    """What a thread decompresses with, made once: a new buffer for each frame costs a fifth of reading an archive."""

    def __init__(self) -> None:
        self.decompressor = zstandard.ZstdDecompressor()
        self.buffer = bytearray()


class ArchiveFile:
    """An archive's one descriptor, and its content frame by frame."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tools = _Tools()
        try:
            # O_NONBLOCK: opening a FIFO must not wait for a writer.
            self.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            message = f"cannot open {path}: {error.strerror}"
            kind = UsageError if isinstance(error, FileNotFoundError) else FileAccessError
            raise kind(message, subject=str(path)) from error
        status = os.fstat(self.descriptor)
        self.size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            os.close(self.descriptor)
            message = f"{path} is not a regular file, and an archive is one"
            raise UsageError(message, subject=str(path))

    def __enter__(self) -> "ArchiveFile":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def read(self, count: int, offset: int) -> bytes:
        """Return `count` bytes at `offset`, fewer at the end of the file."""
        with self._reading():
            return os.pread(self.descriptor, count, offset)

    def frame_jobs(self) -> Iterator[Callable[[], bytes]]:
        """Yield for each frame, in order, what decompresses it; the jobs may run on any thread.

        Raises:
            LimitExceededError: a frame declares more content than any that bundlekit writes.
            ArchiveCorruptError: see :func:`bundlekit.pack.zstd_frames.frames`.
        """
        if self.size == 0:
            message = f"{self.path} is empty, and no archive"
            raise ArchiveCorruptError(message, subject=str(self.path))
        limit = MAX_MANIFEST_BYTES + 4 * BLOCK
        for frame in frames(self.read, self.size):
            if frame.content_size > limit:
                message = f"the frame at byte {frame.offset:,} declares {frame.content_size:,} bytes of content,"
                message += f" more than {limit:,}"
                raise LimitExceededError(message, subject=frame.content_size)
            yield partial(self._decompress, frame)
            limit = MAX_FRAME_BYTES

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"cannot read {self.path}: {error.strerror}"
            raise FileAccessError(message, subject=str(self.path)) from error

    def _compressed(self, frame: Frame) -> memoryview:
        """Return the bytes of a frame, fewer at the end of the file, until this thread asks for another one."""
        if len(self._tools.buffer) < frame.size:
            self._tools.buffer = bytearray(frame.size)
        buffer = memoryview(self._tools.buffer)[: frame.size]
        with self._reading():
            return buffer[: os.preadv(self.descriptor, [buffer], frame.offset)]

    def _decompress(self, frame: Frame) -> bytes:
        compressed = self._compressed(frame)
        try:
            # The result is allocated by the size that the frame declares, which was judged above.
            content = self._tools.decompressor.decompress(compressed, allow_extra_data=False)
        except zstandard.ZstdError as error:
            message = f"the frame at byte {frame.offset:,} of the archive is damaged: {error}"
            raise ArchiveCorruptError(message, subject=frame.offset) from error
        if not content:
            message = f"the frame at byte {frame.offset:,} of the archive is empty"
            raise ArchiveCorruptError(message, subject=frame.offset)
        return content


class TarStream:
    """The tar stream: chunks joined, read by exact counts."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._chunk = memoryview(b"")

    def continue_with(self, chunks: Iterator[bytes]) -> None:
        """Take `chunks` once the present one is used up."""
        self._chunks = chunks

    def part(self, limit: int) -> memoryview:
        """Return from 1 to `limit` bytes, without a copy; none at the end."""
        if not self._chunk:
            self._chunk = memoryview(next(self._chunks, b""))
        part = self._chunk[:limit]
        self._chunk = self._chunk[limit:]
        return part

    def read(self, count: int) -> bytes:
        """Return `count` bytes, fewer only at the end."""
        parts = bytearray()
        while len(parts) < count and (part := self.part(count - len(parts))):
            parts += part
        return bytes(parts)

    def whole(self, count: int) -> memoryview | None:
        """Return `count` bytes that lie in the present chunk, or None when they do not."""
        return self.part(count) if len(self._chunk) >= count else None

    @property
    def chunk_ended(self) -> bool:
        """Whether what comes next is in another chunk."""
        return not self._chunk
