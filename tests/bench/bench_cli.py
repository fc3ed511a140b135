"""Prints what the command line costs, as ratios to F: `python -I -c pass` of the same interpreter, in the same run.

Rows are interleaved, so that a busy machine slows all of them alike. Goals: PERFORMANCE, column "goal"; that of the
version is still the first one.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = 15


def main() -> int:
    """Print one line a row; return 1 if a ratio is above its goal."""
    bundlekit = str(Path(sys.executable).with_name("bundlekit"))
    static = [bundlekit, "validate", "--level", "static"]
    rows: list[tuple[str, list[str], float]] = [
        ("python -I -c pass (F)", [sys.executable, "-I", "-c", "pass"], 1.0),
        ("bundlekit --version", [bundlekit, "--version"], 4.0),
        ("import typer", [sys.executable, "-c", "import typer"], 6.0),
        ("static sir, read anew", [*static, "--no-cache", "examples/sir"], 12.0),
        ("static sir, known-good", [*static, "examples/sir"], 9.0),
    ]
    seconds: list[list[float]] = [[] for _ in rows]
    with tempfile.TemporaryDirectory(prefix="bundlekit-") as cache:
        for command in (command for _, command, _ in rows):
            _timed(command, cache)  # the first start reads files from disk, may write bytecode and makes a bundle known
        for _ in range(ROUNDS):
            for column, (_, command, _) in zip(seconds, rows, strict=True):
                column.append(_timed(command, cache))
    floor = statistics.median(seconds[0])
    missed = 0
    print(f"{'what':<30} {'median':>9} {'ratio':>7} {'goal':>7}")
    for (name, _, goal), column in zip(rows, seconds, strict=True):
        median = statistics.median(column)
        missed += median / floor > goal
        print(f"{name:<30} {median * 1e3:6.1f} ms {median / floor:5.1f} F {goal:5.1f} F")
    return int(missed > 0)


def _timed(command: Sequence[str], cache: str) -> float:
    environment = {**os.environ, "VENVS_DIR": cache}
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
