"""Frames of a warm process's conversation: headers, an empty line, and as many bytes of JSON as Content-Length says.

Both ends use it. A line may end with LF or CRLF; headers other than Content-Length are passed over. What is read is
bounded before it is read. Runs in the child too, under the conditions of the module `main`.

See: JSON-RPC 2.0; CONTRACT section 8.
"""

import re

__all__ = [
    "AGGREGATION_FAILED",
    "ANSWER_FD",
    "EXECUTION_FAILED",
    "INTERNAL",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "MAX_FRAME_BYTES",
    "METHOD_NOT_FOUND",
    "PARSE_ERROR",
    "REQUEST_FD",
    "STATE_BYTES",
    "STATE_FD",
    "FrameLimitError",
    "Frames",
    "FramingError",
    "framed",
    "head",
]

ANSWER_FD, REQUEST_FD, STATE_FD = 4, 5, 6
"""Where a warm process has its pipes, and the file in which it notes what it does: a phase, and a request's number."""
STATE_BYTES = 9
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
EXECUTION_FAILED, AGGREGATION_FAILED = -32000, -32001
MAX_FRAME_BYTES = (4 << 30) // 3 + (1 << 24)
"""Results may have 1 GiB, which base64 makes a third more, and names besides."""

_MAX_HEAD_BYTES = 4096
_LENGTH = b"content-length"
_MAX_DIGITS = 20
_OWN_HEAD = re.compile(rb"Content-Length: ([0-9]{1,18})\r\n\r\n")


class FramingError(Exception):
    """What came is no frame; the message says what it is instead."""


class FrameLimitError(FramingError):
    """A frame says that it is longer than MAX_FRAME_BYTES."""


def framed(body: bytes) -> bytes:
    """Return `body` as one frame."""
    return head(len(body)) + body


def head(length: int) -> bytes:
    """Return what comes before a body of `length` bytes."""
    return b"Content-Length: %d\r\n\r\n" % length


class Frames:
    """Takes bytes as they come and gives bodies; holds no more than has come."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._start = 0
        self._end = -1

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come that was not given."""
        return not self._buffer

    @property
    def lacking(self) -> int:
        """How many bytes of the next body have not come, as far as is known."""
        return max(0, self._end - len(self._buffer))

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._buffer += data

    def take(self) -> bytes | None:
        """Return the next body, or None when more must come first.

        Raises:
            FramingError: what came is no frame.
        """
        if not self._buffer or (self._end < 0 and not self._has_head()):
            return None
        if len(self._buffer) < self._end:
            return None
        with memoryview(self._buffer) as view:
            body = bytes(view[self._start : self._end])
        del self._buffer[: self._end]
        self._end = -1
        return body

    def _has_head(self) -> bool:
        if (own := _OWN_HEAD.match(self._buffer)) is not None:
            self._start, length = own.end(), int(own[1])
        else:
            length = self._strange_head()
        if length < 0:
            return False
        if length > MAX_FRAME_BYTES:
            raise FrameLimitError(f"expected a frame of at most {MAX_FRAME_BYTES} bytes, found one of {length}")
        self._end = self._start + length
        return True

    def _strange_head(self) -> int:
        """Return the length in a head that is not as ours are, -1 when more of it must come first."""
        head = self._buffer[:_MAX_HEAD_BYTES]
        ends = [(head.find(mark), len(mark)) for mark in (b"\r\n\r\n", b"\n\n")]
        found = [(at, at + size) for at, size in ends if at >= 0]
        if not found:
            if len(head) == _MAX_HEAD_BYTES:
                raise FramingError(f"expected headers of less than {_MAX_HEAD_BYTES} bytes, found more")
            _check_beginning(head)
            return -1
        at, self._start = min(found)
        return _length(bytes(head[:at]))


def _check_beginning(head: bytearray) -> None:
    """Refuse what can become no header, however much more comes: who waits for the rest of it waits in vain."""
    line, newline, _ = head.partition(b"\n")
    if not all(32 <= byte < 127 or byte in b"\t\r" for byte in line) or (newline and b":" not in line):  # noqa: PLR2004 - printable ASCII
        raise FramingError(f"expected a header, found {bytes(line[:80])!r}")


def _length(head: bytes) -> int:
    found = [value.strip() for name, colon, value in map(_parted, head.split(b"\n")) if name.strip().lower() == _LENGTH]
    if len(found) != 1 or not found[0].isdigit() or len(found[0]) > _MAX_DIGITS:
        raise FramingError(f"expected one Content-Length of 0 or more, found {bytes(head[:200])!r}")
    return int(found[0])


def _parted(line: bytes) -> tuple[bytes, bytes, bytes]:
    parts = line.partition(b":")
    if not parts[1]:
        raise FramingError(f"expected a header, found {line[:80]!r}")
    return parts
