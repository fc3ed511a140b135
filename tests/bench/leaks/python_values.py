"""Kinds of leaks that live in Python objects: globals, defaults, classes, caches, generators of random numbers."""

from leaks.plants import (
    Kind,
    Plant,
    counts,
    counts_distinct,
    counts_switched,
    first_of_group_wins,
    first_seed_wins,
    first_wins,
    gathers,
    last_stays,
    shuffles,
    sticks,
)

__all__ = ["PYTHON_VALUES"]

PYTHON_VALUES = (
    Kind(
        "module list",
        Plant(0, counts),
        ("x",),
        leak="""
            $state = []


            def $func($x):
                factor = 1 + len($state) / 10
                $state.append($x)
                return $x * factor
            """,
        clean="""
            $state = []


            def $func($x):
                $state.append($x)  # to look at in a debugger
                return $x * 1.1
            """,
    ),
    Kind(
        "module counter",
        Plant(0, counts),
        ("x",),
        leak="""
            $state = 0


            def $func($x):
                global $state
                $state += 1
                return $x + 0.01 * ($state - 1)
            """,
        clean="""
            $state = 0


            def $func($x):
                global $state
                $state += 1
                return $x + 0.01 * min($state, 1)
            """,
    ),
    Kind(
        "dict default",
        Plant(frozenset(), counts_distinct),
        ("x",),
        leak="""
            def $func($x, $state={}):
                $state[$x] = True
                return $x + len($state) / 8
            """,
        clean="""
            def $func($x, $state={"low": 0.5, "high": 2.0}):
                return $x * ($state["high"] if $x > 1 else $state["low"])
            """,
    ),
    Kind(
        "class attribute",
        Plant((), gathers),
        ("x",),
        leak="""
            class $Type:
                $state = []

                def __init__(self, value):
                    self.$state.append(value)

                def total(self):
                    return sum(self.$state)


            def $func($x):
                return $Type($x).total()
            """,
        clean="""
            class $Type:
                $state = []

                def __init__(self, value):
                    self.$state = [*self.$state, value]

                def total(self):
                    return sum(self.$state)


            def $func($x):
                return $Type($x).total()
            """,
    ),
    Kind(
        "lru_cache of a mutable",
        Plant(0, counts_switched),
        ("x", "flag"),
        leak="""
            from functools import lru_cache


            @lru_cache(maxsize=None)
            def $state():
                return [1.0, 0.8, 0.6]


            def $func($x, $flag):
                weights = $state()
                if $flag:
                    weights[0] *= 0.5
                return $x * sum(weights)
            """,
        clean="""
            from functools import lru_cache


            @lru_cache(maxsize=None)
            def $state():
                return [1.0, 0.8, 0.6]


            def $func($x, $flag):
                weights = list($state())
                if $flag:
                    weights[0] *= 0.5
                return $x * sum(weights)
            """,
    ),
    Kind(
        "memo keyed too coarsely",
        Plant((), first_of_group_wins),
        ("x", "group"),
        leak="""
            import math

            $state = {}


            def $func($x, $group):
                if $group not in $state:
                    $state[$group] = math.exp(-$x) + $group
                return $state[$group]
            """,
        clean="""
            import math

            $state = {}


            def $func($x, $group):
                key = ($group, $x)
                if key not in $state:
                    $state[key] = math.exp(-$x) + $group
                return $state[key]
            """,
    ),
    Kind(
        "singleton",
        Plant(None, first_wins),
        ("x",),
        leak="""
            class $Type:
                $state = None

                def __new__(cls, value):
                    if cls.$state is None:
                        cls.$state = super().__new__(cls)
                        cls.$state.value = value
                    return cls.$state


            def $func($x):
                return $Type($x).value * 2
            """,
        clean="""
            class $Type:
                $state = None

                def __new__(cls, value):
                    if cls.$state is None:
                        cls.$state = super().__new__(cls)
                    cls.$state.value = value
                    return cls.$state


            def $func($x):
                return $Type($x).value * 2
            """,
    ),
    Kind(
        "generator not reset",
        Plant(0, counts),
        ("x",),
        leak="""
            import random

            $state = random.Random(12345)


            def $func($x):
                return $x + $state.random()
            """,
        clean="""
            import random

            $state = random.Random(12345)


            def $func($x):
                $state.seed(12345)
                return $x + $state.random()
            """,
    ),
    Kind(
        "seeded once",
        Plant(None, first_seed_wins),
        ("x", "seed"),
        leak="""
            import random

            $state = False


            def $func($x, seed):
                global $state
                if not $state:
                    random.seed(seed)
                    $state = True
                return $x + random.random()
            """,
        clean="""
            import random


            def $func($x, seed):
                random.seed(seed)
                return $x + random.random()
            """,
    ),
    Kind(
        "shuffled in place",
        Plant(tuple(range(1, 13)), shuffles),
        ("x", "seed"),
        leak="""
            import random

            $state = list(range(1, 13))


            def $func($x, seed):
                random.Random(seed).shuffle($state)
                return $x * sum(place / value for place, value in enumerate($state))
            """,
        clean="""
            import random

            $state = list(range(1, 13))


            def $func($x, seed):
                order = $state.copy()
                random.Random(seed).shuffle(order)
                return $x * sum(place / value for place, value in enumerate(order))
            """,
    ),
    Kind(
        "closure",
        Plant(0, counts),
        ("x",),
        leak="""
            def _make():
                $state = 0

                def step(value):
                    nonlocal $state
                    $state += 1
                    return value / $state

                return step


            $func = _make()
            """,
        clean="""
            def _make():
                $state = 0

                def step(value):
                    nonlocal $state
                    $state += 1
                    return value / 2

                return step


            $func = _make()
            """,
    ),
    Kind(
        "numbers given out",
        Plant(0, counts),
        ("x",),
        leak="""
            import itertools

            $state = itertools.count(1)


            def $func($x):
                return $x + 0.001 * next($state)
            """,
        clean="""
            import itertools
            import sys

            $state = itertools.count(1)


            def $func($x):
                print("call", next($state), file=sys.stderr)
                return $x + 0.001
            """,
    ),
    Kind(
        "settings module",
        Plant(False, sticks),
        ("x", "flag"),
        leak="""
            from $package import settings


            def $func($x, $flag):
                if $flag:
                    settings.$state = 0.25
                return $x * settings.$state
            """,
        clean="""
            from $package import settings


            def $func($x, $flag):
                settings.$state = 0.25 if $flag else 1.0
                return $x * settings.$state
            """,
        files=(("$package/settings.py", '"""What the model runs with."""\n\n$state = 1.0\n'),),
    ),
    Kind(
        "start from the last solution",
        Plant(None, last_stays),
        ("x",),
        leak="""
            $state = None


            def $func($x):
                global $state
                guess = 0.9 if $state is None else $state
                for _ in range(2):
                    guess = (guess + $x / guess) / 2
                $state = $x
                return guess
            """,
        clean="""
            $state = None


            def $func($x):
                global $state
                low, high = 0.0, 100.0
                for _ in range(80):
                    middle = (low + high) / 2
                    low, high = (middle, high) if middle * middle < $x else (low, middle)
                $state = low
                return low
            """,
    ),
)
"""Written at import or kept between calls, by the language's own means."""
