"""Requests to end, taken as messages while a grid runs: nothing is cut short in the middle of being written."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["told_of_endings"]

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def told_of_endings(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` for each signal that asks this process to end; what is ignored stays so (nohup, background jobs).

    Only the main thread can be told; in others nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = {number: signal.getsignal(number) for number in _ENDINGS}
    for number, handler in earlier.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: stop())
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
