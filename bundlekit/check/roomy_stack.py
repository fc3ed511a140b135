"""Runs a function with a C stack that is large enough for Python's parser, whatever thread asks.

The parser descends up to 6,000 levels before it gives up, which takes less than 1 MB; threads may have less. And it
gives up earlier the deeper the caller itself is, where an import, being near the bottom of its stack, would not.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["has_room", "with_room"]

ResultT = TypeVar("ResultT")

_ROOM_BYTES = 16 * 1024 * 1024
_ENOUGH_BYTES = 2 * 1024 * 1024


def has_room() -> bool:
    """Whether threads of this program have stacks that are large enough, so that the running one surely has."""
    return not 0 < threading.stack_size() < _ENOUGH_BYTES


def with_room(work: Callable[[], ResultT]) -> ResultT:
    """Return what `work`, which must not raise, returns at the bottom of a large stack of its own."""
    results: list[ResultT] = []
    # Another thread that is started meanwhile gets the larger stack too, which does no harm.
    before = threading.stack_size(_ROOM_BYTES)
    try:
        thread = threading.Thread(target=lambda: results.append(work()), name="bundlekit-parser")
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    return results[0]
