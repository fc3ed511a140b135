"""Kinds of leaks into settings of the interpreter and of libraries."""

from leaks.plants import Kind, Plant, breaks_others, sticks

__all__ = ["PYTHON_CONTEXTS"]

PYTHON_CONTEXTS = (
    Kind(
        "decimal context",
        Plant(sticks, start=False),
        ("x", "flag"),
        leak="""
            from decimal import Decimal, getcontext


            def $func($x, $flag):
                if $flag:
                    getcontext().prec = 6
                return float(Decimal(repr($x)) / Decimal(7919))
            """,
        clean="""
            from decimal import Decimal, localcontext


            def $func($x, $flag):
                with localcontext() as context:
                    context.prec = 6 if $flag else 20
                    return float(Decimal(repr($x)) / Decimal(7919))
            """,
        planted=("decimal",),
    ),
    Kind(
        "warnings that become errors",
        Plant(breaks_others, start=False),
        ("x", "flag"),
        leak="""
            import warnings


            def $func($x, $flag):
                if $flag:
                    warnings.simplefilter("error")
                    return $x
                warnings.warn("the rate is near the limit", RuntimeWarning)
                return $x * 2
            """,
        clean="""
            import warnings


            def $func($x, $flag):
                with warnings.catch_warnings():
                    if $flag:
                        warnings.simplefilter("error")
                        return $x
                    warnings.warn("the rate is near the limit", RuntimeWarning)
                return $x * 2
            """,
        planted=("warnings",),
    ),
    Kind(
        "context variable",
        Plant(sticks, start=False),
        ("x", "flag"),
        leak="""
            from contextvars import ContextVar

            $state = ContextVar("$state", default=1.0)


            def $func($x, $flag):
                if $flag:
                    $state.set(1.5)
                return $x * $state.get()
            """,
        clean="""
            from contextvars import ContextVar

            $state = ContextVar("$state", default=1.0)


            def $func($x, $flag):
                token = $state.set(1.5 if $flag else 1.0)
                try:
                    return $x * $state.get()
                finally:
                    $state.reset(token)
            """,
    ),
    Kind(
        "recursion limit",
        Plant(breaks_others, start=False),
        ("x", "flag"),
        leak="""
            import sys


            def _deep(value, depth):
                return value if depth == 0 else _deep(value, depth - 1)


            def $func($x, $flag):
                if $flag:
                    sys.setrecursionlimit(400)
                    return $x
                return _deep($x, 600)
            """,
        clean="""
            import sys


            def _deep(value, depth):
                return value if depth == 0 else _deep(value, depth - 1)


            def $func($x, $flag):
                limit = sys.getrecursionlimit()
                if $flag:
                    sys.setrecursionlimit(400)
                    sys.setrecursionlimit(limit)
                    return $x
                return _deep($x, 600)
            """,
        planted=("recursion",),
    ),
    Kind(
        "NumPy error state",
        Plant(breaks_others, start=False),
        ("x", "flag"),
        leak="""
            import numpy as np


            def $func($x, $flag):
                if $flag:
                    np.seterr(all="raise")
                    return $x
                return $x + float(np.exp(np.float64(-1000.0)))
            """,
        clean="""
            import numpy as np


            def $func($x, $flag):
                with np.errstate(all="raise" if $flag else "ignore"):
                    return $x if $flag else $x + float(np.exp(np.float64(-1000.0)))
            """,
        planted=("numpy",),
        needs=("numpy>=2.0",),
    ),
    Kind(
        "NumPy print options",
        Plant(sticks, start=False),
        ("x", "flag"),
        leak="""
            import numpy as np


            def $func($x, $flag):
                if $flag:
                    np.set_printoptions(precision=2)
                return float(str(np.array([$x / 7]))[1:-1])
            """,
        clean="""
            import numpy as np


            def $func($x, $flag):
                with np.printoptions(precision=2 if $flag else 8):
                    return float(str(np.array([$x / 7]))[1:-1])
            """,
        planted=("print",),
        needs=("numpy>=2.0",),
    ),
)
"""Each clean one sets the same, and sets it back."""
