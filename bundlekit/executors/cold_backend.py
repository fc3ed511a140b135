"""Cold as a backend: every task in a process of its own, whatever bundle it is of, from any number of threads."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import InternalError, UsageError
from bundlekit.executors.answers import failure_of, not_run
from bundlekit.executors.backend import BundleToRun
from bundlekit.executors.cold import ColdExecutor, ColdOptions
from bundlekit.executors.interruption import interrupted_by
from bundlekit.model.outcome import Failure, TaskRun

__all__ = ["ColdBackend"]

_MOST_IDLE = 4
"""Supervisors that wait for the next task: each holds its bundle prepared, and none costs what starting one does."""


class _Ready(NamedTuple):
    """A supervisor that has its bundle prepared."""

    bundle: BundleToRun
    executor: ColdExecutor


class ColdBackend:
    """As many supervisors as there are callers at once; those that are idle are kept, the least recently used least.

    `options` hold for all bundles, with what each bundle's own settings say of it.
    """

    def __init__(self, options: ColdOptions, log: Callable[[str], None]) -> None:
        self._options = options
        self._log = log
        self._state = threading.Lock()
        self._idle: list[_Ready] = []
        self._working: set[ColdExecutor] = set()
        self._none_busy = threading.Condition(self._state)
        self._is_closed = False

    def simulate(self, bundle: BundleToRun, task: Mapping[str, object], timeout_s: float) -> TaskRun:
        """Run the wire function once; the deadline is the task's alone, the environment is made ready before.

        Raises:
            UsageError: the backend is closed.
        """
        return self._run(bundle, lambda executor: executor.simulate(task, timeout_s))

    def aggregate(
        self,
        bundle: BundleToRun,
        target: str,
        sim_returns: Sequence[Mapping[str, object]],
        target_data: object,
        timeout_s: float,
    ) -> TaskRun:
        """Run the target function once.

        Raises:
            UsageError: as :meth:`simulate`.
        """
        return self._run(
            bundle, lambda executor: executor.aggregate(target, sim_returns, timeout_s, target_data=target_data)
        )

    def health(self) -> Mapping[str, object]:
        """Return how many supervisors there are, and how many of them run a task."""
        with self._state:
            return {"supervisors": len(self._idle) + len(self._working), "busy": len(self._working)}

    def close(self) -> None:
        """End all supervisors; tasks that still run are interrupted, each of which is told. May be called again."""
        with self._none_busy:
            self._is_closed = True
            idle, self._idle = self._idle, []
            for executor in self._working:
                executor.interrupt()
            for each in idle:
                each.executor.close()
            self._none_busy.wait_for(lambda: not self._working)

    def _run(self, bundle: BundleToRun, work: Callable[[ColdExecutor], TaskRun]) -> TaskRun:
        try:
            with self._lent(bundle) as executor:
                prepared = executor.prepare()
                return not_run(prepared) if isinstance(prepared, Failure) else work(executor)
        except InternalError as error:
            # Another process ran it and was killed: the task may have done that, or the machine.
            failure = RunnerError(ErrorCode.KILLED, Phase.CALL, error.message, retryable=True)
            if self._is_closed:
                message = "the executor was shut down before the task was done"
                failure = RunnerError(ErrorCode.INTERRUPTED, Phase.CALL, message)
            return not_run(failure_of(failure.document()))

    @contextmanager
    def _lent(self, bundle: BundleToRun) -> Iterator[ColdExecutor]:
        """Give a supervisor that has met `bundle` before, or a new one; one that fails is not used again."""
        executor = self._taken(bundle)
        is_sound = False
        try:
            with interrupted_by(executor.interrupt):
                yield executor
            is_sound = True
        finally:
            self._end(self._returned(_Ready(bundle, executor), is_sound=is_sound))

    def _taken(self, bundle: BundleToRun) -> ColdExecutor:
        with self._state:
            if self._is_closed:
                raise UsageError("the cold executor is closed: nothing can be run in it any more")
            known = [ready for ready in self._idle if ready.bundle == bundle]
            if known:
                self._idle.remove(known[-1])
                executor = known[-1].executor
            else:
                executor = ColdExecutor(bundle, self._options.within(bundle.settings), self._log)
            self._working.add(executor)
        return executor

    def _returned(self, ready: _Ready, *, is_sound: bool) -> list[ColdExecutor]:
        """Keep the executor for the next task if it can be used again; return those that are to be ended."""
        with self._none_busy:
            if self._is_closed or not is_sound:
                return [ready.executor]
            # From here on another thread may have it.
            self._working.discard(ready.executor)
            self._idle.append(ready)
            surplus = [each.executor for each in self._idle[:-_MOST_IDLE]]
            self._idle = self._idle[-_MOST_IDLE:]
            self._working.update(surplus)
            self._none_busy.notify_all()
        return surplus

    def _end(self, executors: Sequence[ColdExecutor]) -> None:
        """End executors that nobody else has; they count as working until they are gone."""
        for each in executors:
            try:
                each.close()
            finally:
                with self._none_busy:
                    self._working.discard(each)
                    self._none_busy.notify_all()
