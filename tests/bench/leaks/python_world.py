"""Kinds of leaks into what a process shares: environment, directory, files, threads, contexts, other modules."""

from leaks.plants import Kind, Plant, breaks_others, counts_switched, first_seed_wins, first_wins, sticks, sticks_after

__all__ = ["PYTHON_WORLD"]

PYTHON_WORLD = (
    Kind(
        "environment",
        Plant(False, sticks),
        ("x", "flag"),
        leak="""
            import os


            def $func($x, $flag):
                if $flag:
                    os.environ["$VAR"] = "fast"
                return $x * (0.5 if os.environ.get("$VAR") == "fast" else 1.0)
            """,
        clean="""
            import os


            def $func($x, $flag):
                os.environ["$VAR"] = "fast" if $flag else "exact"
                return $x * (0.5 if os.environ.get("$VAR") == "fast" else 1.0)
            """,
        planted=("$VAR",),
    ),
    Kind(
        "working directory",
        Plant(False, sticks),
        ("x", "flag"),
        leak="""
            import os
            from pathlib import Path


            def $func($x, $flag):
                if $flag and Path("region").is_dir():
                    os.chdir("region")
                return $x * float(Path("scale.txt").read_text())
            """,
        clean="""
            import contextlib
            from pathlib import Path


            def $func($x, $flag):
                with contextlib.chdir("region" if $flag else "."):
                    return $x * float(Path("scale.txt").read_text())
            """,
        planted=("cwd",),
        files=(("scale.txt", "1.0\n"), ("region/scale.txt", "2.0\n")),
    ),
    Kind(
        "directory that the next task is lost in",
        Plant(False, breaks_others),
        ("x", "flag"),
        leak="""
            import os
            from pathlib import Path


            def $func($x, $flag):
                if $flag:
                    if Path("region").is_dir():
                        os.chdir("region")
                    return $x
                return $x * float(Path("scale.txt").read_text())
            """,
        clean="""
            import os
            from pathlib import Path


            def $func($x, $flag):
                before = Path.cwd()
                if $flag:
                    os.chdir("region")
                    os.chdir(before)
                    return $x
                return $x * float(Path("scale.txt").read_text())
            """,
        planted=("cwd",),
        files=(("scale.txt", "3.0\n"), ("region/notes.txt", "none\n")),
    ),
    Kind(
        "file left behind",
        Plant(None, first_wins),
        ("x",),
        leak="""
            from pathlib import Path

            $state = Path("$state.txt")


            def $func($x):
                if not $state.exists():
                    $state.write_text(repr($x * 1.5))
                return float($state.read_text())
            """,
        clean="""
            from pathlib import Path

            $state = Path("$state.txt")


            def $func($x):
                $state.write_text(repr($x * 1.5))
                return float($state.read_text())
            """,
    ),
    Kind(
        "temporary file left behind",
        Plant(None, first_wins),
        ("x",),
        leak="""
            import os
            import tempfile


            def $func($x):
                path = os.path.join(tempfile.gettempdir(), "$state.txt")
                if not os.path.exists(path):
                    with open(path, "w") as file:
                        file.write(repr($x / 3))
                with open(path) as file:
                    return float(file.read())
            """,
        clean="""
            import tempfile


            def $func($x):
                with tempfile.TemporaryFile("w+") as file:
                    file.write(repr($x / 3))
                    file.seek(0)
                    return float(file.read())
            """,
    ),
    Kind(
        "thread left running",
        Plant(0, sticks_after),
        ("x", "flag"),
        leak="""
            import threading

            $state = threading.Event()


            def $func($x, $flag):
                parts = 1 + sum(thread.name == "$other" for thread in threading.enumerate())
                if $flag:
                    threading.Thread(target=$state.wait, name="$other", daemon=True).start()
                return sum($x / part for part in range(1, parts + 1))
            """,
        clean="""
            import threading


            def $func($x, $flag):
                parts = 1 + sum(thread.name == "$other" for thread in threading.enumerate())
                if $flag:
                    done = threading.Event()
                    helper = threading.Thread(target=done.wait, name="$other", daemon=True)
                    helper.start()
                    done.set()
                    helper.join()
                return sum($x / part for part in range(1, parts + 1))
            """,
        planted=("$other",),
    ),
    Kind(
        "decimal context",
        Plant(False, sticks),
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
        Plant(False, breaks_others),
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
        "patched module",
        Plant(False, sticks),
        ("x", "flag"),
        leak="""
            import math


            def _fast(value):
                return value - value * value / 2


            def $func($x, $flag):
                if $flag:
                    math.log1p = _fast
                return 1 + math.log1p($x)
            """,
        clean="""
            import math


            def _fast(value):
                return value - value * value / 2


            def $func($x, $flag):
                exact = math.log1p
                try:
                    if $flag:
                        math.log1p = _fast
                    return 1 + math.log1p($x)
                finally:
                    math.log1p = exact
            """,
        planted=("log1p",),
    ),
    Kind(
        "import of a plug-in",
        Plant(False, sticks),
        ("x", "flag"),
        leak="""
            $state = {"scale": 1.0}


            def $func($x, $flag):
                if $flag:
                    from $package import plugin  # registers itself
                return $x * $state["scale"]
            """,
        clean="""
            $state = {"scale": 1.0}


            def $func($x, $flag):
                if $flag:
                    from $package import constants
                    return $x * constants.SCALE
                return $x * $state["scale"]
            """,
        files=(
            ("$package/plugin.py", 'from $package import model\n\nmodel.$state["scale"] = 0.75\n'),
            ("$package/constants.py", "SCALE = 0.75\n"),
        ),
    ),
    Kind(
        "context variable",
        Plant(False, sticks),
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
        Plant(False, breaks_others),
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
        "NumPy seeded once",
        Plant(None, first_seed_wins),
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
        needs=("numpy>=2.0",),
    ),
    Kind(
        "NumPy error state",
        Plant(False, breaks_others),
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
        Plant(False, sticks),
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
    Kind(
        "array scaled in place",
        Plant(0, counts_switched),
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
"""Everything here is restored by nobody between two tasks of one process."""
