"""Prints what the command line costs, as ratios to F: `python -I -c pass` of the same interpreter, in the same run.

Rows are interleaved, so that a busy machine slows all of them alike. Goals: PERFORMANCE, column "first".
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = 15


def main() -> int:
    """Print one line a row; return 1 if a ratio is above its goal."""
    bundlekit = str(Path(sys.executable).with_name("bundlekit"))
    rows: list[tuple[str, list[str], float]] = [
        ("python -I -c pass (F)", [sys.executable, "-I", "-c", "pass"], 1.0),
        ("bundlekit --version", [bundlekit, "--version"], 4.0),
        ("validate --level static sir", [bundlekit, "validate", "--level", "static", "examples/sir"], 20.0),
    ]
    seconds: list[list[float]] = [[] for _ in rows]
    for command in (command for _, command, _ in rows):
        _timed(command)  # the first start reads files from disk and may write bytecode
    for _ in range(ROUNDS):
        for column, (_, command, _) in zip(seconds, rows, strict=True):
            column.append(_timed(command))
    floor = statistics.median(seconds[0])
    missed = 0
    print(f"{'what':<30} {'median':>9} {'ratio':>7} {'goal':>7}")
    for (name, _, goal), column in zip(rows, seconds, strict=True):
        median = statistics.median(column)
        missed += median / floor > goal
        print(f"{name:<30} {median * 1e3:6.1f} ms {median / floor:5.1f} F {goal:5.1f} F")
    return int(missed > 0)


def _timed(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
