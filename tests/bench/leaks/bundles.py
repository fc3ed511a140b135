"""Writes the bundles of a population: each a small model with names of its own, a grid, and what is true of it."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations, zip_longest
from pathlib import Path
from string import Template
from typing import NamedTuple

from leaks.files import Choices, files_of, words_of
from leaks.native_c import NATIVE_C
from leaks.native_cpp import NATIVE_CPP
from leaks.native_ends import NATIVE_ENDS
from leaks.native_memory import NATIVE_MEMORY
from leaks.native_objects import NATIVE_OBJECTS
from leaks.plants import FAILS, Kind, Plant, Task, nothing
from leaks.python_caches import PYTHON_CACHES
from leaks.python_contexts import PYTHON_CONTEXTS
from leaks.python_globals import PYTHON_GLOBALS
from leaks.python_orders import PYTHON_ORDERS
from leaks.python_process import PYTHON_PROCESS
from leaks.python_world import PYTHON_WORLD
from leaks.unsteady import UNSTEADY

__all__ = ["KINDS", "Truth", "population", "write_bundle"]

_GROUPS = (
    *(PYTHON_GLOBALS, NATIVE_CPP, PYTHON_ORDERS, NATIVE_C, PYTHON_WORLD, UNSTEADY),
    *(PYTHON_CACHES, NATIVE_OBJECTS, PYTHON_CONTEXTS, NATIVE_MEMORY, PYTHON_PROCESS, NATIVE_ENDS),
)
KINDS = tuple(kind for group in _GROUPS for kind in group)
"""All ways to leak that bundles are made with."""


class Truth(NamedTuple):
    """What is true of one bundle, and its files.

    `verdict` is the word that the experiment should say. `names` are those that hold the leak, none where it is not
    the interpreter's or the extension module's state. `tasks` are those of the grid, in its order. `words` are names of
    which one is part of the name of all that the bundle keeps.
    """

    name: str
    kind: Kind
    is_planted: bool
    verdict: str
    plant: Plant
    tasks: tuple[Task, ...]
    names: frozenset[str]
    words: tuple[str, ...]
    ignores_seed: bool
    is_stripped: bool
    files: Mapping[str, str]

    @property
    def directory_name(self) -> str:
        """A name for its directory."""
        return "-".join(re.findall(r"[a-z0-9+_]+", self.name.lower()))


def population(seed: int, size: int) -> Iterator[Truth]:
    """Yield `size` bundles drawn from `seed`, half of them with a leak; the first few have kinds of every sort."""
    kinds = _all_kinds(random.Random(seed))  # noqa: S311 - the same bundles each time, no secret
    for number, kind in zip(range(0, size, 2), kinds, strict=False):
        for part, is_planted in enumerate((True, False)):
            chance = random.Random(f"{seed} {number + part}")  # noqa: S311 - as above
            yield _drawn(number + part, kind, chance, is_planted=is_planted)


def _all_kinds(order: random.Random) -> Iterator[Kind]:
    """Yield all kinds, one of each sort in turn, again and again, in another order each time."""
    while True:
        shuffled = [order.sample(group, len(group)) for group in _GROUPS]
        yield from (kind for turn in zip_longest(*shuffled) for kind in turn if kind is not None)


def write_bundle(root: Path, truth: Truth) -> Path:
    """Write the files of a bundle below the new directory `root`, and return that."""
    for path, text in truth.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def _drawn(number: int, kind: Kind, chance: random.Random, *, is_planted: bool) -> Truth:
    plant = kind.plant if is_planted else Plant(_only_failures(kind.plant), kind.plant.start)
    tasks = _tasks(kind, chance)
    words = words_of(number, kind, chance)
    choices = Choices(
        is_planted=is_planted,
        draws=chance.random() < 0.5,
        is_stripped=kind.language != "python" and chance.random() < 0.15,
        by_ctypes=kind.language == "c" and chance.random() < 0.25,
    )
    names = frozenset(Template(name).substitute(words) for name in kind.planted) if is_planted else frozenset()
    return Truth(
        name=f"{number:03} {'leak' if is_planted else 'clean'}: {kind.name}",
        kind=kind,
        is_planted=is_planted,
        verdict=_verdict(kind, plant, tasks, is_planted=is_planted),
        plant=plant,
        tasks=tasks,
        names=names,
        words=(words["state"], words["other"], words["func"], *names),
        ignores_seed=not choices.draws and "seed" not in kind.uses,
        is_stripped=choices.is_stripped,
        files=files_of(kind, tasks, words, choices, chance),
    )


def _only_failures(plant: Plant) -> object:
    """Return the step of the clean twin: tasks that fail alone fail there too, and nothing else differs."""
    failing = {flag for flag in (False, True) if plant.shows([Task(1.0, flag, 1, 1)]) is FAILS}

    def step(state: object, task: Task) -> tuple[object, object]:
        return (state, FAILS) if task.flag in failing else nothing(state, task)

    return step


def _verdict(kind: Kind, plant: Plant, tasks: Sequence[Task], *, is_planted: bool) -> str:
    if is_planted and kind.is_unsteady:
        return "nondeterministic"
    shown = [
        plant.shows(order)
        for count in (2, 3)
        for order in [*permutations(tasks, count), *([task] * count for task in tasks)]
        if plant.changes(order)
    ]
    if FAILS in shown:
        return "crashes_warm"
    longer = shown or any(plant.changes(tasks[:end]) for end in range(2, len(tasks) + 1))
    return "leaks" if longer else "isolated"


def _tasks(kind: Kind, chance: random.Random) -> tuple[Task, ...]:
    """Return from two to twelve tasks, drawn until the grid or its reverse shows the leak, or both hide it."""
    while True:
        # Which pairs of more than six tasks never stood side by side is said by number, and not found out.
        count = chance.choice((4, 5, 6) if kind.is_hidden else (2, 4, 4, 5, 6, 8, 12))
        numbers = chance.sample([value / 8 for value in range(1, 33)], count)
        flags = [True, False, *(chance.random() < 0.4 for _ in range(count - 2))]
        chance.shuffle(flags)
        groups = [1, 2, *(chance.choice((1, 2, 3)) for _ in range(count - 2))]
        chance.shuffle(groups)
        seed = chance.randrange(1, 1000)
        seeds = [seed] * count if chance.random() < 0.5 else [seed + place for place in range(count)]
        tasks = tuple(Task(*values) for values in zip(numbers, flags, groups, seeds, strict=True))
        orders = (tasks, tasks[::-1])
        shown = any(kind.plant.changes(order[:end]) for order in orders for end in range(2, count + 1))
        if (shown or count == 2) != kind.is_hidden or kind.plant.step is nothing:
            return tasks
