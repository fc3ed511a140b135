"""What is kept of what a child said: both ends for the failure's document, and the whole, up to a limit, for its log.

Little is kept in memory. More goes into a file without a name, which is gone with this process whatever ends it: the
first half of the limit as it comes, then a ring that holds the last half.
"""

import codecs
import contextlib
import os
from collections.abc import Iterator

__all__ = ["MAX_LOG_BYTES", "KeptLog"]

MAX_LOG_BYTES = 16 << 20
_HALF = MAX_LOG_BYTES // 2
_MEMORY_BYTES = 1 << 16
_CHUNK = 1 << 20
_HEAD_BYTES, _TAIL_BYTES = 2048, 6144


class KeptLog:
    """Grows with :meth:`add`; `total` counts the bytes that came."""

    def __init__(self) -> None:
        self.total = 0
        self._memory = bytearray()
        self._head = b""
        self._tail = bytearray()
        self._file = -1
        self._is_lost = False

    def add(self, data: bytes) -> None:
        """Keep `data`, at the price of what is neither near the beginning nor near the end."""
        self._head += data[: _HEAD_BYTES - len(self._head)]
        self._tail += data[-_TAIL_BYTES - _HEAD_BYTES :]
        del self._tail[: -_TAIL_BYTES - _HEAD_BYTES]
        position, self.total = self.total, self.total + len(data)
        if self._file < 0 and self.total <= _MEMORY_BYTES:
            self._memory += data
        elif not self._is_lost:
            try:
                self._spill(position, data)
            except OSError:
                # A full disk takes the log, not the task.
                self._is_lost = True

    def tail(self) -> str:
        """Return the end of what the child said, with its beginning if something between them was left out."""
        left_out = self.total - _HEAD_BYTES - _TAIL_BYTES
        if left_out <= 0:
            rest = self.total - len(self._head)
            return (self._head + (self._tail[-rest:] if rest else b"")).decode("utf-8", "replace")
        gap = f"\n[... {left_out} bytes left out ...]\n".encode()
        return (self._head + gap + self._tail[-_TAIL_BYTES:]).decode("utf-8", "replace")

    def text(self) -> Iterator[str]:
        """Yield all that is kept, in pieces; bytes that are no UTF-8 are replaced."""
        if self._file < 0 or self._is_lost:
            yield self.tail() if self._is_lost else self._memory.decode("utf-8", "replace")
            return
        yield from _decoded(self._read(0, min(self.total, _HALF)))
        if self.total > MAX_LOG_BYTES:
            yield f"\n[... {self.total - MAX_LOG_BYTES} bytes left out ...]\n"
            seam = _HALF + (self.total - _HALF) % _HALF
            yield from _decoded([*self._read(seam, MAX_LOG_BYTES), *self._read(_HALF, seam)])
        elif self.total > _HALF:
            yield from _decoded(self._read(_HALF, self.total))

    def close(self) -> None:
        """Let go of the file; nothing is kept any more."""
        if self._file >= 0:
            os.close(self._file)
            self._file, self._is_lost = -1, True

    def _spill(self, position: int, data: bytes) -> None:
        if self._file < 0:
            self._file = _nameless()
            self._write(bytes(self._memory), 0)
            self._memory.clear()
        if position < _HALF:
            self._write(data[: _HALF - position], position)
        # What would be written over at once need not be written.
        ring = data[max(0, _HALF - position) :]
        start = self.total - len(ring[-_HALF:])
        ring = ring[-_HALF:]
        while ring:
            place = (start - _HALF) % _HALF
            piece = ring[: _HALF - place]
            self._write(piece, _HALF + place)
            start, ring = start + len(piece), ring[len(piece) :]

    def _write(self, data: bytes, position: int) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._file, view, position)
            view, position = view[written:], position + written

    def _read(self, start: int, end: int) -> Iterator[bytes]:
        while start < end and (data := os.pread(self._file, min(_CHUNK, end - start), start)):
            yield data
            start += len(data)


def _decoded(pieces: "Iterator[bytes] | list[bytes]") -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _nameless() -> int:
    parent = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - random, exclusive, unlinked
    path = os.path.join(parent, f"bundlekit-log-{os.urandom(16).hex()}")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with contextlib.suppress(OSError):
        os.unlink(path)
    return descriptor
