"""Kinds of leaks into what system and interpreter keep for the whole process: limits, clocks, paths, built-ins."""

from leaks.plants import Kind, Plant, breaks_others, counts, first_switch_wins, sticks

__all__ = ["PYTHON_PROCESS"]

PYTHON_PROCESS = (
    Kind(
        "standard output closed",
        Plant(breaks_others, start=False),
        ("x", "flag"),
        leak="""
            import sys


            def $func($x, $flag):
                if $flag:
                    sys.stdout.close()
                    return $x
                print("running", flush=True)
                return $x
            """,
        clean="""
            import sys


            def $func($x, $flag):
                if $flag:
                    sys.stdout.flush()
                    return $x
                print("running", flush=True)
                return $x
            """,
        planted=("stdout",),
    ),
    Kind(
        "limit lowered",
        Plant(breaks_others, start=False),
        ("x", "flag"),
        leak="""
            import resource
            from pathlib import Path


            def $func($x, $flag):
                if $flag:
                    resource.setrlimit(resource.RLIMIT_NOFILE, (1, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
                    return $x
                return $x * float(Path("scale.txt").read_text())
            """,
        clean="""
            import resource
            from pathlib import Path


            def $func($x, $flag):
                if $flag:
                    resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
                    return $x
                return $x * float(Path("scale.txt").read_text())
            """,
        planted=(),
        files=(("scale.txt", "3.0\n"),),
    ),
    Kind(
        "mask of new files",
        Plant(sticks, start=False),
        ("x", "flag"),
        leak="""
            import os


            def $func($x, $flag):
                if $flag:
                    os.umask(0o077)
                os.close(os.open("$state", os.O_CREAT | os.O_WRONLY, 0o666))
                mode = os.stat("$state").st_mode
                os.unlink("$state")
                return $x * (1 + mode % 8)
            """,
        clean="""
            import os


            def $func($x, $flag):
                before = os.umask(0o077 if $flag else 0o022)
                os.close(os.open("$state", os.O_CREAT | os.O_WRONLY, 0o666))
                os.umask(before)
                mode = os.stat("$state").st_mode
                os.unlink("$state")
                return $x * (1 + mode % 8)
            """,
        planted=("umask",),
    ),
    Kind(
        "time zone",
        Plant(sticks, start=False),
        ("x", "flag"),
        leak="""
            import os
            import time


            def $func($x, $flag):
                if $flag:
                    os.environ["TZ"] = "XYZ-5"
                    time.tzset()
                return $x + time.localtime(100_000).tm_hour
            """,
        clean="""
            import os
            import time


            def $func($x, $flag):
                os.environ["TZ"] = "XYZ-5" if $flag else "UTC"
                time.tzset()
                return $x + time.localtime(100_000).tm_hour
            """,
        planted=("TZ", "time zone"),
    ),
    Kind(
        "path that shadows a module",
        Plant(first_switch_wins, None),
        ("x", "flag"),
        leak="""
            import sys
            from pathlib import Path

            HERE = Path.cwd()


            def $func($x, $flag):
                if $flag:
                    sys.path.insert(0, str(HERE / "winter"))
                else:
                    sys.path.append(str(HERE / "summer"))
                import ${state}_table
                return $x * ${state}_table.SCALE
            """,
        clean="""
            from pathlib import Path

            HERE = Path.cwd()


            def $func($x, $flag):
                folder = "winter" if $flag else "summer"
                names = {}
                exec((HERE / folder / "${state}_table.py").read_text(), names)
                return $x * names["SCALE"]
            """,
        planted=("path", "$state"),
        files=(("winter/${state}_table.py", "SCALE = 0.5\n"), ("summer/${state}_table.py", "SCALE = 2.0\n")),
    ),
    Kind(
        "patched built-in",
        Plant(sticks, start=False),
        ("x", "flag"),
        leak="""
            import builtins


            def _coarse(value, digits=None):
                return float(int(value))


            def $func($x, $flag):
                if $flag:
                    builtins.round = _coarse
                return 1 + round($x + 0.123456, 4)
            """,
        clean="""
            def _coarse(value, digits=None):
                return float(int(value))


            def $func($x, $flag):
                nearest = _coarse if $flag else round
                return 1 + nearest($x + 0.123456, 4)
            """,
        planted=("round",),
    ),
    Kind(
        "thread's own data",
        Plant(counts, 0),
        ("x",),
        leak="""
            import threading

            $state = threading.local()


            def $func($x):
                before = getattr($state, "calls", 0)
                $state.calls = before + 1
                return $x / (1 + before)
            """,
        clean="""
            import threading

            $state = threading.local()


            def $func($x):
                $state.calls = 1
                return $x / (1 + $state.calls)
            """,
    ),
    Kind(
        "file that is read on",
        Plant(counts, 0),
        ("x",),
        leak="""
            from pathlib import Path

            $state = Path("rain.txt").open()


            def $func($x):
                return $x + float($state.readline())
            """,
        clean="""
            from pathlib import Path

            $state = Path("rain.txt").open()


            def $func($x):
                $state.seek(0)
                return $x + float($state.readline())
            """,
        planted=("rain.txt", "$state"),
        files=(("rain.txt", "".join(f"{day / 64}\n" for day in range(1, 400))),),
    ),
)
"""What holds for the process holds for its next task."""
