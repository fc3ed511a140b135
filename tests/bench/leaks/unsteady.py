"""Kinds of bundles that give another output each time, or under another hash seed, whatever ran before."""

from leaks.plants import Kind, Plant, nothing

__all__ = ["UNSTEADY"]

UNSTEADY = (
    Kind(
        "order of a set",
        Plant(nothing, None),
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
        Plant(nothing, None),
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
        Plant(nothing, None),
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
        Plant(nothing, None),
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
        "now and then another result",
        Plant(nothing, None),
        ("x",),
        leak="""
            import os


            def $func($x):
                return $x + (os.urandom(1)[0] < 96)
            """,
        clean="""
            import os


            def $func($x):
                return $x + (os.urandom(1)[0] < 256)
            """,
        is_unsteady=True,
    ),
    Kind(
        "unsteady when switched on",
        Plant(nothing, None),
        ("x", "flag"),
        leak="""
            import random


            def $func($x, $flag):
                return $x * random.gauss(1, 0.1) if $flag else $x
            """,
        clean="""
            import random


            def $func($x, $flag):
                return $x * random.Random(str($x)).gauss(1, 0.1) if $flag else $x
            """,
        is_unsteady=True,
    ),
    Kind(
        "number of the process",
        Plant(nothing, None),
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
"""Nothing else can be said of those that are planted."""
