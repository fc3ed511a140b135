"""Where the tasks of a grid run: the one port, and the crew of this machine.

A cluster takes its place by giving futures that behave as those of :mod:`concurrent.futures`.
"""

import platform
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.errors import InternalError
from bundlekit.model.grid import GridTask
from bundlekit.model.outcome import Failure, Prepared, TaskRun

__all__ = ["Crew", "LocalCrew", "Pending", "Placed", "TaskPool"]


class Placed(NamedTuple):
    """How a task went, and on which host."""

    host: str
    run: TaskRun


class Pending(Protocol):
    """A task that was handed out."""

    def result(self) -> Placed:
        """Return how it went, or raise what kept it from running at all."""

    def cancelled(self) -> bool:
        """Whether it was taken back before it began."""

    def add_done_callback(self, fn: Callable[["Pending"], object], /) -> None:
        """Call `fn` with this, from any thread, when there is a result."""


class Crew(Protocol):
    """Runs tasks of one bundle, `size` at once. `executor` is the name of how it does so."""

    executor: str
    size: int

    def prepare(self) -> Prepared | Failure:
        """Make everything ready, so that no task's deadline pays for it."""

    def submit(self, task: GridTask, timeout_s: float) -> Pending:
        """Hand a task out; it need not begin at once."""

    def abandon(self) -> None:
        """Take back what has not begun and end what runs; every pending task is done or cancelled soon after."""


class TaskPool(Protocol):
    """What a crew on this machine runs tasks with, from several threads; ColdPool is one."""

    def prepare(self) -> Prepared | Failure:
        """See Crew."""

    def simulate(self, task: Mapping[str, object], timeout_s: float) -> TaskRun:
        """Run one task to its end; InternalError when whoever ran it has died."""

    def abandon(self) -> None:
        """End what runs."""


class LocalCrew:
    """Runs tasks from threads, which wait while the processes of `pool` work; use it as a context manager."""

    def __init__(self, pool: TaskPool, executor: str, size: int) -> None:
        self.executor = executor
        self.size = size
        self._pool = pool
        self._host = platform.node()
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="bundlekit-grid")

    def __enter__(self) -> Self:
        """Return the crew itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the threads; when something went wrong, what runs is not waited for."""
        if kind is not None:
            self._pool.abandon()
        self._threads.shutdown(cancel_futures=True)

    def prepare(self) -> Prepared | Failure:
        """See Crew."""
        return self._pool.prepare()

    def submit(self, task: GridTask, timeout_s: float) -> Pending:
        """See Crew."""
        return self._threads.submit(self._placed, task, timeout_s)

    def abandon(self) -> None:
        """See Crew."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.abandon()

    def _placed(self, task: GridTask, timeout_s: float) -> Placed:
        try:
            run = self._pool.simulate(task.document, timeout_s)
        except InternalError as error:
            # Another process ran it and was killed: the task may have done that, or the machine.
            failure = Failure(ErrorCode.KILLED, Phase.CALL, None, error.message, None, retryable=True, stderr_tail="")
            run = TaskRun(failure, None, 0.0, (), "none")
        return Placed(self._host, run)
