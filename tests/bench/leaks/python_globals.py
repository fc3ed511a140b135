"""Kinds of leaks that live in Python objects: globals, defaults, classes, closures."""

from leaks.plants import Kind, Plant, counts, counts_distinct, first_wins, gathers, sticks

__all__ = ["PYTHON_GLOBALS"]

PYTHON_GLOBALS = (
    Kind(
        "module list",
        Plant(counts, 0),
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
        Plant(counts, 0),
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
        Plant(counts_distinct, frozenset()),
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
        Plant(gathers, ()),
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
        "singleton",
        Plant(first_wins, None),
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
        "closure",
        Plant(counts, 0),
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
        Plant(counts, 0),
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
        Plant(sticks, start=False),
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
        "constant that runs out",
        Plant(counts, 0),
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
"""Kept between calls by the language's own means."""
