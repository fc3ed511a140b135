"""Kinds of leaks that show only in some orders, after some tasks, or by an end."""

from leaks.plants import (
    Kind,
    Plant,
    breaks_others,
    larger_last_stays,
    largest_stays,
    needs_two,
    one_group_meets_another,
    only_once,
    only_three_fit,
    shows_two_later,
    spoils,
    sticks,
)

__all__ = ["PYTHON_ORDERS"]

PYTHON_ORDERS = (
    Kind(
        "only the fourth set",
        Plant(only_three_fit, ()),
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
        Plant(larger_last_stays, 0.0),
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
        "only right after one task",
        Plant(one_group_meets_another, 0),
        ("x", "group"),
        leak="""
            $state = 0


            def $func($x, $group):
                global $state
                before, $state = $state, $group
                return $x * (0.5 if (before, $group) == (2, 1) else 1.0)
            """,
        clean="""
            $state = 0


            def $func($x, $group):
                global $state
                before, $state = $state, $group
                return $x * (0.5 if (before, $group) == (2, -1) else 1.0)
            """,
        is_hidden=True,
    ),
    Kind(
        "largest so far",
        Plant(largest_stays, 0.0),
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
        Plant(spoils, start=False),
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
        Plant(sticks, start=False),
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
        Plant(needs_two, (False, False)),
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
        "seen two tasks later",
        Plant(shows_two_later, (False, False)),
        ("x", "flag"),
        leak="""
            $state = [False, False]


            def $func($x, $flag):
                $state.append($flag)
                return $x * (0.5 if $state.pop(0) else 1.0)
            """,
        clean="""
            $state = [False, False]


            def $func($x, $flag):
                $state.append($flag)
                return $x * (0.5 if $state.pop(0) and $x < 0 else 1.0)
            """,
    ),
    Kind(
        "set up only once",
        Plant(only_once, start=False),
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
        Plant(only_once, start=False),
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
        Plant(breaks_others, start=False),
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
)
"""Sequences that find these are longer, or end in something else than another output."""
