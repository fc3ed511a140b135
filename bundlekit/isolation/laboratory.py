"""Runs tasks cold and warm, within the budget, and remembers what each gave, so that nothing is run twice.

Any number of threads may use one laboratory.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import InternalError
from bundlekit.executors.cold_pool import ColdPool
from bundlekit.isolation.compare import Observation, observation_of
from bundlekit.isolation.notebook import ColdFact, Notebook, WarmFact
from bundlekit.isolation.sequences import Between, Ran, Sequences
from bundlekit.model.grid import GridTask
from bundlekit.model.isolation import Budget
from bundlekit.model.outcome import Failure, TaskRun

__all__ = ["Laboratory", "Segment", "Spending"]

_OURS = frozenset({ErrorCode.KILLED, ErrorCode.INTERNAL, ErrorCode.IO, ErrorCode.CACHE, ErrorCode.VENV})
"""Failures of the machine or of ours: they say nothing of the bundle."""


class Segment(NamedTuple):
    """The tasks of one process, and what each gave: fewer where it `has_ended`, or the budget was used up."""

    tasks: tuple[int, ...]
    observations: tuple[Observation, ...]
    has_ended: bool


class Spending:
    """Counts executions and seconds against a budget."""

    def __init__(self, tasks: int, seconds: float) -> None:
        self._tasks, self._seconds = tasks, seconds
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._used = 0
        self._is_used_up = self._is_stopped = False

    def take(self, timeout_s: float) -> float | None:
        """Return how many seconds the next execution may take, at most `timeout_s`; None when there is to be none."""
        with self._lock:
            left = self._seconds - (time.monotonic() - self._began)
            if self._is_stopped or self._used >= self._tasks or left <= 0:
                self._is_used_up = True
                return None
            self._used += 1
            return min(timeout_s, left)

    def stop(self) -> None:
        """Let nothing begin any more."""
        self._is_stopped = True

    def cut_short(self) -> None:
        """Note that an execution was ended because the seconds were over."""
        self._is_used_up = True

    @property
    def budget(self) -> Budget:
        """What there was, and what of it was used."""
        seconds = time.monotonic() - self._began
        return Budget(self._tasks, self._seconds, self._used, seconds, self._is_used_up)

    @property
    def left(self) -> tuple[int, float]:
        """Executions and seconds that are left."""
        return self._tasks - self._used, self._seconds - (time.monotonic() - self._began)


class Laboratory:
    """`tasks` are those of the grid, by number; `timeout_s` is the deadline of each."""

    def __init__(
        self,
        pool: ColdPool,
        sequences: Sequences,
        tasks: Sequence[GridTask],
        *,
        timeout_s: float,
        spending: Spending,
        notebook: Notebook,
        told: Callable[[], None],
    ) -> None:
        self._pool, self._sequences = pool, sequences
        self._tasks, self._timeout_s = tasks, timeout_s
        self._spending, self._notebook, self._told = spending, notebook, told
        self._lock = threading.Lock()
        self._cold: dict[tuple[int, int], Observation] = {}
        self._warm: dict[tuple[int, ...], Observation] = {}
        self._ends: set[tuple[int, ...]] = set()
        self.sandboxes: set[str] = set()
        for fact in notebook.facts:
            self._learn(fact)

    @property
    def is_used_up(self) -> bool:
        """Whether the budget ended something."""
        return self._spending.budget.is_used_up

    def cold(self, number: int, hash_seed: int = 0) -> Observation | None:
        """Return what a task gives in a process of its own, None when the budget is used up."""
        known = self._cold.get((number, hash_seed))
        return self.cold_again(number, hash_seed) if known is None else known

    def cold_again(self, number: int, hash_seed: int = 0) -> Observation | None:
        """Return what a task gives cold, run once more and with its data."""
        observation = self.cold_task(self._tasks[number], hash_seed)
        if observation is not None:
            fact = ColdFact(number, hash_seed, observation)
            self._notebook.keep(fact)
            known = self._cold.get((number, hash_seed))
            if known is None or known.agrees_with(observation):
                self._learn(fact)
        return observation

    def cold_task(self, task: GridTask, hash_seed: int = 0) -> Observation | None:
        """Return what any task gives cold; it need not be of the grid, and is not remembered."""
        timeout_s = self._spending.take(self._timeout_s)
        if timeout_s is None:
            return None
        run = self._pool.simulate(task.document, timeout_s, hash_seed=hash_seed)
        self.sandboxes.add(run.sandbox)
        return self._observed(run, timeout_s)

    def warm(self, tasks: tuple[int, ...]) -> Segment:
        """Return what tasks give, one after the other in one process."""
        known = self._known(tasks)
        return known or self.warm_again(tasks)

    def last_of(self, tasks: tuple[int, ...]) -> Observation | None:
        """Return what the last of `tasks` gives after the others in one process, None when it was not reached."""
        segment = self.warm(tasks)
        return segment.observations[-1] if len(segment.observations) == len(tasks) else None

    def warm_again(self, tasks: tuple[int, ...], between: Between | None = None) -> Segment:
        """Return what tasks give in one process, run once more, and with their data; `between` only looks at it."""
        segment = self.tampered(tasks, between)
        if segment.observations:
            done = tasks[: len(segment.observations)]
            fact = WarmFact(done, segment.observations, segment.has_ended)
            self._notebook.keep(fact)
            self._learn(fact)
        return segment

    def tampered(self, tasks: tuple[int, ...], between: Between | None) -> Segment:
        """Return what tasks give in one process that `between` may change: it is no fact, and not remembered."""
        given: list[float] = []

        def timeouts() -> float | None:
            timeout_s = self._spending.take(self._timeout_s)
            given.append(timeout_s or 0.0)
            return timeout_s

        ran = self._sequences.run([self._tasks[number] for number in tasks], timeouts, between)
        self.sandboxes.add(ran.sandbox)
        return self._segment(tasks, ran, given)

    def _segment(self, tasks: tuple[int, ...], ran: Ran, given: Sequence[float]) -> Segment:
        observations: list[Observation] = []
        for run, timeout_s in zip(ran.runs, given, strict=False):
            observation = self._observed(run, timeout_s)
            if observation is None:
                return Segment(tasks, tuple(observations), has_ended=False)
            observations.append(observation)
        # A process is over early only by its last task.
        return Segment(tasks, tuple(observations), has_ended=ran.is_whole and len(ran.runs) < len(tasks))

    def _observed(self, run: TaskRun, timeout_s: float) -> Observation | None:
        """Return what a run gave; None when it was cut short for the budget.

        Raises:
            RunnerError: it failed for a reason that is not the bundle's.
        """
        self._told()
        outcome = run.outcome
        if isinstance(outcome, Failure):
            if outcome.error_code is ErrorCode.TIMEOUT and timeout_s < self._timeout_s:
                self._spending.cut_short()
                return None
            if outcome.error_code is ErrorCode.INTERRUPTED:
                raise InternalError("the experiment was ended")
            if outcome.error_code in _OURS and outcome.signal_name is None:
                raise RunnerError(outcome.error_code, outcome.phase, outcome.headline)
        return observation_of(run)

    def _known(self, tasks: tuple[int, ...]) -> Segment | None:
        observations: list[Observation] = []
        with self._lock:
            for length in range(1, len(tasks) + 1):
                observation = self._warm.get(tasks[:length])
                if observation is None:
                    return None
                observations.append(observation)
                if tasks[:length] in self._ends and length < len(tasks):
                    return Segment(tasks, tuple(observations), has_ended=True)
        return Segment(tasks, tuple(observations), has_ended=False)

    def _learn(self, fact: ColdFact | WarmFact) -> None:
        with self._lock:
            if isinstance(fact, ColdFact):
                # What the warm runs are held against keeps its data.
                kept = fact.observation if fact.hash_seed == 0 else fact.observation._replace(data={})
                self._cold[fact.task, fact.hash_seed] = kept
                return
            for length, observation in enumerate(fact.observations, start=1):
                # Without its data: of the many that are run, few are looked at.
                self._warm.setdefault(fact.tasks[:length], observation._replace(data={}))
            if fact.has_ended:
                self._ends.add(fact.tasks)
