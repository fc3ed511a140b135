"""Prints what a snapshot of native state costs, in reads of /proc/pid/maps alone: the least that any look needs.

Time is the processor's, of this process: others that wait for one do not count.

Run it as ``python tests/bench/bench_native_state.py [ROUNDS [PYTHON]]``. PYTHON is one with the modules that are to be
there as well: those of numpy, pandas, scipy and pyarrow that it has are imported.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from builders.native_modules import NativeProcess, compiled

from bundlekit.isolation.native.snapshot import NativeSnapshot, snapshot_of
from bundlekit.isolation.native.watch import NativeWatch

_BESIDE = ("numpy", "pandas", "scipy.sparse", "scipy.stats", "pyarrow")
_GOAL_MS = 50.0


def main(rounds: int, python: str) -> int:
    """Measure a process with the planted module alone, and one with others beside it."""
    found = [name for name in _BESIDE if subprocess.run([python, "-c", f"import {name}"], check=False).returncode == 0]
    slowest = 0.0
    with tempfile.TemporaryDirectory() as directory:
        code = compiled(Path(directory)).whole
        for names in ([], found[:2], found):
            with NativeProcess(code, *names, python=python) as process:
                slowest = max(slowest, _measured(process, rounds, ", ".join(names) or "nothing beside"))
    return int(slowest > _GOAL_MS)


def _measured(process: NativeProcess, rounds: int, label: str) -> float:
    watch = NativeWatch()
    started = time.process_time()
    snapshots = [watch.snapshot(process)]
    first = 1000 * (time.process_time() - started)
    maps = Path(f"/proc/{process.pid}/maps")
    floor = _median(maps.read_bytes, rounds)
    again = _median(lambda: snapshot_of(process, snapshots[0]), rounds)
    for task in (3, 3, 5, 3):
        process.call("local", task)
        snapshots.append(watch.snapshot(process))
    compared = _median(lambda: watch.changes(snapshots, (3, 3, 5, 3)), rounds)
    print(
        f"{label}: {_size(snapshots[0])}; first snapshot {first:.1f} ms, each other {again:.2f} ms "
        f"({again / floor:.1f} times reading the maps), comparing five {compared:.1f} ms"
    )
    return again


def _size(snapshot: NativeSnapshot) -> str:
    libraries = len({name for name, _ in snapshot.regions})
    size = sum(len(each.data) for each in snapshot.regions.values())
    return f"{libraries} libraries looked at, {size / 1024:.0f} KiB, {len(snapshot.blocks)} blocks"


def _median(look: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        look()
        taken.append(1000 * (time.process_time() - started))
    return statistics.median(taken)


if __name__ == "__main__":
    raise SystemExit(main(int((sys.argv[1:] or ["30"])[0]), (sys.argv[2:] or [sys.executable])[0]))
