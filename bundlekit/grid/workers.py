"""Where the tasks of a grid run: the one port, and the crew of this machine.

A cluster takes its place by giving futures that behave as those of :mod:`concurrent.futures`.
"""

import platform
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Protocol, Self

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.errors import InternalError
from bundlekit.executors.answers import not_run
from bundlekit.executors.run_documents import replicates_of_runs
from bundlekit.model.finding import Obstacle
from bundlekit.model.grid import GridTask, Placed
from bundlekit.model.outcome import Failure, Prepared, TaskRun

__all__ = ["Crew", "LocalCrew", "Pending", "TaskPool", "obstacle_of"]


class Pending(Protocol):
    """A task that was handed out."""

    def result(self) -> Placed:
        """Return how it went, or raise what kept it from running at all."""

    def cancelled(self) -> bool:
        """Whether it was taken back before it began."""

    def add_done_callback(self, fn: Callable[["Pending"], object], /) -> None:
        """Call `fn` with this, from any thread, when there is a result."""


class Crew(Protocol):
    """Runs tasks of one bundle."""

    @property
    def executor(self) -> str:
        """The name of how it does so; a row has the name for its own task."""

    @property
    def size(self) -> int:
        """How many it runs at once, at least 1; a cluster may grow and shrink."""

    def prepare(self) -> Obstacle | None:
        """Make everything ready, so that no task's deadline pays for it; return what keeps all tasks from running."""

    def submit(self, tasks: Sequence[GridTask], *, for_targets: bool) -> Sequence[Pending]:
        """Hand tasks out; they need not begin at once. `for_targets` has their outputs kept for :meth:`aggregate`."""

    def aggregate(self, target: str, replicates: Sequence[Pending]) -> Pending:
        """Hand out a call of the function `target` on the outputs of tasks that have succeeded."""

    def abandon(self) -> None:
        """Take back what has not begun and end what runs; every pending task is done or cancelled soon after."""


class TaskPool(Protocol):
    """What a crew on this machine runs tasks with, from several threads; ColdPool is one."""

    def prepare(self) -> Prepared | Failure | None:
        """Make everything ready; None where there is nothing more to tell of it."""

    def simulate(self, task: Mapping[str, object], timeout_s: float) -> TaskRun:
        """Run one task to its end; InternalError when whoever ran it has died."""

    def aggregate(self, target: str, sim_returns: Sequence[Mapping[str, object]], timeout_s: float) -> TaskRun:
        """Run a target function to its end; InternalError as above."""

    def abandon(self) -> None:
        """End what runs."""


class LocalCrew:
    """Runs tasks from threads, which wait while the processes of `pool` work; use it as a context manager."""

    def __init__(self, pool: TaskPool, executor: str, size: int, timeout_s: float) -> None:
        self.executor = executor
        self.size = size
        self._pool = pool
        self._timeout_s = timeout_s
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

    def prepare(self) -> Obstacle | None:
        """See Crew."""
        prepared = self._pool.prepare()
        return None if prepared is None else obstacle_of(prepared)

    def submit(self, tasks: Sequence[GridTask], *, for_targets: bool) -> Sequence[Pending]:  # noqa: ARG002 - a result holds its outputs here
        """See Crew."""
        return [self._threads.submit(self._simulated, task) for task in tasks]

    def aggregate(self, target: str, replicates: Sequence[Pending]) -> Pending:
        """See Crew."""
        return self._threads.submit(self._aggregated, target, [each.result().run for each in replicates])

    def abandon(self) -> None:
        """See Crew."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.abandon()

    def _simulated(self, task: GridTask) -> Placed:
        return self._placed(lambda: self._pool.simulate(task.document, self._timeout_s))

    def _aggregated(self, target: str, runs: Sequence[TaskRun]) -> Placed:
        return self._placed(lambda: self._pool.aggregate(target, replicates_of_runs(runs), self._timeout_s))

    def _placed(self, work: Callable[[], TaskRun]) -> Placed:
        try:
            run = work()
        except InternalError as error:
            # Another process ran it and was killed: the task may have done that, or the machine.
            run = not_run(Failure(ErrorCode.KILLED, Phase.CALL, None, error.message, None, True, ""))  # noqa: FBT003 - retryable
        return Placed(self._host, self.executor, self._timeout_s, run)


def obstacle_of(prepared: Prepared | Failure) -> Obstacle | None:
    """Return what keeps all tasks of a bundle from running, if anything does."""
    if isinstance(prepared, Failure):
        return Obstacle(prepared.error_code, str(prepared))
    if prepared.wire is None:
        return Obstacle(ErrorCode.ENTRYPOINT, prepared.wire_error or "the bundle has no wire function")
    return None
