"""Which tasks of a grid the experiment runs, and in which orders: pure functions of the grid and the budget."""

import json
import random
from collections.abc import Sequence
from itertools import pairwise, product
from typing import NamedTuple

from bundlekit.model.grid import GridTask
from bundlekit.model.isolation import Order

__all__ = [
    "GRID",
    "REPEATED",
    "Chosen",
    "affordable",
    "chosen",
    "every_pair",
    "orders",
    "pair_of",
    "reseeded",
    "same_but_seed",
    "untried_pairs",
]

GRID = "grid"
REPEATED = "repeated"
"""The order A A B A: it shows what the same task does to itself, and how state behaves."""
_MINIMISING_SHARE = 0.5
"""What of the budget is kept for finding out which tasks matter, once one has been seen to differ."""

_COLD_RUNS, _WARM_RUNS = 2, 3
_OTHER_RUNS = 6
"""Those of the order A A B A, and of tasks with other seeds."""
_MANY_SEEDS = 2
_MOST_IN_PAIRS = 6
"""Of more tasks than these, having each right after each would cost more than all other orders do."""
_FEW = 8
"""So many tasks are shuffled, all of them."""


class Chosen(NamedTuple):
    """The numbers of the tasks that take part, ascending, and sentences about those that do not."""

    tasks: tuple[int, ...]
    left_out: tuple[str, ...]


def chosen(tasks: Sequence[GridTask], most: int) -> Chosen:
    """Return at most `most` tasks: different parameters first, spread over the grid, then other seeds of those.

    Tasks that bring other variables than the first are left out: they never share a process with it.
    """
    sharing = [number for number, task in enumerate(tasks) if task.env == tasks[0].env]
    left_out: list[str] = []
    if len(sharing) < len(tasks):
        others = len(tasks) - len(sharing)
        left_out.append(f"{others} of {len(tasks)} tasks bring other variables (env), and never share a process")
    if len(sharing) <= most:
        return Chosen(tuple(sharing), tuple(left_out))
    groups: dict[str, list[int]] = {}
    for number in sharing:
        groups.setdefault(_params_key(tasks[number]), []).append(number)
    firsts = [numbers[0] for numbers in groups.values()]
    # Room for one more seed of the first parameters: what seeds do is part of the question.
    seconds = [numbers[1] for numbers in groups.values() if len(numbers) > 1]
    room = most - 1 if seconds and most >= _MANY_SEEDS + 1 else most
    picked = _spread(firsts, room)
    if len(picked) < most:
        picked += [number for number in seconds if number not in picked][: most - len(picked)]
    if len(picked) < most:
        rest = [number for number in sharing if number not in picked]
        picked += _spread(rest, most - len(picked))
    left_out.append(f"{len(sharing) - len(picked)} of {len(tasks)} tasks of the grid were not run: see the budget")
    return Chosen(tuple(sorted(picked)), tuple(left_out))


def affordable(tasks_left: int, seconds_left: float, seconds_each: float, jobs: int) -> int:
    """Return how many tasks the experiment can take up, each of which takes `seconds_each`; at least 2."""
    by_time = seconds_left * jobs / seconds_each if seconds_each > 0 else float(tasks_left)
    runs = min(float(tasks_left), by_time) * (1 - _MINIMISING_SHARE)
    return max(2, int((runs - _OTHER_RUNS) / (_COLD_RUNS + _WARM_RUNS)))


def orders(tasks: Sequence[int], pair: tuple[int, int], seed: int) -> tuple[Order, ...]:
    """Return the orders in which `tasks` run warm, the longest first; no two of them are the same.

    `pair` are the A and B of the order A A B A, which may be one and the same. Of many tasks, half are shuffled: each
    pair has run in both directions by then, and the whole is to take no more than five times what the tasks take alone.
    """
    ascending = tuple(sorted(tasks))
    shuffled = list(ascending)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order that can be had again, no secret
    first, second = pair
    found = [
        Order(GRID, ascending),
        Order("reversed", ascending[::-1]),
        Order("shuffled", tuple(shuffled[: max(_FEW, len(shuffled) // 2)])),
        Order(REPEATED, (first, first, second, first)),
    ]
    return tuple({order.tasks: order for order in reversed(found)}.values())[::-1]


def every_pair(tasks: Sequence[int], done: Sequence[Order]) -> Order | None:
    """Return one order in which each of `tasks` comes right after each of them, itself included, once.

    None where `done` leaves no such pair untried, and for many tasks.
    """
    if len(tasks) > _MOST_IN_PAIRS or not untried_pairs(tasks, done):
        return None
    return Order("pairs", _walk(tuple(sorted(tasks))))


def untried_pairs(tasks: Sequence[int], done: Sequence[Order]) -> int:
    """Return how many pairs, those of a task and itself too, never stood side by side, in that order, in `done`."""
    tried = {pair for order in done for pair in pairwise(order.tasks)}
    return sum(pair not in tried for pair in product(tasks, repeat=2))


def _walk(tasks: tuple[int, ...]) -> tuple[int, ...]:
    """Return a walk from the first of `tasks` and back to it that goes from each to each, itself included, once."""
    if len(tasks) == 1:
        return tasks * 2
    first, rest = tasks[0], tasks[1:]
    there_and_back = [each for other in rest[1:] for each in (other, first)]
    return (first, first, *there_and_back, *_walk(rest), first)


def pair_of(tasks: Sequence[GridTask], numbers: Sequence[int]) -> tuple[int, int]:
    """Return two of `numbers` that differ in more than the seed, else in that, else one of them twice."""
    first = numbers[0]
    others = [number for number in numbers if not same_but_seed(tasks[number], tasks[first])] or numbers[1:]
    return first, others[0] if others else first


def reseeded(tasks: Sequence[GridTask], numbers: Sequence[int], most: int) -> tuple[GridTask, ...]:
    """Return up to `most` tasks with a seed of ours, where no two of `numbers` differ in the seed alone."""
    groups: dict[str, set[int]] = {}
    for number in numbers:
        groups.setdefault(_params_key(tasks[number]), set()).add(tasks[number].seed)
    if any(len(seeds) > 1 for seeds in groups.values()):
        return ()
    return tuple(tasks[number]._replace(seed=tasks[number].seed + 1) for number in numbers[:most])


def same_but_seed(one: GridTask, other: GridTask) -> bool:
    """Whether the two differ in nothing but, perhaps, the seed."""
    return _params_key(one) == _params_key(other)


def _params_key(task: GridTask) -> str:
    return json.dumps([task.entrypoint, task.params, task.outputs, dict(task.env)], sort_keys=True)


def _spread(numbers: Sequence[int], most: int) -> list[int]:
    """Return at most `most` of `numbers`, the first and the last among them, at even distances."""
    if len(numbers) <= most:
        return list(numbers)
    if most <= 1:
        return list(numbers[:most])
    return [numbers[round(place * (len(numbers) - 1) / (most - 1))] for place in range(most)]
