"""Prints how long the isolation experiment takes beside one cold run of the same grid with as many jobs.

Run it as ``python tests/bench/bench_isolation.py [ROUNDS [TASKS [MILLISECONDS]]]``. The bundle is isolated, its task
computes for so long. Both are measured in turn within each round, from a prepared environment; only the ratio means
anything. Beside the whole it shows the experiment without a sandbox, since `grid` runs without one by default.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bundlekit.api.grid_runs import GridWatcher
from bundlekit.api.grids import GridOptions, run_grid
from bundlekit.api.isolation import IsolationOptions, IsolationWatcher, run_isolation
from bundlekit.model.isolation import Verdict

sys.path.insert(0, str(Path(__file__).parents[1]))
from builders.bundles import make_bundle

JOBS = 2
GOAL = 5.0
MODEL = """\
import time


def wire(entrypoint, params, seed):
    limit = time.process_time() + {seconds}
    while time.process_time() < limit:
        pass
    return {{"out": f"{{params['b']}} {{seed}}".encode()}}
"""


def cold_once(bundle: Path, spec: Path) -> float:
    """Return the seconds of one grid."""
    watcher = GridWatcher(lambda _step: None, lambda _tally: None, print)
    began = time.perf_counter()
    outcome = run_grid(bundle, GridOptions(spec, jobs=JOBS), watcher)
    seconds = time.perf_counter() - began
    if outcome.exit_status != 0:
        raise SystemExit(f"a task failed: {outcome.rows}")
    return seconds


def experiment(bundle: Path, spec: Path, sandbox: str) -> float:
    """Return the seconds of one experiment."""
    watcher = IsolationWatcher(lambda _step: None, print)
    began = time.perf_counter()
    outcome = run_isolation(bundle, IsolationOptions(spec, jobs=JOBS, sandbox=sandbox), watcher)
    seconds = time.perf_counter() - began
    if outcome.verdict is not Verdict.ISOLATED:
        raise SystemExit(f"expected isolated, found {outcome}")
    return seconds


def main(rounds: int, tasks: int, milliseconds: int) -> None:
    """Print medians of `rounds`."""
    with tempfile.TemporaryDirectory(prefix="bundlekit-bench-") as scratch:
        root = Path(scratch)
        os.environ["VENVS_DIR"] = str(root / "venvs")
        bundle = make_bundle(root / "bundle", {"model/wire.py": MODEL.format(seconds=milliseconds / 1000)})
        spec = root / "grid.json"
        values = [number / 10 for number in range(tasks // 2)]
        spec.write_text(json.dumps({"entrypoint": "main", "grid": {"b": values}, "seeds": [1, 2]}))
        cold_once(bundle, spec)
        measured: dict[str, list[float]] = {"grid, cold, once": [], "experiment": [], "experiment, no sandbox": []}
        for _ in range(rounds):
            measured["grid, cold, once"].append(cold_once(bundle, spec))
            measured["experiment"].append(experiment(bundle, spec, "auto"))
            measured["experiment, no sandbox"].append(experiment(bundle, spec, "off"))
    print(f"{tasks} tasks of {milliseconds} ms, {JOBS} at once, medians of {rounds} rounds, goal {GOAL} times the grid")
    grid = statistics.median(measured["grid, cold, once"])
    for name, seconds in measured.items():
        median = statistics.median(seconds)
        print(f"{name:24} {median:6.2f} s, {median / grid:.2f} times the grid")


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    main(*numbers, *(5, 16, 50)[len(numbers) :])
