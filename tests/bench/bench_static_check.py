"""Prints what the static stage costs: on 300 files against `ast.parse` of the same, on a small bundle against F.

The tree is generated with a fixed seed: 300 modules of 500 lines, functions, classes, tables and docstrings as models
have them. Reading, parsing, resolving and every rule are in "read and check"; the floor is parsing alone, with the
collector off, which is the best that any checker of syntax trees can do. F is `python -I -c pass`; for it, processor
time is compared. Goals: PERFORMANCE.
"""

import ast
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bundlekit.check.engine import check
from bundlekit.check.syntax import paused_collector
from bundlekit.read.project import read_project

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent.parent
FILES, LINES, ROUNDS, STARTS = 300, 500, 5, 15
GOAL_OF_TREE, GOAL_OF_BUNDLE = 2.0, 12.0
_SMALL = (
    "import pathlib; from bundlekit.read.project import read_project; from bundlekit.check.engine import check;"
    "check(read_project(pathlib.Path('examples/sir')))"
)


def main() -> int:
    """Print one line a row; return 1 if a ratio is above its goal."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        _write_tree(root)
        sources = [path.read_bytes() for path in sorted(root.rglob("*.py"))]
        lines = sum(source.count(b"\n") for source in sources)
        floor, ours = _interleaved(lambda: _parse(sources), lambda: check(read_project(root)))
    print(f"{len(sources)} files, {lines / 1000:.0f} kLOC")
    print(f"{'ast.parse of all':<32} {floor * 1e3:8.0f} ms")
    tree = ours / floor
    print(f"{'read and check':<32} {ours * 1e3:8.0f} ms {tree:5.2f} x   goal {GOAL_OF_TREE} x")
    start, small = _starts(["-I", "-c", "pass"]), _starts(["-c", _SMALL])
    print(f"{'python -I -c pass (F)':<32} {start * 1e3:8.1f} ms")
    print(f"{'read and check examples/sir':<32} {small * 1e3:8.1f} ms {small / start:5.2f} F   goal {GOAL_OF_BUNDLE} F")
    return int(tree > GOAL_OF_TREE or small / start > GOAL_OF_BUNDLE)


def _interleaved(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    columns: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for column, work in zip(columns, (first, second), strict=True):
            started = time.process_time()
            work()
            column.append(time.process_time() - started)
    return statistics.median(columns[0]), statistics.median(columns[1])


def _parse(sources: Sequence[bytes]) -> None:
    with paused_collector():
        for source in sources:
            ast.parse(source)


def _starts(arguments: Sequence[str]) -> float:
    """Return the median processor time of a new interpreter with these arguments, in seconds."""
    seconds = []
    for _ in range(STARTS):
        command = [sys.executable, *arguments]
        pid = os.posix_spawn(command[0], command, {**os.environ, "PYTHONPATH": str(ROOT)})
        _, _, usage = os.wait4(pid, 0)
        seconds.append(usage.ru_utime + usage.ru_stime)
    return statistics.median(seconds)


def _write_tree(root: Path) -> None:
    chance = random.Random(1)  # noqa: S311 - the same tree in every run, no secret
    (root / "model").mkdir()
    for number in range(FILES):
        (root / "model" / f"part{number}.py").write_text(_module(chance, number))
    (root / "model" / "__init__.py").write_text("from .part0 import step0 as step\n")
    (root / "model" / "wire.py").write_text(
        "from model import step\n\ndef wire(entrypoint, params, seed):\n    return step()\n"
    )
    (root / "pyproject.toml").write_text(
        '[project]\nname = "model"\nversion = "1.0"\ndependencies = ["numpy"]\n'
        '[project.entry-points."modelops.wire"]\nexecute = "model.wire:wire"\n'
        '[tool.bundlekit]\ntargets = ["model.part7:step0", "model.part9:step3"]\n'
    )


def _module(chance: random.Random, number: int) -> str:
    lines = [f'"""Part {number} of a generated model."""', "import math", "import numpy as np", ""]
    index = 0
    while len(lines) < LINES:
        a, b = chance.randrange(1, 99), chance.random()
        observed = "state" if index % 20 else f"open('data/observed{a}.csv')"
        lines += [
            f"def step{index}(state=None, rate={b:.3f}, *, scale={a}):",
            f'    """Return the state after {a} steps at a rate."""',
            f"    total = {{'s': {a}, 'i': {b:.4f}, 'r': [{a}, {a + 1}, {a + 2}]}}",
            f"    for day in range({a}):",
            f"        new = math.exp(-rate * day) * total['i'] / (scale + {a})",
            "        if new > 1e-9 and day % 7 != 0:",
            "            total['s'] -= new",
            "            total['i'] += new - np.sqrt(abs(new)) * 0.5",
            f"    observed = {observed}",
            "    return dict(total, observed=observed)",
            "",
            f"class Table{index}:",
            f"    columns = ('day', 'new', 'total{a}')",
            "    def rows(self, values):",
            "        return [(day, value, f'{value:.3f}') for day, value in enumerate(values) if value is not None]",
            "",
        ]
        index += 1
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
