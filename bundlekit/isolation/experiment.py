"""The experiment: cold twice, then warm in several orders, then the fewest tasks that change a later one.

Whether results differ cold comes first: where they do, nothing can be said of what tasks do to each other.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.isolation.compare import Observation, cell_of, verdict_of
from bundlekit.isolation.culprits import Candidate, Culprits
from bundlekit.isolation.laboratory import Laboratory, Spending
from bundlekit.isolation.native.intervention import with_causes
from bundlekit.isolation.plan import (
    affordable,
    chosen,
    every_pair,
    orders,
    pair_of,
    reseeded,
    same_but_seed,
    untried_pairs,
)
from bundlekit.isolation.readings import divergence_of
from bundlekit.isolation.sequences import Between
from bundlekit.isolation.state import State, Watches, told
from bundlekit.isolation.warm_orders import WarmOrders
from bundlekit.model.finding import Obstacle
from bundlekit.model.isolation import Cell, IsolationOutcome, Order, Run, Verdict, Victim

__all__ = ["HASH_SEED", "Experiment", "Means"]

HASH_SEED = 1
"""PYTHONHASHSEED of the second cold run of each task; in the first it is what it always is."""
_RESEEDED = 2
"""How many tasks are run with a seed that the grid has not, to see whether the seed matters."""
_GOING_ON = (ErrorCode.WIRE_RAISED.value, ErrorCode.WIRE_RESULT.value)
"""Failures after which a process goes on: what such a task leaves behind can change the next."""

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Means(NamedTuple):
    """What the experiment works with: a laboratory, threads for as many processes as may run at once, who is told.

    `command` is what reproduces a sequence, but for its numbers.
    """

    laboratory: Laboratory
    spending: Spending
    threads: ThreadPoolExecutor
    jobs: int
    step: Callable[[str], None]
    command: Callable[[tuple[int, ...]], str]
    watches: Watches


class Experiment:
    """On the tasks of `blank`, an outcome without results, which :meth:`outcome` fills."""

    def __init__(self, blank: IsolationOutcome, means: Means) -> None:
        self._blank, self._means = blank, means
        self._tasks = blank.tasks
        self._notes: list[str] = []
        self._not_shown: list[str] = []

    def outcome(self) -> IsolationOutcome:
        """Return what came of all of it."""
        picked = self._picked()
        self._means.step(f"running {len(picked)} tasks cold, each twice")
        first = self._observed(picked)
        second = self._observed(picked, HASH_SEED)
        both = [number for number in picked if number in first and number in second]
        blank = self._blank._replace(failed_cold=tuple(number for number in both if not first[number].succeeded))
        if len(both) < len(picked):
            self._not_shown.append(f"{len(picked) - len(both)} of {len(picked)} tasks cold twice: see the budget")
        unsteady = [number for number in both if not first[number].agrees_with(second[number])]
        if unsteady:
            victims = self._unsteady_victims(unsteady, first, second)
            self._not_shown.append("no task was run warm: where results differ cold, nothing else can be said")
            return self._done(blank, Verdict.NONDETERMINISTIC, (), victims)
        if len(blank.failed_cold) == len(both):
            return self._done(blank._replace(obstacle=_nothing_succeeds(both, first)), None, (), ())
        self._look_at_seeds({number: first[number] for number in both if first[number].succeeded})
        going = [number for number in both if (first[number].failed_how or _GOING_ON[0]).startswith(_GOING_ON)]
        return self._warm(blank, going, first)

    def of_sequence(self, sequence: tuple[int, ...]) -> IsolationOutcome:
        """Return what came of one sequence alone: the verdict is on the last of its tasks."""
        self._notes.append("sequence_only")
        distinct = tuple(dict.fromkeys(sequence))
        last = sequence[-1]
        self._means.step(f"running {len(distinct)} tasks cold")
        first = self._observed(distinct)
        second = self._observed([last], HASH_SEED)
        failed = tuple(number for number in distinct if number in first and not first[number].succeeded)
        blank = self._blank._replace(failed_cold=failed)
        if len(first) < len(distinct) or last not in second:
            return self._done(blank, None, (), ())
        if not first[last].agrees_with(second[last]):
            victims = self._unsteady_victims([last], first, second)
            return self._done(blank, Verdict.NONDETERMINISTIC, (), victims)
        self._means.step("running the sequence warm")
        warm = WarmOrders(self._means.laboratory, first, self._means.watches)
        run, candidates = warm.run(Order("sequence", sequence))
        culprits = Culprits(self._means.laboratory, self._means.command, first)
        victims = tuple(culprits.as_seen(each) for each in candidates if (*each.earlier, each.task) == sequence)
        verdict = verdict_of([run._replace(cells=run.cells[-1:])], differs_cold=False)
        return self._done(blank, verdict, (run,), victims)

    def _picked(self) -> tuple[int, ...]:
        """Return the tasks that take part, once the first of them have shown how long they take."""
        means = self._means
        tasks_left, seconds_left = means.spending.left
        picked = chosen(self._tasks, affordable(tasks_left, seconds_left, 0.0, means.jobs))
        means.step("running the first tasks cold")
        seen = self._observed(picked.tasks[: means.jobs])
        slowest = max((each.seconds for each in seen.values()), default=0.0)
        most = affordable(tasks_left, seconds_left, slowest, means.jobs)
        if most < len(picked.tasks):
            picked = chosen(self._tasks, most)
        self._not_shown += picked.left_out
        return picked.tasks

    def _observed(self, numbers: Sequence[int], hash_seed: int = 0) -> dict[int, Observation]:
        """Return what tasks give cold; those that the budget did not reach are missing."""
        found = self._each(lambda number: self._means.laboratory.cold(number, hash_seed), numbers)
        return {number: each for number, each in zip(numbers, found, strict=True) if each is not None}

    def _each(self, work: Callable[[ItemT], ResultT], items: Sequence[ItemT]) -> list[ResultT]:
        return list(self._means.threads.map(work, items))

    def _look_at_seeds(self, seen: dict[int, Observation]) -> None:
        """Note whether no seed makes any difference."""
        pairs = [(self._tasks[number], observation) for number, observation in seen.items()]
        others = reseeded(self._tasks, tuple(seen), _RESEEDED)
        found = self._each(self._means.laboratory.cold_task, others)
        pairs += [(task, each) for task, each in zip(others, found, strict=True) if each is not None]
        alike = [
            one.agrees_with(other)
            for number, (task, one) in enumerate(pairs)
            for twin, other in pairs[:number]
            if task.seed != twin.seed and same_but_seed(task, twin)
        ]
        if alike and all(alike):
            self._notes.append("seed_ignored")
        elif not alike:
            self._not_shown.append("whether the seed matters: no task could be run with another one")

    def _unsteady_victims(
        self, unsteady: Sequence[int], first: dict[int, Observation], second: dict[int, Observation]
    ) -> tuple[Victim, ...]:
        again = self._means.laboratory.cold_again(unsteady[0])
        by_order = again is not None and again.agrees_with(first[unsteady[0]])
        self._notes.append("hash_order" if by_order else "differs_each_time")
        message = (
            "differs under another PYTHONHASHSEED, and only then: something goes in the order of a set"
            if by_order
            else "differs from one fresh process to the next: something is read from the clock, the system or memory"
        )
        return tuple(
            Victim(
                task=number,
                order="cold",
                cell=cell_of(first[number], second[number]),
                sequence=(number,),
                is_minimal=True,
                divergence=divergence_of(first[number], second[number]),
                message=message,
                command=self._means.command((number,)),
            )
            for number in unsteady
        )

    def _warm(self, blank: IsolationOutcome, going: Sequence[int], first: dict[int, Observation]) -> IsolationOutcome:
        means = self._means
        pair = pair_of(self._tasks, [number for number in going if first[number].succeeded])
        planned = orders(going, pair, blank.seed)
        means.step(f"running {len(going)} tasks warm, in {len(planned)} orders")
        warm = WarmOrders(means.laboratory, first, means.watches)
        done = self._each(warm.run, planned)
        done += self._side_by_side(going, planned, warm, is_same=not any(found for _, found in done))
        runs = tuple(run for run, _ in done)
        candidates = [candidate for _, found in done for candidate in found]
        skipped = [run.order.name for run in runs if Cell.SKIPPED in run.cells]
        if skipped:
            self._not_shown.append(f"the rest of the orders {', '.join(skipped)}: the budget was used up")
        verdict = verdict_of(runs, differs_cold=False)
        if not candidates:
            return self._done(self._with_state(blank, warm.state, (), warm.problems), verdict, runs, ())
        means.step(f"looking for the fewest tasks that change another: {len(candidates)} differences")
        culprits = Culprits(means.laboratory, means.command, first)
        victims = culprits.victims(candidates, self._each)
        # The same tasks in the same order gave this once and that otherwise: no task did it.
        if culprits.unsteady or (culprits.unrepeated and not culprits.repeated):
            self._notes.append("differs_each_time")
            verdict = Verdict.NONDETERMINISTIC
        return self._done(self._with_state(blank, warm.state, victims, warm.problems), verdict, runs, victims)

    def _side_by_side(
        self, going: Sequence[int], planned: Sequence[Order], warm: WarmOrders, *, is_same: bool
    ) -> list[tuple[Run, list[Candidate]]]:
        """Return what comes of having each task right after each, itself too, where nothing has differed so far."""
        if not is_same:
            return []
        further = every_pair(going, planned)
        if further is not None:
            self._means.step(f"running each of {len(going)} tasks right after each of them")
            return [warm.run(further)]
        untried = untried_pairs(going, planned)
        if untried:
            of_all = f"{untried} of {len(going) ** 2} pairs of tasks"
            self._not_shown.append(f"{of_all} were never run one right after the other")
        return []

    def _with_state(
        self, blank: IsolationOutcome, state: State, victims: Sequence[Victim], problems: Sequence[str]
    ) -> IsolationOutcome:
        """Return the outcome with the state that tasks leave, in A A B A and before the first victim."""
        self._not_shown += problems
        minimal = [victim for victim in victims if victim.is_minimal and len(victim.sequence) > 1]
        if minimal:
            self._means.step("looking at the state that the victim meets")
            state = state.joined(self._state_before(minimal[0]))
        if victims and state == State() and self._means.laboratory.is_used_up:
            self._not_shown.append("which state changes it: the budget was used up")
        state = told(state, differs=bool(victims))
        return blank._replace(native_state=state.native, python_state=state.python)

    def _state_before(self, victim: Victim) -> State:
        """Return what there is when the victim's turn comes, and whether its own cold bytes would have saved it."""
        laboratory, sequence = self._means.laboratory, victim.sequence
        look = self._means.watches()
        laboratory.warm_again(sequence, look.between)
        cold = laboratory.cold(victim.task)

        def rerun(between: Between) -> bool | None:
            observations = laboratory.tampered(sequence, between).observations
            if len(observations) == len(sequence):
                return cold is not None and observations[-1].agrees_with(cold)
            return None if laboratory.is_used_up else False

        earlier = sequence[:-1]
        native = sorted(look.native.left_by(earlier), key=lambda each: not each.is_own)
        return State(with_causes(native, len(earlier), rerun), tuple(look.python.left_by(earlier)))

    def _done(
        self, blank: IsolationOutcome, verdict: Verdict | None, runs: tuple[Run, ...], victims: tuple[Victim, ...]
    ) -> IsolationOutcome:
        return blank._replace(
            verdict=verdict,
            runs=runs,
            victims=victims,
            notes=tuple(self._notes),
            not_shown=tuple(self._not_shown),
            budget=self._means.spending.budget,
        )


def _nothing_succeeds(numbers: Sequence[int], first: Mapping[int, Observation]) -> Obstacle | None:
    if not numbers:
        return None
    said = first[numbers[0]]
    code = ErrorCode((said.failed_how or "").partition(" ")[0])
    return Obstacle(code, f"no task succeeds in a process of its own; task {numbers[0]}: {said.message}")
