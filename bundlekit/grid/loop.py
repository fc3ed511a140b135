"""Hands tasks out, never more than a crew can take soon, and gathers what becomes of them, as it comes.

Everything happens in one thread: a signal or a result that comes in is a message to it, so that nothing is ever cut
short in the middle of being recorded.
"""

import queue
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bundlekit.errors import InternalError
from bundlekit.grid.workers import Crew, Pending, Placed
from bundlekit.model.grid import GridRow, GridTask
from bundlekit.model.outcome import Failure, Simulated

__all__ = ["Loop", "Numbered"]

_AHEAD = 2
"""So many tasks for each that runs are handed out, so that none of the crew waits for the next."""


class Numbered(NamedTuple):
    """A task, its number in the grid and its identity."""

    number: int
    task_id: str
    task: GridTask


class Loop:
    """Runs tasks with a crew; `stop` may be called by a signal handler or another thread, at any time."""

    def __init__(self, crew: Crew, timeout_s: float) -> None:
        self._crew = crew
        self._timeout_s = timeout_s
        # Its put() may be called in a signal handler while this thread is inside get().
        self._events: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()
        self.is_stopped = False

    def stop(self) -> None:
        """Hand out nothing more and end what runs."""
        self._events.put(None)

    def rows(self, tasks: Iterable[Numbered]) -> Iterator[GridRow]:
        """Yield a row for each task as it ends; after `stop`, only for those that had ended by themselves."""
        waiting: dict[Pending, Numbered] = {}
        left = iter(tasks)
        self._hand_out(left, waiting)
        while waiting:
            done = self._events.get()
            if done is None:
                self.is_stopped = True
                self._crew.abandon()
                yield from self._last(waiting)
                return
            numbered = waiting.pop(done)
            self._hand_out(left, waiting)
            yield self._row(numbered, done.result())

    def _hand_out(self, left: Iterator[Numbered], waiting: dict[Pending, Numbered]) -> None:
        while len(waiting) < self._crew.size * _AHEAD:
            numbered = next(left, None)
            if numbered is None:
                return
            pending = self._crew.submit(numbered.task, self._timeout_s)
            waiting[pending] = numbered
            pending.add_done_callback(self._events.put)

    def _last(self, waiting: dict[Pending, Numbered]) -> Iterator[GridRow]:
        """Yield the rows of those that had succeeded; whatever else they say was our doing."""
        while waiting:
            done = self._events.get()
            if done is None:
                continue
            numbered = waiting.pop(done)
            if not done.cancelled():
                row = self._row(numbered, done.result())
                if row.error_code is None:
                    yield row

    def _row(self, numbered: Numbered, placed: Placed) -> GridRow:
        run, task = placed.run, numbered.task
        row = GridRow(
            number=numbered.number,
            task_id=numbered.task_id,
            entrypoint=task.entrypoint,
            params=task.params,
            seed=task.seed,
            executor=self._crew.executor,
            host=placed.host,
            sandbox=run.sandbox,
            pid=run.pid,
            started_s=run.started_s,
            seconds=round(run.seconds, 6),
            timeout_s=self._timeout_s,
            outputs={},
        )
        match run.outcome:
            case Simulated() as simulated:
                if simulated.task_id != numbered.task_id:
                    msg = f"task {numbered.number} has the id {numbered.task_id}, and its result {simulated.task_id}"
                    raise InternalError(msg)
                outputs = {name: (each.size, each.checksum) for name, each in simulated.outputs.items()}
                return row._replace(outputs=outputs)
            case Failure() as failure:
                return row._replace(
                    error_code=failure.error_code,
                    phase=failure.phase.value,
                    error_type=failure.type_name,
                    message=failure.headline,
                    signal=failure.signal_name,
                )
            case _:
                raise InternalError("a simulation was answered by an aggregation")
