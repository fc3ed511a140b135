"""How a value behaves over the tasks of one process, judged by what it was after each of them."""

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple, TypeVar

from bundlekit.model.isolation import Behaviour

__all__ = ["Judged", "judged"]

_ENOUGH_TASKS = 3
"""So many tasks that leave the same can be told from one that set it and others that never touch it."""

ValueT = TypeVar("ValueT")


class Judged(NamedTuple):
    """How it behaves, and the number of the first task after which it had changed."""

    behaviour: Behaviour
    task: int


def judged(values: Sequence[ValueT], tasks: Sequence[int], is_same: Callable[[ValueT, ValueT], bool]) -> Judged | None:
    """Return what a value that was `values[0]` at import did, None for what does not change or is filled once.

    Over the tasks A A B A: what the second A changes accumulates, and what the last one leaves otherwise than the first
    depends on the path. If only B leaves another value it is that of the last task. What the first task changes and no
    other is initialised lazily. Where no task comes twice there is nothing to tell these apart.
    """
    first = next((number for number, value in enumerate(values[1:]) if not is_same(values[0], value)), None)
    if first is None:
        return None
    after = values[1:]
    is_filled_once = all(is_same(after[0], value) for value in after[1:])
    comes_twice = len(set(tasks)) < len(tasks)
    if is_filled_once and (len(after) >= _ENOUGH_TASKS or comes_twice):
        return None
    runs = list(zip(tasks, after, strict=True))
    if any(one == two and not is_same(before, then) for (one, before), (two, then) in pairwise(runs)):
        behaviour = Behaviour.ACCUMULATES
    elif any(one == two and not is_same(before, then) for (one, before), (two, then) in combinations(runs, 2)):
        behaviour = Behaviour.PATH_DEPENDENT
    else:
        behaviour = Behaviour.LAST_TASK if comes_twice else Behaviour.CHANGED
    return Judged(behaviour, tasks[first])
