"""From differences to victims: each with the fewest earlier tasks that change it, and the first place of the change."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from bundlekit.isolation.compare import Observation, cell_of
from bundlekit.isolation.laboratory import Laboratory
from bundlekit.isolation.minimise import minimal, reduced
from bundlekit.isolation.plan import GRID
from bundlekit.isolation.readings import divergence_of, has_data
from bundlekit.model.isolation import Cell, Victim

__all__ = ["Candidate", "Culprits", "Each", "Guess"]

_MOST_SEARCHES = 3
"""Searches through all that came before a victim; there may be as many victims as tasks, all for one reason."""
_MOST_REDUCED = 2
"""Victims of the first reason, besides the first, whose sequence is made shortest: one run shows that it is short."""
_TRIES = 3


class Candidate(NamedTuple):
    """A task that was seen to differ, after `earlier` tasks in the same process; `seen` is what it gave."""

    task: int
    order: str
    earlier: tuple[int, ...]
    cell: Cell
    seen: Observation


class Guess(NamedTuple):
    """Tasks that changed another one, to be tried on this; with `is_reduced`, fewer of them too."""

    candidate: Candidate
    earlier: tuple[int, ...]
    is_reduced: bool


Each = Callable[[Callable[[Guess], Victim | None], Sequence[Guess]], list[Victim | None]]
"""Maps, perhaps several at once."""


class _NotReachedError(Exception):
    """The budget ended while the fewest tasks were looked for."""


class Culprits:
    """Looks for the fewest tasks; `first` is what each task gave cold.

    `unsteady` are tasks that differ cold after all. A task is in `repeated` when some tasks before it changed it twice,
    and in `unrepeated` when it differed once and never again.
    """

    def __init__(
        self, laboratory: Laboratory, command: Callable[[tuple[int, ...]], str], first: dict[int, Observation]
    ) -> None:
        self._laboratory, self._command, self._first = laboratory, command, first
        self.unsteady: set[int] = set()
        self.repeated: set[int] = set()
        self.unrepeated: set[int] = set()

    def victims(self, candidates: Iterable[Candidate], each: Each) -> tuple[Victim, ...]:
        """Return a victim for each task that differs, those first that were looked at most closely.

        What changes one task mostly changes others: it is tried on them before another search begins.
        """
        found: list[Victim] = []
        left = _one_of_each(candidates)
        for number in range(_MOST_SEARCHES):
            if not left:
                break
            first, *others = left
            found.append(self._searched(first))
            guesses = [
                Guess(one, found[-1].sequence[:-1], number == 0 and place < _MOST_REDUCED)
                for place, one in enumerate(others)
            ]
            tried = each(self._guessed, guesses)
            found += [victim for victim in tried if victim is not None]
            left = [one for one, victim in zip(others, tried, strict=True) if victim is None]
        return (*found, *map(self.as_seen, left))

    def _searched(self, candidate: Candidate) -> Victim:
        """Return the victim with the fewest of the tasks before it that change it."""
        try:
            return self._shown(candidate, minimal(candidate.earlier, lambda part: self._changes(candidate, part)))
        except _NotReachedError:
            return self.as_seen(candidate)

    def _guessed(self, guess: Guess) -> Victim | None:
        """Return the victim if what was guessed changes it."""
        candidate = guess.candidate
        try:
            seen = self._repeated(candidate, guess.earlier)
            if seen is None:
                return None
            if not guess.is_reduced:
                is_minimal = len(guess.earlier) == 1 and not self._changes(candidate, ())
                return self._told(candidate, guess.earlier, seen, is_minimal=is_minimal)
            return self._shown(candidate, reduced(guess.earlier, lambda part: self._changes(candidate, part)))
        except _NotReachedError:
            return None

    def _shown(self, candidate: Candidate, found: tuple[int, ...]) -> Victim:
        """Return the victim with what was found, once that was seen again."""
        seen = self._repeated(candidate, found)
        if seen is None:
            found, seen = self._of_flaky(candidate)
        if seen is None:
            return self._not_seen_again(candidate)
        # What hangs on the clock can be the same in two cold runs, and differ in every later one.
        self._check_cold(candidate.task, 1 if found else _TRIES)
        if not found:
            seen = seen._replace(message=seen.message or "differs in a warm process even as its first task")
        return self._told(candidate, found, seen, is_minimal=True)

    def _changes(self, candidate: Candidate, part: tuple[int, ...]) -> bool:
        sequence = (*part, candidate.task)
        observation = self._laboratory.last_of(sequence)
        if observation is None:
            self._check_budget()
            return False
        return self._cell(candidate, observation) is candidate.cell

    def _repeated(self, candidate: Candidate, part: tuple[int, ...]) -> Observation | None:
        """Return what the victim gives when `part` is run once more, None if it is not what was seen."""
        sequence = (*part, candidate.task)
        segment = self._laboratory.warm_again(sequence)
        if len(segment.observations) < len(sequence):
            self._check_budget()
            return None
        observation = segment.observations[-1]
        if self._cell(candidate, observation) is not candidate.cell:
            return None
        self.repeated.add(candidate.task)
        return observation

    def _of_flaky(self, candidate: Candidate) -> tuple[tuple[int, ...], Observation | None]:
        """Return the fewest tasks where each part must be tried several times, and what was seen then."""
        shown: dict[tuple[int, ...], Observation] = {}

        def changes(part: tuple[int, ...]) -> bool:
            if part not in shown:
                seen = next((seen for _ in range(_TRIES) if (seen := self._repeated(candidate, part))), None)
                if seen is None:
                    return False
                shown[part] = seen
            return True

        if not changes(candidate.earlier):
            return candidate.earlier, None
        found = minimal(candidate.earlier, changes)
        return found, shown[found]

    def _not_seen_again(self, candidate: Candidate) -> Victim:
        self.unrepeated.add(candidate.task)
        self._check_cold(candidate.task, _TRIES)
        message = f"differed once in {_TRIES + 2} runs of the same sequence"
        return self._told(candidate, candidate.earlier, candidate.seen._replace(message=message))

    def _check_cold(self, task: int, tries: int) -> None:
        """Find out whether a task that others seem to change differs by itself."""
        for _ in range(tries):
            again = self._laboratory.cold_again(task)
            if again is not None and not again.agrees_with(self._first[task]):
                self.unsteady.add(task)
                return

    def as_seen(self, candidate: Candidate) -> Victim:
        """Return the victim with the sequence in which it was seen."""
        return self._told(candidate, candidate.earlier, candidate.seen)

    def _told(
        self, candidate: Candidate, earlier: tuple[int, ...], seen: Observation, *, is_minimal: bool = False
    ) -> Victim:
        cold = self._first[candidate.task]
        if not has_data(cold) and seen.succeeded:
            cold = self._laboratory.cold_again(candidate.task) or cold
        sequence = (*earlier, candidate.task)
        return Victim(
            task=candidate.task,
            order=candidate.order,
            cell=candidate.cell,
            sequence=sequence,
            is_minimal=is_minimal,
            divergence=divergence_of(cold, seen),
            message=seen.message,
            command=self._command(sequence),
        )

    def _cell(self, candidate: Candidate, observation: Observation) -> Cell:
        return cell_of(self._first[candidate.task], observation)

    def _check_budget(self) -> None:
        if self._laboratory.is_used_up:
            raise _NotReachedError


def _one_of_each(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return one candidate for each task, those that crash first; the grid's own order explains most easily."""
    best: dict[int, Candidate] = {}
    for candidate in sorted(candidates, key=_weight):
        best.setdefault(candidate.task, candidate)
    return list(best.values())


def _weight(candidate: Candidate) -> tuple[bool, bool, int]:
    return candidate.cell is not Cell.CRASHED, candidate.order != GRID, len(candidate.earlier)
