"""Prints how many tasks a second `grid` runs, against the pool alone that it hands them to.

Run it as ``python tests/bench/bench_grid.py [ROUNDS [TASKS]]``. Both are measured in turn within each round; only the
ratio means anything. The grid keeps its results, so the ratio holds the journal, the ids and the results file too.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bundlekit.api.grid_runs import GridWatcher
from bundlekit.api.grids import GridOptions, run_grid
from bundlekit.cold_runner.environments.tree_digest import inventory
from bundlekit.executors.cold import BundleToRun, ColdOptions
from bundlekit.executors.cold_pool import ColdPool
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import ManifestFile

sys.path.insert(0, str(Path(__file__).parents[1]))
from builders.bundles import make_bundle

JOBS = 2
GOAL = 1.15


def by_pool(bundle: Path, count: int) -> float:
    """Return seconds for `count` tasks, handed to the pool by as many threads as it has supervisors."""
    listed = inventory(str(bundle), lambda _line: None)
    files = tuple(ManifestFile(path=path, size=size, mode=mode, sha256=digest) for path, mode, size, digest in listed)
    to_run = BundleToRun(bundle, files, Digest.of(b"bench"))
    with ColdPool(to_run, ColdOptions(), lambda _line: None, JOBS) as pool, ThreadPoolExecutor(JOBS) as threads:
        pool.prepare()
        tasks = [{"entrypoint": "main", "params": {"b": 0.1}, "seed": seed} for seed in range(count)]
        began = time.perf_counter()
        list(threads.map(lambda task: pool.simulate(task, 60.0), tasks))
        return time.perf_counter() - began


def by_grid(bundle: Path, root: Path, count: int) -> tuple[float, float]:
    """Return seconds of the tasks, and of the whole: files read and hashed, supervisors started, results written."""
    spec, results = root / "grid.json", root / "results.json"
    spec.write_text(json.dumps({"entrypoint": "main", "params": [{"b": 0.1}], "seeds": list(range(count))}))
    results.unlink(missing_ok=True)
    watcher = GridWatcher(lambda _step: None, lambda _tally: None, print)
    began = time.perf_counter()
    outcome = run_grid(bundle, GridOptions(spec, jobs=JOBS, results=results), watcher)
    seconds = time.perf_counter() - began
    if outcome.exit_status != 0:
        raise SystemExit(f"a task failed: {outcome.rows}")
    return outcome.tally.seconds, seconds


def main(rounds: int, count: int) -> None:
    """Print medians of `rounds`."""
    with tempfile.TemporaryDirectory(prefix="bundlekit-bench-") as scratch:
        root = Path(scratch)
        os.environ["VENVS_DIR"] = str(root / "venvs")
        bundle = make_bundle(root / "bundle", {})
        by_grid(bundle, root, JOBS)
        alone, tasks, whole = [], [], []
        for _ in range(rounds):
            alone.append(by_pool(bundle, count))
            of_tasks, of_all = by_grid(bundle, root, count)
            tasks.append(of_tasks)
            whole.append(of_all)
    pool, grid, everything = (statistics.median(each) for each in (alone, tasks, whole))
    print(f"{count} tasks, {JOBS} at once, medians of {rounds} rounds")
    print(f"pool alone        {count / pool:7.1f} tasks a second")
    print(
        f"grid, its tasks   {count / grid:7.1f} tasks a second, {grid / pool:.2f} times the pool's time (goal {GOAL})"
    )
    print(f"grid, all of it   {count / everything:7.1f} tasks a second, {everything / pool:.2f} times the pool's time")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, int(sys.argv[2]) if len(sys.argv) > 2 else 400)
