"""Kinds of leaks that show only in some orders, after some tasks, or by an end; and bundles that are unsteady anyway."""

from leaks.plants import (
    Kind,
    Plant,
    breaks_others,
    counts,
    larger_last_stays,
    largest_stays,
    needs_two,
    nothing,
    only_once,
    only_three_fit,
    spoils,
    sticks,
)

__all__ = ["PYTHON_ORDERS", "UNSTEADY"]

PYTHON_ORDERS = (
    Kind(
        "only the fourth set",
        Plant((), only_three_fit),
        ("x",),
        leak="""
            $state = {}


            def $func($x):
                if $x not in $state:
                    if len($state) < 3:
                        $state[$x] = [$x * step for step in range(1, 6)]
                    else:
                        oldest = next(iter($state))
                        $state[$x] = $state.pop(oldest)
                return sum($state[$x])
            """,
        clean="""
            $state = {}


            def $func($x):
                if $x not in $state:
                    if len($state) == 3:
                        del $state[next(iter($state))]
                    $state[$x] = [$x * step for step in range(1, 6)]
                return sum($state[$x])
            """,
    ),
    Kind(
        "only after a larger one",
        Plant(0.0, larger_last_stays),
        ("x",),
        leak="""
            $state = 0.0


            def $func($x):
                global $state
                before, $state = $state, $x
                return (before + $x) / 2 if before > $x else $x
            """,
        clean="""
            $state = 0.0


            def $func($x):
                global $state
                before, $state = $x, $x
                return (before + $x) / 2 if before > $x else $x
            """,
    ),
    Kind(
        "largest so far",
        Plant(0.0, largest_stays),
        ("x",),
        leak="""
            $state = [0.0]


            def $func($x):
                $state[0] = max($state[0], $x)
                return $x / $state[0] + 1
            """,
        clean="""
            $state = [0.0]


            def $func($x):
                $state[0] = max($state[0], $x)
                return $x / max(1.0, $x) + 1 + $x
            """,
    ),
    Kind(
        "only after an exception",
        Plant(False, spoils),
        ("x", "flag"),
        leak="""
            $state = False


            def $func($x, $flag):
                global $state
                value = $x * (0.5 if $state else 1.0)
                $state = True
                if $flag:
                    raise ValueError("$flag is not supported")
                $state = False
                return value
            """,
        clean="""
            $state = False


            def $func($x, $flag):
                global $state
                value = $x * (0.5 if $state else 1.0)
                try:
                    $state = True
                    if $flag:
                        raise ValueError("$flag is not supported")
                finally:
                    $state = False
                return value
            """,
    ),
    Kind(
        "only after an exception that was caught",
        Plant(False, sticks),
        ("x", "flag"),
        leak="""
            $state = 1.0


            def _solve(value, $flag):
                global $state
                $state = 0.5 if $flag else $state
                if $flag:
                    raise ArithmeticError("no convergence")
                return value * $state


            def $func($x, $flag):
                try:
                    return _solve($x, $flag)
                except ArithmeticError:
                    return $x * $state
            """,
        clean="""
            $state = 1.0


            def _solve(value, $flag):
                if $flag:
                    raise ArithmeticError("no convergence")
                return value * $state


            def $func($x, $flag):
                try:
                    return _solve($x, $flag)
                except ArithmeticError:
                    return $x * $state * 0.5
            """,
    ),
    Kind(
        "two polluters",
        Plant((False, False), needs_two),
        ("x", "flag", "group"),
        leak="""
            $state = {"calibrated": False}
            $other = {"scale": 1.0}


            def $func($x, $flag, $group):
                if $flag:
                    $state["calibrated"] = True
                if $state["calibrated"] and $group == 2:
                    $other["scale"] = 1.25
                return $x * $other["scale"]
            """,
        clean="""
            $state = {"calibrated": False}
            $other = {"scale": 1.0}


            def $func($x, $flag, $group):
                $state["calibrated"] = $flag
                $other["scale"] = 1.25 if $state["calibrated"] and $group == 2 else 1.0
                return $x * $other["scale"]
            """,
        planted=("$other", "$state"),
    ),
    Kind(
        "set up only once",
        Plant(False, only_once),
        ("x",),
        leak="""
            $state = False


            def $func($x):
                global $state
                if $state:
                    raise RuntimeError("the model is set up already")
                $state = True
                return $x
            """,
        clean="""
            $state = False


            def $func($x):
                global $state
                if not $state:
                    $state = True
                return $x
            """,
    ),
    Kind(
        "exit at the second call",
        Plant(False, only_once),
        ("x",),
        leak="""
            import sys

            $state = []


            def $func($x):
                if $state:
                    sys.exit("one run for each process, please")
                $state.append($x)
                return $x
            """,
        clean="""
            import sys

            $state = []


            def $func($x):
                if $x < 0:
                    sys.exit("no negative numbers, please")
                $state.append($x)
                return $x
            """,
    ),
    Kind(
        "process gone at a later call",
        Plant(False, breaks_others),
        ("x", "flag"),
        leak="""
            import os

            $state = {"open": True}


            def $func($x, $flag):
                if not $state["open"] and not $flag:
                    os._exit(3)
                if $flag:
                    $state["open"] = False
                return $x
            """,
        clean="""
            import os

            $state = {"open": True}


            def $func($x, $flag):
                $state["open"] = not $flag
                if not $state["open"] and not $flag:
                    os._exit(3)
                return $x
            """,
    ),
    Kind(
        "constant that runs out",
        Plant(0, counts),
        ("x",),
        leak="""
            $state = [1.0 + step / 64 for step in range(200)]


            def $func($x):
                return $x * $state.pop()
            """,
        clean="""
            $state = [1.0 + step / 64 for step in range(200)]


            def $func($x):
                return $x * list($state).pop()
            """,
    ),
)
"""Sequences that find these are longer, or must end in something else than a different output."""

UNSTEADY = (
    Kind(
        "order of a set",
        Plant(None, nothing),
        ("x",),
        leak="""
            $state = ["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gita", "Hugo", "Ines", "Jan", "Kira", "Leo"]


            def $func($x):
                return $x + sum(place * len(name) / (place + 2) for place, name in enumerate(set($state)))
            """,
        clean="""
            $state = ["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gita", "Hugo", "Ines", "Jan", "Kira", "Leo"]


            def $func($x):
                return $x + sum(place * len(name) / (place + 2) for place, name in enumerate(sorted(set($state))))
            """,
        is_unsteady=True,
    ),
    Kind(
        "hash of a text",
        Plant(None, nothing),
        ("x",),
        leak="""
            def $func($x):
                return $x + hash("$state") % 1000
            """,
        clean="""
            import zlib


            def $func($x):
                return $x + zlib.crc32(b"$state") % 1000
            """,
        is_unsteady=True,
    ),
    Kind(
        "time of day",
        Plant(None, nothing),
        ("x",),
        leak="""
            import time


            def $func($x):
                return $x + time.time_ns() % 1_000_003
            """,
        clean="""
            import sys
            import time


            def $func($x):
                began = time.time_ns()
                value = $x * 3
                print("took", time.time_ns() - began, "ns", file=sys.stderr)
                return value
            """,
        is_unsteady=True,
    ),
    Kind(
        "generator without a seed",
        Plant(None, nothing),
        ("x",),
        leak="""
            import random


            def $func($x):
                return $x + random.random()
            """,
        clean="""
            import random


            def $func($x):
                return $x + random.Random(4).random()
            """,
        is_unsteady=True,
    ),
    Kind(
        "number of the process",
        Plant(None, nothing),
        ("x",),
        leak="""
            import os


            def $func($x):
                return $x + os.getpid()
            """,
        clean="""
            import os


            def $func($x):
                return $x + (os.getpid() > 0)
            """,
        is_unsteady=True,
    ),
)
"""The leaky one gives another output each time, or under another hash seed; nothing else can be said of it then."""
