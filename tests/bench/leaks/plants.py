"""What a planted leak is, as an abstract process: a state, and for each task the next state and what its output shows.

Two outputs of one task are equal where what they show is equal: so whether a sequence of tasks changes its last one,
and which sequences are the shortest that do, follows from the plant alone, without running anything.
"""

import random
from collections.abc import Callable, Sequence
from enum import Enum
from itertools import combinations
from typing import NamedTuple

__all__ = ["FAILS", "Kind", "Plant", "Task", "nothing"]


class Shown(Enum):
    """What a task shows that gives no output."""

    FAILS = "fails"


FAILS = Shown.FAILS


class Task(NamedTuple):
    """What a task sets, whatever a bundle calls it: a number, a switch, one of a few groups, and the seed."""

    x: float
    flag: bool
    group: int
    seed: int


class Plant(NamedTuple):
    """The abstract process: the step from a state and a task to a state and what shows, and the state after import."""

    step: Callable[..., tuple[object, object]]
    start: object

    def shows(self, tasks: Sequence[Task]) -> object:
        """Return what the last of `tasks` shows when all of them ran in one process, in this order."""
        state, shown = self.start, None
        for task in tasks:
            state, shown = self.step(state, task)
        return shown

    def changes(self, tasks: Sequence[Task]) -> bool:
        """Whether the last of `tasks` shows something else than it shows alone, where it succeeds."""
        alone = self.shows(tasks[-1:])
        return alone is not FAILS and self.shows(tasks) != alone

    def is_minimal(self, tasks: Sequence[Task]) -> bool:
        """Whether `tasks` change their last one, and it takes each of the others."""
        return self.changes(tasks) and not any(
            self.changes([*kept, tasks[-1]])
            for count in range(len(tasks) - 1)
            for kept in combinations(tasks[:-1], count)
        )


class Kind(NamedTuple):
    """One way to leak, and a bundle that looks much like it and is clean.

    `leak` and `clean` are sources of a function `$func` that takes what `uses` names and returns a number; words with a
    dollar are filled in: `$state`, `$other` and `$Type` are names, of which `planted` says which hold the leak.
    `language` is that of both; `needs` are requirements; `files` are further files of the bundle.
    Where it `is_hidden`, neither the grid in its order nor the reverse of it shows the leak.
    """

    name: str
    plant: Plant
    uses: tuple[str, ...]
    leak: str
    clean: str
    planted: tuple[str, ...] = ("$state",)
    language: str = "python"
    needs: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    is_unsteady: bool = False
    is_hidden: bool = False


def nothing(state: object, _task: Task) -> tuple[object, object]:
    """Show the same whatever ran before."""
    return state, None


def counts(state: int, _task: Task) -> tuple[int, int]:
    """Each task leaves something behind; the output tells how much there was."""
    return state + 1, state


def counts_distinct(state: frozenset[float], task: Task) -> tuple[frozenset[float], int]:
    """As `counts`, but what is left behind twice counts once."""
    state |= {task.x}
    return state, len(state)


def gathers(state: tuple[float, ...], task: Task) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Each task leaves its number behind."""
    state = (*state, task.x)
    return state, state


def counts_switched(state: int, task: Task) -> tuple[int, int]:
    """Tasks that are switched on change what all later ones start from."""
    state += task.flag
    return state, state


def counts_by_group(state: tuple[int, ...], task: Task) -> tuple[tuple[int, ...], int]:
    """As `counts_switched`, for each group on its own."""
    if task.flag:
        state = (*state, task.group)
    return state, state.count(task.group)


def sticks(state: bool, task: Task) -> tuple[bool, bool]:  # noqa: FBT001 - a state, not an argument
    """What one task switches on is on for itself and for all later ones."""
    state = state or task.flag
    return state, state


def sticks_after(state: int, task: Task) -> tuple[int, int]:
    """What a task switches on is seen by later ones alone."""
    return state + task.flag, state


def first_wins(state: float | None, task: Task) -> tuple[float, float]:
    """What the first task sets holds for all."""
    state = task.x if state is None else state
    return state, state


def first_switch_wins(state: bool | None, task: Task) -> tuple[bool, bool]:  # noqa: FBT001 - a state, not an argument
    """What the first task switches on, or not, holds for all."""
    state = task.flag if state is None else state
    return state, state


def first_of_group_wins(
    state: tuple[tuple[int, float], ...], task: Task
) -> tuple[tuple[tuple[int, float], ...], float]:
    """As `first_wins`, for each group on its own: a memo whose key leaves something out."""
    kept = dict(state)
    kept.setdefault(task.group, task.x)
    return tuple(kept.items()), kept[task.group]


def last_stays(state: float | None, task: Task) -> tuple[float, float | None]:
    """Each task starts from the one before it."""
    return task.x, state


def larger_last_stays(state: float, task: Task) -> tuple[float, float | None]:
    """As `last_stays`, when the one before it had the larger number: half of all orders show nothing."""
    return task.x, state if state > task.x else None


def one_group_meets_another(state: int, task: Task) -> tuple[int, bool]:
    """A task of group 1 that comes right after one of group 2 differs; whatever stands between them clears it."""
    return task.group, (state, task.group) == (2, 1)


def largest_stays(state: float, task: Task) -> tuple[float, float]:
    """The largest number of all tasks so far holds."""
    state = max(state, task.x)
    return state, state


def first_seed_wins(state: tuple[int, int] | None, task: Task) -> tuple[tuple[int, int], tuple[int, int]]:
    """A generator that the first task seeds, and all draw from."""
    seed, drawn = state or (task.seed, 0)
    return (seed, drawn + 1), (seed, drawn)


def shuffles(state: tuple[int, ...], task: Task) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Each task shuffles what the one before it shuffled."""
    order = list(state)
    random.Random(task.seed).shuffle(order)  # noqa: S311 - the bundle draws the same
    return tuple(order), tuple(order)


def needs_two(state: tuple[bool, bool], task: Task) -> tuple[tuple[bool, bool], bool]:
    """One task prepares what another one, of group 2, makes visible to all later ones."""
    prepared = state[0] or task.flag
    state = (prepared, state[1] or (prepared and task.group == 2))
    return state, state[1]


def shows_two_later(state: tuple[bool, bool], task: Task) -> tuple[tuple[bool, bool], bool]:
    """What a task switches on is seen by the second task after it alone."""
    return (state[1], task.flag), state[0]


def only_three_fit(state: tuple[tuple[float, float], ...], task: Task) -> tuple[tuple[tuple[float, float], ...], float]:
    """A memo of three sets whose fourth takes the place of the first, and keeps what was worked out for that."""
    kept = dict(state)
    if task.x not in kept:
        if len(kept) < 3:
            kept[task.x] = task.x
        else:
            kept[task.x] = kept.pop(next(iter(kept)))
    return tuple(kept.items()), kept[task.x]


def spoils(state: bool, task: Task) -> tuple[bool, object]:  # noqa: FBT001 - a state, not an argument
    """A task that is switched on fails, its work half done; the next one that succeeds is wrong, and clears up."""
    return (True, FAILS) if task.flag else (False, state)


def only_once(state: bool, _task: Task) -> tuple[bool, object]:  # noqa: FBT001 - a state, not an argument
    """The first task succeeds, and none after it."""
    return True, FAILS if state else None


def breaks_others(state: bool, task: Task) -> tuple[bool, object]:  # noqa: FBT001 - a state, not an argument
    """After a task that is switched on, those that are not fail."""
    return state or task.flag, FAILS if state and not task.flag else None
