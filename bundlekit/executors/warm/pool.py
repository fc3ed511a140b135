"""Lends warm processes to the threads that call: no more than so many at once, the longest unused ended first.

A process that is lent is never ended by anybody else, but by :meth:`WarmPool.close`. One that ends counts until nothing
of it is left, so the bound holds for what really runs.
"""

import atexit
import contextlib
import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from bundlekit.errors import InternalError, UsageError
from bundlekit.executors.warm.keeper import Keeper
from bundlekit.executors.warm.process import WarmProcess

__all__ = ["ProcessKey", "WarmLimits", "WarmPool"]


class WarmLimits(NamedTuple):
    """How many processes there may be, how many tasks one does, and how many seconds it may be kept for new ones."""

    max_processes: int = 128
    max_process_reuse: int = 1000
    process_ttl_s: float = 3600.0


class ProcessKey(NamedTuple):
    """What tasks must have in common to share a process: the bundle's full digest, and the variables they bring."""

    digest: str
    variables: tuple[tuple[str, str], ...]


class WarmPool:
    """Any number of threads may use it; a forked process may not."""

    def __init__(self, limits: WarmLimits, log: Callable[[str], None]) -> None:
        self._limits = limits
        self._log = log
        self._owner = os.getpid()
        self._changed = threading.Condition()
        self._keeper: Keeper | None = None
        # The longest unused comes first.
        self._idle: dict[WarmProcess, ProcessKey] = {}
        self._ending: set[WarmProcess] = set()
        self._living: set[WarmProcess] = set()
        self._lent = self._waiting = 0
        self._is_closed = False
        self._wakening = [*os.pipe()]
        for end in self._wakening:
            os.set_blocking(end, False)
        self._tender = threading.Thread(target=self._tend, name="bundlekit-warm-pool", daemon=True)
        self._tender.start()
        atexit.register(self.close)

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be lent any more."""
        return self._is_closed

    def counts(self) -> Mapping[str, int]:
        """Return how many processes are busy, idle and ending."""
        with self._changed:
            return {"busy": self._lent, "idle": len(self._idle), "ending": len(self._ending)}

    @contextmanager
    def lent(self, key: ProcessKey, request: Callable[[], Mapping[str, object]]) -> Iterator[WarmProcess]:
        """Yield a process for `key`, for the calling thread alone; `request` is what the keeper starts a new one from.

        Raises:
            RunnerError: none can be started.
            UsageError: the pool is closed, or another process's.
        """
        process = self._taken(key) or self._new(request)
        try:
            yield process
        finally:
            self._given_back(process, key)

    def close(self) -> None:
        """End all processes, those that are lent too; may be called more than once."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.close)
        with self._changed:
            self._stir()
            self._is_closed = True
            keeper = self._keeper
            self._changed.notify_all()
        if keeper is not None:
            keeper.close()
        self._tender.join()
        with self._changed:
            for process in (*self._idle, *self._ending):
                self._let_go(process)
            self._idle.clear()
            self._ending.clear()
            while self._wakening:
                os.close(self._wakening.pop())

    def _taken(self, key: ProcessKey) -> WarmProcess | None:
        """Return an idle process, or None when the caller may start one, for which there is a place now."""
        if os.getpid() != self._owner:
            # Before the lock is touched, which a thread of the other process may have held at the fork.
            message = "the executor belongs to another process, which this one was forked from"
            raise UsageError(message, hint="make one here")
        with self._changed:
            while True:
                self._check_open()
                for process in reversed(self._idle):
                    if self._idle[process] == key:
                        del self._idle[process]
                        self._lent += 1
                        return process
                if self._lent + len(self._idle) + len(self._ending) < self._limits.max_processes:
                    self._lent += 1
                    return None
                self._waiting += 1
                if self._idle and len(self._ending) < self._waiting:
                    self._retire(next(iter(self._idle)))
                try:
                    self._changed.wait()
                finally:
                    self._waiting -= 1

    def _check_open(self) -> None:
        if self._is_closed:
            raise UsageError("the executor is closed", hint="make a new one")

    def _new(self, request: Callable[[], Mapping[str, object]]) -> WarmProcess:
        try:
            process = self._started(request())
        except BaseException:
            with self._changed:
                self._lent -= 1
                self._changed.notify_all()
            raise
        with self._changed:
            self._living.add(process)
            self._stir()
        return process

    def _started(self, request: Mapping[str, object]) -> WarmProcess:
        keeper = self._living_keeper()
        try:
            return WarmProcess(keeper.start(request), keeper)
        except InternalError:
            # Whoever has the right to kill it can; what it had started is gone.
            keeper.close()
            keeper = self._living_keeper()
            return WarmProcess(keeper.start(request), keeper)

    def _living_keeper(self) -> Keeper:
        with self._changed:
            self._check_open()
            if self._keeper is not None and not self._keeper.is_alive:
                self._keeper.close()
                self._keeper = None
            if self._keeper is None:
                self._keeper = Keeper(self._log)
            return self._keeper

    def _given_back(self, process: WarmProcess, key: ProcessKey) -> None:
        with self._changed:
            self._lent -= 1
            if process.is_gone or self._is_closed:
                self._let_go(process)
            elif process.is_spent or self._is_used_up(process):
                self._retire(process)
            else:
                self._idle[process] = key
            self._changed.notify_all()

    def _let_go(self, process: WarmProcess) -> None:
        self._living.discard(process)
        process.close()

    def _is_used_up(self, process: WarmProcess) -> bool:
        is_old = time.monotonic() - process.started_s >= self._limits.process_ttl_s
        return is_old or process.tasks >= self._limits.max_process_reuse

    def _retire(self, process: WarmProcess) -> None:
        self._idle.pop(process, None)
        self._ending.add(process)
        process.retire()
        self._stir()

    def _stir(self) -> None:
        if not self._is_closed:
            with contextlib.suppress(BlockingIOError):
                os.write(self._wakening[1], b"\0")

    def _tend(self) -> None:
        """Retire idle processes whose time is over, and let go of those that have ended."""
        while True:
            with self._changed:
                if self._is_closed:
                    return
                for process in [each for each in self._idle if self._is_used_up(each)]:
                    self._retire(process)
                poll = select.poll()
                wake = self._wakening[0]
                poll.register(wake, select.POLLIN)
                for process in (*self._idle, *self._ending):
                    poll.register(process.life, select.POLLIN)
                wait_ms = self._until_next_is_old()
            told = {end for end, _ in poll.poll(wait_ms)}
            with contextlib.suppress(BlockingIOError):
                os.read(wake, 4096)
            with self._changed:
                self._bury(told)

    def _until_next_is_old(self) -> float | None:
        """Return the milliseconds until a process comes of age; those that are lent by then are seen to afterwards."""
        now = time.monotonic()
        lefts = [each.started_s + self._limits.process_ttl_s - now for each in self._living]
        return min((1000 * left + 1 for left in lefts if left > 0), default=None)

    def _bury(self, told: set[int]) -> None:
        # The number of a descriptor may be another process's by now.
        for process in [each for each in (*self._idle, *self._ending) if each.life in told and each.has_ended]:
            self._idle.pop(process, None)
            self._ending.discard(process)
            self._let_go(process)
        self._changed.notify_all()
