"""What a registry answered, its body still to be read: bounded in time and size, and broken off where it breaks."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Self

from bundlekit.errors import LimitExceededError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

__all__ = ["ERROR_BYTES", "Answer", "Interrupted", "Patience", "reason_of"]

_CHUNK = 1 << 18
ERROR_BYTES = 1 << 16
"""So much is read of what a registry says about an error."""


class Patience(NamedTuple):
    """How long a registry is waited for, in seconds; below `slowest_bytes_s` in `window_s` it counts as stuck."""

    connect_s: float = 10.0
    read_s: float = 60.0
    tries: int = 6
    first_pause_s: float = 0.5
    longest_pause_s: float = 60.0
    slowest_bytes_s: int = 1000
    window_s: float = 60.0


class Interrupted(Exception):  # noqa: N818 - it is no error yet: whoever reads may go on from where it stopped
    """A transfer broke off: the reason, for people."""


class Answer:
    """An answer whose body is still to be read."""

    def __init__(self, response: "BaseHTTPResponse", patience: Patience) -> None:
        self._response = response
        self._patience = patience
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Read no more: the connection is used again only if there is little left to read."""
        left = self._response.length_remaining
        if left is not None and left <= ERROR_BYTES:
            with suppress(OSError):
                self._response.drain_conn()
        self._response.release_conn() if left == 0 else self._response.close()

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives.

        Raises:
            Interrupted: the connection broke, ended before its stated length, or crawls.
        """
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - an extra

        started = time.monotonic()
        received = 0
        try:
            while chunk := self._response.read1(_CHUNK):
                yield chunk
                received += len(chunk)
                passed = time.monotonic() - started
                if passed > self._patience.window_s and received < self._patience.slowest_bytes_s * passed:
                    msg = f"{received:,} bytes in {passed:.0f} s"
                    raise Interrupted(msg)
        except (HTTPError, OSError) as error:
            raise Interrupted(reason_of(error)) from error

    def body(self, limit: int, what: str) -> bytes:
        """Return the whole body.

        Raises:
            LimitExceededError: it is longer than `limit` bytes; no more than that was read.
            Interrupted: as :meth:`chunks`.
        """
        data = bytearray()
        for chunk in self.chunks():
            data += chunk
            if len(data) > limit:
                self._response.close()
                message = f"{what} has more than {limit:,} bytes"
                raise LimitExceededError(message, subject=limit)
        return bytes(data)


def reason_of(error: BaseException) -> str:
    """Return why a connection failed, in a few words without addresses."""
    # The last words of urllib3's messages are the reason; what comes before is an address, perhaps a signed one.
    return str(error).rpartition(": ")[2].strip("()' ")[:200] or type(error).__name__
