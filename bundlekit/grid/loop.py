"""Hands tasks out, never more than a crew can take soon, and gathers what becomes of them, as it comes.

Everything happens in one thread: a signal or a result that comes in is a message to it, so that nothing is ever cut
short in the middle of being recorded.
"""

import itertools
import queue
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bundlekit.grid.rows import Numbered, loss_row, loss_without_simulations, task_row
from bundlekit.grid.workers import Crew, Pending
from bundlekit.model.grid import GridRow
from bundlekit.model.losses import LossRow, Replicates

__all__ = ["Loop"]

_AHEAD = 2
"""So many tasks for each that runs are handed out, so that none of the crew waits for the next."""
_REFILL = 4
"""One in so many of the crew may run out of the next task before more are handed out: many cost as much as one."""


class _Evaluation(NamedTuple):
    """A target function that is to be run, on replicates that have ended."""

    replicates: Replicates
    target: str


class _Simulated(NamedTuple):
    """A replicate that has ended; whoever has it can find its outputs."""

    pending: Pending
    has_failed: bool


class Loop:
    """Runs tasks with a crew; `stop` may be called by a signal handler or another thread, at any time."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        # Its put() may be called in a signal handler while this thread is inside get().
        self._events: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()
        self._waiting: dict[Pending, Numbered | _Evaluation] = {}
        self._replicates: dict[int, Replicates] = {}
        self._simulated: dict[int, dict[int, _Simulated]] = {}
        self.is_stopped = False

    def stop(self) -> None:
        """Hand out nothing more and end what runs."""
        self._events.put(None)

    def rows(self, tasks: Iterable[Numbered], replicates: Sequence[Replicates] = ()) -> Iterator[GridRow | LossRow]:
        """Yield a row for each task as it ends, and for each target function on `replicates` once all those have ended.

        After `stop` only what had ended by itself has a row. Where there are replicates, every task is one of them.
        """
        self._replicates = {number: each for each in replicates for number in each.tasks}
        left = iter(tasks)
        self._hand_out(left)
        while self._waiting:
            done = self._events.get()
            if done is None:
                self.is_stopped = True
                self._crew.abandon()
                yield from self._last()
                return
            yield from self._ended(self._waiting.pop(done), done)
            self._hand_out(left)

    def _hand_out(self, left: Iterator[Numbered]) -> None:
        size = self._crew.size
        lacking = size * _AHEAD - len(self._waiting)
        if lacking * _REFILL < size:
            return
        chosen = list(itertools.islice(left, lacking))
        if chosen:
            handed = self._crew.submit([each.task for each in chosen], for_targets=bool(self._replicates))
            for numbered, pending in zip(chosen, handed, strict=True):
                self._wait_for(pending, numbered)

    def _wait_for(self, pending: Pending, work: Numbered | _Evaluation) -> None:
        self._waiting[pending] = work
        pending.add_done_callback(self._events.put)

    def _ended(self, work: Numbered | _Evaluation, done: Pending) -> Iterator[GridRow | LossRow]:
        if isinstance(work, _Evaluation):
            yield loss_row(work.replicates, work.target, done.result())
            return
        row = task_row(work, done.result())
        yield row
        if self._replicates:
            yield from self._evaluated(self._replicates[work.number], row, done)

    def _evaluated(self, replicates: Replicates, row: GridRow, done: Pending) -> Iterator[LossRow]:
        """Hand out the target functions when this was the last of its replicates, if all of them succeeded."""
        simulated = self._simulated.setdefault(replicates.number, {})
        simulated[row.number] = _Simulated(done, row.error_code is not None)
        if len(simulated) < len(replicates.tasks):
            return
        del self._simulated[replicates.number]
        failed = [number for number in replicates.tasks if simulated[number].has_failed]
        for target in replicates.targets:
            if failed:
                yield loss_without_simulations(replicates, target, failed)
            else:
                ended = [simulated[number].pending for number in replicates.tasks]
                self._wait_for(self._crew.aggregate(target, ended), _Evaluation(replicates, target))

    def _last(self) -> Iterator[GridRow | LossRow]:
        """Yield the rows of what had succeeded; whatever else is said was our doing."""
        while self._waiting:
            done = self._events.get()
            if done is None:
                continue
            work = self._waiting.pop(done)
            if done.cancelled():
                continue
            placed = done.result()
            row = (
                loss_row(work.replicates, work.target, placed)
                if isinstance(work, _Evaluation)
                else task_row(work, placed)
            )
            if row.error_code is None:
                yield row
