"""The runner's log: what the child says is forwarded as it comes, and kept for the failure.

Nothing here waits for a reader that does not read: a host that has stopped draining our stderr must not be able to
stop the clock of a task.
"""

import contextlib
import os
import select
import time

from .kept_log import KeptLog

__all__ = ["StderrLog"]

_STDERR = 2
_CHUNK = 1 << 16
_SAFE_WRITE = 4096
"""poll(2) promises that a writable pipe takes PIPE_BUF bytes."""
_PENDING_LIMIT = 1 << 18
_PATIENCE_S = 1.0


class StderrLog:
    """Writes to descriptor 2: own lines whole, and a child's bytes as they are; `kept` is what stays of them."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._at_line_start = True
        self.kept = KeptLog()
        self._lost = False

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be read from the child until someone reads what is pending."""
        return len(self._pending) > _PENDING_LIMIT

    @property
    def has_pending(self) -> bool:
        """Whether bytes wait for descriptor 2 to become writable."""
        return bool(self._pending)

    def line(self, text: str) -> None:
        """Write one line of our own, at the start of a line."""
        start = "" if self._at_line_start else "\n"
        self._put(f"{start}{text}\n".encode("utf-8", "backslashreplace"))
        self.settle()

    def begin(self) -> None:
        """Forget what was kept of an earlier child."""
        self.kept.close()
        self.kept = KeptLog()

    def read(self, descriptor: int) -> bool:
        """Forward what a child wrote to the non-blocking `descriptor`; return False at its end."""
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return True
        self.kept.add(data)
        self._put(data)
        return bool(data)

    def pass_on(self, data: bytes) -> None:
        """Forward `data`, which is kept elsewhere."""
        self._put(data)

    def drain(self, descriptor: int) -> None:
        """Forward what is left in `descriptor`, whoever else may still hold its other end."""
        limit = time.monotonic() + _PATIENCE_S
        with contextlib.suppress(BlockingIOError):
            while time.monotonic() < limit:
                data = os.read(descriptor, _CHUNK)
                if not data:
                    break
                self.kept.add(data)
                self._put(data)
        self.settle()

    def forward(self) -> None:
        """Write as much of what is pending as can be written without waiting."""
        poll = select.poll()
        poll.register(_STDERR, select.POLLOUT)
        while self._pending and poll.poll(0):
            try:
                written = os.write(_STDERR, self._pending[:_SAFE_WRITE])
            except BlockingIOError:
                return
            except OSError:
                self._lost = True
                self._pending.clear()
                return
            del self._pending[:written]

    def settle(self) -> None:
        """Write all that is pending, giving a reader that is slow some time; drop the rest."""
        limit = time.monotonic() + _PATIENCE_S
        self.forward()
        while self._pending:
            remaining = limit - time.monotonic()
            if remaining <= 0:
                self._pending.clear()
                return
            poll = select.poll()
            poll.register(_STDERR, select.POLLOUT)
            poll.poll(remaining * 1000)
            self.forward()

    def tail(self) -> str:
        """Return the end of what the child said, with its beginning if something between them was left out."""
        return self.kept.tail()

    def _put(self, data: bytes) -> None:
        if data and not self._lost:
            self._at_line_start = data.endswith(b"\n")
            self._pending += data
            self.forward()
