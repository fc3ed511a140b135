"""Kinds of leaks into what a process shares: environment, directory, files, threads, other modules."""

from leaks.plants import Kind, Plant, breaks_others, first_wins, sticks, sticks_after

__all__ = ["PYTHON_WORLD"]

PYTHON_WORLD = (
    Kind(
        "environment",
        Plant(sticks, start=False),
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
        Plant(sticks, start=False),
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
        Plant(breaks_others, start=False),
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
        Plant(first_wins, None),
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
        Plant(first_wins, None),
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
        Plant(sticks_after, 0),
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
        "patched module",
        Plant(sticks, start=False),
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
        Plant(sticks, start=False),
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
)
"""Nobody restores any of it between two tasks of one process."""
