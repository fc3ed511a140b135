"""Run a grid: every task of a grid file or a job specification, several at once, with results that can be continued."""

import math
import os
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.grid_runs import GridPlan, GridWatcher, run_and_keep, run_plan
from bundlekit.api.grid_targets import replicates_of, targets_of
from bundlekit.api.inputs import BundleDirectory, opened, snapshot
from bundlekit.api.local_executors import checked_executor
from bundlekit.errors import TaskRefusedError, UsageError
from bundlekit.executors.backend import run_settings
from bundlekit.executors.cold import BundleToRun, ColdOptions
from bundlekit.grid.results_file import ResultsFormat, results_format
from bundlekit.grid.rows import Numbered
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.grid import Grid, GridIdentity, GridOutcome, Tally
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest
from bundlekit.read.grid import read_grid

__all__ = ["GridOptions", "GridWatcher", "processors", "read_tasks", "refuse_inside", "run_grid"]


class GridOptions(NamedTuple):
    """How a grid runs: `spec` is the file that says what, `jobs` how many at once (None: one for each processor).

    `results` is the file that is written, or continued if it is there. With the address of a `scheduler` the workers of
    its cluster say how, so that nothing else may be told of it here. On this machine None is cold, and an hour.
    """

    spec: Path
    executor: str | None = None
    jobs: int | None = None
    timeout_s: float | None = None
    expect_fresh_pids: bool = False
    results: Path | None = None
    python: str | None = None
    sandbox: str = "off"
    scheduler: str | None = None


def run_grid(path: Path, options: GridOptions, watcher: GridWatcher) -> GridOutcome:
    """Run the tasks of a grid on the bundle or archive at `path`; an earlier run's rows are among those returned.

    SIGINT and SIGTERM end it in order while tasks run: what is done is kept, and the outcome is `interrupted`.

    Raises:
        UsageError: an option that cannot be used, or results of another bundle or grid.
        TaskRefusedError: the grid file asks for nothing that could be run.
        FileAccessError: the results cannot be written.
        BundlekitError: the bundle cannot be run at all: no name, no single wire, unreadable.
    """
    form = _checked(options)
    watcher.step(f"reading {options.spec}")
    grid = read_tasks(options.spec, watcher.warn)
    with opened(path) as bundle:
        plan = _planned(bundle, grid, options)
        if options.results is None or form is None:
            return run_plan(plan, watcher)
        return run_and_keep(plan, watcher, options.results, form)


def _checked(options: GridOptions) -> ResultsFormat | None:
    if options.scheduler is not None:
        _check_left_to_workers(options)
    if options.timeout_s is not None and not 0 < options.timeout_s < math.inf:
        msg = f"--timeout-s {options.timeout_s}: expected a number of seconds above 0"
        raise UsageError(msg, subject=options.timeout_s)
    if options.jobs is not None and options.jobs < 1:
        msg = f"--jobs {options.jobs}: expected at least 1"
        raise UsageError(msg, subject=options.jobs)
    return None if options.results is None else results_format(options.results)


def _check_left_to_workers(options: GridOptions) -> None:
    """Refuse options that would have no effect: workers read their own variables (DESIGN decision 11)."""
    told = {
        "--executor": (options.executor, "MODELOPS_EXECUTOR_TYPE"),
        "--timeout-s": (options.timeout_s, "MODELOPS_RPC_TIMEOUT_SECONDS"),
        "--jobs": (options.jobs, "the threads of each `dask worker`"),
        "--python": (options.python, "the bundle's own settings"),
        "--sandbox": (None if options.sandbox == "off" else options.sandbox, "the workers, which run without"),
    }
    for option, (value, whose) in told.items():
        if value is not None:
            msg = f"{option} {value}: with --scheduler that is for the workers to say: {whose}"
            raise UsageError(msg, subject=value, hint=f"leave {option} out")


def read_tasks(spec: Path, warn: Callable[[str], None]) -> Grid:
    """Return the tasks of a grid file or a job specification.

    Raises:
        UsageError: there is no such file.
        TaskRefusedError: it asks for nothing that could be run.
    """
    if not spec.is_file():
        msg = f"--grid-spec {spec} is no file: expected a grid file or a job specification in JSON"
        raise UsageError(msg, subject=spec)
    problems: list[Finding] = []
    grid = read_grid(spec, problems)
    for problem in problems:
        if problem.severity is not Severity.ERROR:
            warn(f"warning: {problem.message}{f' ({problem.hint})' if problem.hint else ''}")
    if grid is None:
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        msg = "; ".join(
            each.message if each.line is None else f"{each.path}:{each.line}: {each.message}" for each in errors
        )
        raise TaskRefusedError(msg, subject=spec, hint=next((each.hint for each in errors if each.hint), None))
    return grid


def _planned(bundle: BundleDirectory, grid: Grid, options: GridOptions) -> GridPlan:
    project = snapshot(bundle)
    if options.results is not None:
        refuse_inside("--results", options.results, bundle.root, [each.path for each in project.excluded])
    files = hash_tree(bundle.root, project.members)
    manifest = manifest_of(project, files)
    digest = manifest_digest(manifest)
    numbered = tuple(Numbered(number, task.task_id(digest), task) for number, task in enumerate(grid.tasks))
    ids = sha256("\n".join(each.task_id for each in numbered).encode())
    identity = GridIdentity(digest, Digest.from_hex(ids.hexdigest()), len(numbered))
    asked = ColdOptions(python=options.python, sandbox=options.sandbox)
    bundle_to_run = BundleToRun(bundle.root, files, digest, run_settings(project.settings))
    is_local = options.scheduler is None
    targets = targets_of(options.spec, project.registry)
    outcome = GridOutcome(
        label=bundle.label,
        name=manifest.name,
        version=manifest.version,
        spec=grid.path,
        identity=identity,
        executor=checked_executor(options.executor or "cold", bundle_to_run, asked) if is_local else "",
        jobs=min(_at_once(options), len(numbered)) if is_local else 0,
        rows=(),
        tally=Tally(len(numbered)),
        results=options.results,
        targets=targets.entrypoints,
        target_sets=targets.sets,
    )
    return GridPlan(
        bundle=bundle_to_run,
        options=asked,
        tasks=numbered,
        replicates=replicates_of(grid.tasks, targets),
        timeout_s=(options.timeout_s or 3600.0) if is_local else math.inf,
        expects_fresh_pids=options.expect_fresh_pids,
        scheduler=options.scheduler,
        outcome=outcome,
    )


def refuse_inside(option: str, results: Path, root: Path, left_out: Sequence[str]) -> None:
    """Refuse results in the bundle: they would ship, and change its digest, so that they could not be continued.

    Raises:
        UsageError: the file `results`, which `option` names, would become one of the bundle's at `root`; of the
            directories in it, those that are `left_out` do not ship.
    """
    place = results.absolute().parent.resolve() / results.name
    if not place.is_relative_to(root.resolve()):
        return
    relative = place.relative_to(root.resolve()).as_posix()
    if not any(relative.startswith(each) for each in left_out if each.endswith("/")):
        msg = (
            f"{option} {results} is in the bundle, which it would become a part of: each run would have another digest"
        )
        hint = "name a file outside of it, or in a directory that does not ship, such as .bundlekit"
        raise UsageError(msg, subject=results, hint=hint)


def _at_once(options: GridOptions) -> int:
    """Return how many tasks run at once on this machine; without a number one for each processor that may be used."""
    if options.executor == "direct":
        return 1
    if options.jobs is not None:
        return options.jobs
    return processors()


def processors() -> int:
    """Return how many this process may use, which can be fewer than there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
