"""Run a grid: every task of a grid file or a job specification, several at once, with results that can be continued."""

import math
import os
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.grid_runs import GRID_EXECUTORS, GridPlan, GridWatcher, run_and_keep, run_plan
from bundlekit.api.inputs import BundleDirectory, opened, snapshot
from bundlekit.errors import TaskRefusedError, UsageError
from bundlekit.executors.backend import run_settings
from bundlekit.executors.cold import BundleToRun, ColdOptions
from bundlekit.grid.loop import Numbered
from bundlekit.grid.results_file import ResultsFormat, results_format
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.grid import Grid, GridIdentity, GridOutcome, Tally
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest
from bundlekit.read.grid import read_grid
from bundlekit.read.job_spec import read_job_spec

__all__ = ["GridOptions", "GridWatcher", "processors", "read_tasks", "refuse_inside", "run_grid"]


class GridOptions(NamedTuple):
    """How a grid runs: `spec` is the file that says what, `jobs` how many at once (None: one for each processor).

    `results` is the file that is written, or continued if it is there.
    """

    spec: Path
    executor: str = "cold"
    jobs: int | None = None
    timeout_s: float = 3600.0
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
        msg = f"--scheduler {options.scheduler}: grids run on this machine alone in this version"
        raise UsageError(msg, subject=options.scheduler, hint="leave it out, and say with --jobs how many run at once")
    if options.executor not in GRID_EXECUTORS:
        msg = (
            f"executor {options.executor!r} runs no grids in this version: expected one of {', '.join(GRID_EXECUTORS)}"
        )
        raise UsageError(msg, subject=options.executor)
    if not 0 < options.timeout_s < math.inf:
        msg = f"--timeout-s {options.timeout_s}: expected a number of seconds above 0"
        raise UsageError(msg, subject=options.timeout_s)
    if options.jobs is not None and options.jobs < 1:
        msg = f"--jobs {options.jobs}: expected at least 1"
        raise UsageError(msg, subject=options.jobs)
    return None if options.results is None else results_format(options.results)


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
    asked = read_job_spec(spec, spec.parent, [])
    if asked.targets or (asked.job is not None and (asked.job.target_sets or asked.job.target_ids)):
        warn(f"warning: {spec} names targets, which a grid does not run; `validate --job-spec` rehearses them")
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
    cold_options = asked.within(run_settings(project.settings))
    outcome = GridOutcome(
        label=bundle.label,
        name=manifest.name,
        version=manifest.version,
        spec=grid.path,
        identity=identity,
        executor=options.executor,
        jobs=min(options.jobs or processors(), len(numbered)),
        rows=(),
        tally=Tally(len(numbered)),
        results=options.results,
    )
    bundle_to_run = BundleToRun(bundle.root, files, digest)
    return GridPlan(bundle_to_run, cold_options, numbered, options.timeout_s, options.expect_fresh_pids, outcome)


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


def processors() -> int:
    """Return how many this process may use, which can be fewer than there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
