"""Kinds of leaks through what is kept to save work, and through generators of random numbers."""

from leaks.plants import (
    Kind,
    Plant,
    counts,
    counts_switched,
    first_of_group_wins,
    first_seed_wins,
    last_stays,
    shuffles,
)

__all__ = ["PYTHON_CACHES"]

PYTHON_CACHES = (
    Kind(
        "lru_cache of a mutable",
        Plant(counts_switched, 0),
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
        Plant(first_of_group_wins, ()),
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
        "start from the last solution",
        Plant(last_stays, None),
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
    Kind(
        "generator not reset",
        Plant(counts, 0),
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
        Plant(first_seed_wins, None),
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
        planted=("$state", "random"),
    ),
    Kind(
        "shuffled in place",
        Plant(shuffles, tuple(range(1, 13))),
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
        "NumPy seeded once",
        Plant(first_seed_wins, None),
        ("x", "seed"),
        leak="""
            import numpy as np

            $state = False


            def $func($x, seed):
                global $state
                if not $state:
                    np.random.seed(seed)
                    $state = True
                return $x + float(np.random.random())
            """,
        clean="""
            import numpy as np


            def $func($x, seed):
                np.random.seed(seed)
                return $x + float(np.random.random())
            """,
        planted=("$state", "random"),
        needs=("numpy>=2.0",),
    ),
    Kind(
        "array scaled in place",
        Plant(counts_switched, 0),
        ("x", "flag"),
        leak="""
            import numpy as np

            $state = np.array([1.0, 0.5, 0.25])


            def $func($x, $flag):
                weights = $state
                if $flag:
                    weights *= 0.9
                return $x * float(weights.sum())
            """,
        clean="""
            import numpy as np

            $state = np.array([1.0, 0.5, 0.25])


            def $func($x, $flag):
                weights = $state
                if $flag:
                    weights = weights * 0.9
                return $x * float(weights.sum())
            """,
        needs=("numpy>=2.0",),
    ),
)
"""Each clean one keeps as much."""
