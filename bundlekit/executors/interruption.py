"""Ends a task that somebody else waits for: a thread cannot be stopped from outside, the processes of its task can.

The caller of an executor says that its call may be interrupted; the executor says how, while a process has the task.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Interruption", "interrupted_by"]


class Interruption:
    """Belongs to one call of an executor; `interrupt` may be called from any thread, before, during and after it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self.is_interrupted = False

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let the calls of executors that this thread makes meanwhile be interrupted."""
        before = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(before)

    def interrupt(self) -> None:
        """End the processes of the task, those that it is given from now on included."""
        # With the lock, nobody can have been lent the process meanwhile.
        with self._lock:
            self.is_interrupted = True
            if self._end is not None:
                self._end()

    @contextmanager
    def reaching(self, end: Callable[[], None]) -> Iterator[None]:
        """Have `end` called by an interruption of what goes on meanwhile."""
        with self._lock:
            self._end = end
            if self.is_interrupted:
                end()
        try:
            yield
        finally:
            with self._lock:
                self._end = None


_CURRENT: ContextVar[Interruption | None] = ContextVar("interruption", default=None)


@contextmanager
def interrupted_by(end: Callable[[], None]) -> Iterator[None]:
    """Have `end` called when the call that this thread is in is interrupted while the body runs."""
    current = _CURRENT.get()
    if current is None:
        yield
        return
    with current.reaching(end):
        yield
