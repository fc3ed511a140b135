"""Files brought to the disk behind the back of their writer, who would otherwise wait for each of them."""

import os
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["Disk"]

_INLINE_FILES = 32
"""So few files are synced before a thread pool is imported."""

_OPEN_FILES = 64
"""Descriptors that wait at most: a process may have a thousand or so."""


class Disk:
    """Takes descriptors of written files, syncs and closes them; two at a time once there are many."""

    def __init__(self) -> None:
        self._taken = 0
        self._pool: ThreadPoolExecutor | None = None
        self._pending: deque[Future[None]] = deque()

    def take(self, descriptor: int) -> None:
        """Sync and close `descriptor`, now or soon.

        Raises:
            OSError: it, or one taken before, cannot be synced.
        """
        self._taken += 1
        if self._taken <= _INLINE_FILES:
            _sync(descriptor)
            return
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - see _INLINE_FILES

            self._pool = ThreadPoolExecutor(max_workers=2)
        self._pending.append(self._pool.submit(_sync, descriptor))
        if len(self._pending) > _OPEN_FILES:
            self._pending.popleft().result()

    def finish(self) -> None:
        """Wait until all that was taken is on the disk.

        Raises:
            OSError: something cannot be synced.
        """
        while self._pending:
            self._pending.popleft().result()

    def close(self) -> None:
        """Wait until all descriptors are closed, also after a failure."""
        if self._pool is not None:
            self._pool.shutdown()


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
