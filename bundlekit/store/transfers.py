"""Several transfers at once, and how much of them all is done."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bundlekit.pack.hashing import Progress

__all__ = ["Tally", "at_once"]

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_AT_ONCE = 4


class Tally:
    """Counts up to `total` bytes; `progress` hears each change."""

    def __init__(self, total: int, progress: Progress | None = None) -> None:
        self._total = total
        self._progress = progress
        self._lock = threading.Lock()
        self._done = 0

    def move(self, count: int) -> None:
        """Note that `count` more bytes are where they should be; fewer if it is negative."""
        with self._lock:
            self._done += count
            if self._progress is not None:
                self._progress(self._done, self._total)


def at_once(transfer: Callable[[ItemT], ResultT], items: Sequence[ItemT]) -> list[ResultT]:
    """Return the results of `transfer` for all `items`, a few of them at a time; after a failure no more are begun."""
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        return list(pool.map(transfer, items))
    finally:
        pool.shutdown(cancel_futures=True)
