"""Starts children before there is a job for them: interpreters that wait, or forks of a zygote that do.

Each is used once. One that is kept ready was started with the variables that tasks have in common; the rest comes with
the job. Whoever reaps children keeps `spared` true, so that no number of a process that has ended is taken for one.

See: DESIGN decision 5; PERFORMANCE ("forked ahead").
"""

import contextlib
import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..runner_error import RunnerError
from .starting import Plan, Waiting, started

if TYPE_CHECKING:
    from .forking import Zygote

__all__ = ["Nursery"]


class Nursery:
    """Keeps one child ready, for the plan that was asked for last; `spared` are the processes that are its own."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._plan: Plan | None = None
        self._ready: Waiting | None = None
        self._zygote: Zygote | None = None
        self.spared: set[int] = set()

    def take(self, plan: Plan) -> Waiting:
        """Return a child that waits, one that was kept ready if there is one.

        Raises:
            RunnerError: E_VENV when the interpreter cannot be started; E_USAGE when what is to be preloaded cannot be.
        """
        if plan != self._plan:
            self.clear()
            self._plan = plan
        ready, self._ready = self._ready, None
        if ready is not None and ready.pid in self.spared:
            self.spared.discard(ready.pid)
            # A task before may have stopped what it found.
            with contextlib.suppress(ProcessLookupError):
                os.kill(ready.pid, signal.SIGCONT)
            return ready
        if ready is not None:
            ready.close()
        try:
            return self._new(plan)
        except RunnerError:
            self.clear()
            raise

    def refill(self) -> None:
        """Start a child for the next job, if one like the last may come."""
        if self._plan is None or self._ready is not None:
            return
        try:
            if self._plan.forks:
                # It is asked for its child when there is a job: until then nobody waits for it.
                self._living_zygote(self._plan).order()
            else:
                self._ready = started(self._plan)
                self.spared.add(self._ready.pid)
        except RunnerError as error:
            # The next task, if there is one, meets the same and tells it.
            self._log(f"No process could be started ahead: {error.message}")
            self.clear()

    def clear(self) -> None:
        """End everything that waits."""
        if self._ready is not None:
            self._ready.close()
            self._ready = None
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None
        for pid in self.spared:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        self.spared.clear()
        self._plan = None

    def _new(self, plan: Plan) -> Waiting:
        if not plan.forks:
            return started(plan)
        try:
            for _ in range(2):
                forked = self._living_zygote(plan).fork()
                if forked is not None:
                    return forked
                self._end_zygote()
            why = "it does not answer"
        except RunnerError as error:
            if plan.preload:
                raise
            # The environment's own: what runs at an interpreter's start may begin a thread.
            why = error.message
        self._log(f"No zygote can fork here, the task gets an interpreter of its own: {why}")
        return started(plan)

    def _living_zygote(self, plan: Plan) -> "Zygote":
        if self._zygote is not None and self._zygote.pid in self.spared:
            return self._zygote
        self._end_zygote()
        # Only those who fork pay for what it imports.
        from .forking import Zygote  # noqa: PLC0415 - see above

        self._zygote = Zygote(plan)
        self.spared.add(self._zygote.pid)
        return self._zygote

    def _end_zygote(self) -> None:
        if self._zygote is not None:
            self._zygote.close()
            if self._zygote.pid in self.spared:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._zygote.pid, signal.SIGKILL)
            self._zygote = None
