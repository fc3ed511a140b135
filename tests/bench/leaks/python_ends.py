"""Kinds of leaks that end a later task, or its process, instead of changing what it gives."""

from leaks.plants import Kind, Plant, breaks_others, only_once

__all__ = ["PYTHON_ENDS"]

PYTHON_ENDS = (
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
"""The clean ones could end, and never do."""
