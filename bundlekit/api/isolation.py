"""The isolation experiment on one bundle: does one task of a grid change the next, and which one does?"""

import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.grid_runs import obstacle_of
from bundlekit.api.grids import processors, read_tasks, refuse_inside
from bundlekit.api.inputs import BundleDirectory, opened, snapshot
from bundlekit.api.isolation_options import IsolationOptions, IsolationWatcher, check_options, command_of
from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.strict_json import JsonValue, loads
from bundlekit.errors import UsageError
from bundlekit.executors.backend import run_settings
from bundlekit.executors.cold import BundleToRun, ColdOptions
from bundlekit.executors.cold_pool import ColdPool
from bundlekit.executors.warm.executor import WarmOptions
from bundlekit.isolation.experiment import Experiment, Means
from bundlekit.isolation.laboratory import Laboratory, Spending
from bundlekit.isolation.native.watch import NativeWatch
from bundlekit.isolation.notebook import Notebook
from bundlekit.isolation.python_state import PythonWatch
from bundlekit.isolation.sequences import Sequences
from bundlekit.isolation.state import Look, Observer
from bundlekit.model.counted import counted
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Obstacle
from bundlekit.model.grid import Grid, GridIdentity, GridTask
from bundlekit.model.isolation import Budget, IsolationOutcome
from bundlekit.model.manifest import Manifest
from bundlekit.model.project import Project
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest
from bundlekit.probe.gather import DEFAULT_SMOKE_TASK

__all__ = ["IsolationOptions", "IsolationWatcher", "experiment_on", "run_isolation", "smoke_grid"]

_PYPROJECT = "pyproject.toml"
"""Where the tasks stand that are run without a grid file."""


def run_isolation(path: Path, options: IsolationOptions, watcher: IsolationWatcher) -> IsolationOutcome:
    """Run the experiment on the bundle or archive at `path`.

    Raises:
        UsageError: an option that cannot be used, or a file to resume from of another bundle or grid.
        TaskRefusedError: the grid file asks for nothing that could be run.
        BundlekitError: the bundle cannot be run at all: no name, no single wire, unreadable.
    """
    check_options(options)
    grid = None if options.spec is None else read_tasks(options.spec, watcher.warn)
    with opened(path) as bundle:
        project = snapshot(bundle)
        return experiment_on(bundle, project, grid or smoke_grid(project), options, watcher)


def smoke_grid(project: Project) -> Grid:
    """Return the smoke tasks of a bundle, or of its settings, as a grid; one that is alone comes with another seed."""
    tasks = tuple(
        GridTask(task.entrypoint, {name: _as_json(value) for name, value in task.params.items()}, task.seed)
        for task in project.smoke or (DEFAULT_SMOKE_TASK,)
    )
    if len(tasks) == 1:
        tasks += (tasks[0]._replace(seed=tasks[0].seed + 1),)
    return Grid(_PYPROJECT, tasks)


def _as_json(value: object) -> JsonValue:
    return loads(json.dumps(value, allow_nan=False).encode())


def experiment_on(
    bundle: BundleDirectory, project: Project, grid: Grid, options: IsolationOptions, watcher: IsolationWatcher
) -> IsolationOutcome:
    """Run the experiment on a bundle whose snapshot has been read.

    Raises:
        BundlekitError: as :func:`run_isolation`.
    """
    missing = [number for number in options.sequence if not 0 <= number < len(grid.tasks)]
    if missing:
        msg = f"--sequence names task {missing[0]}: expected numbers from 0 to {len(grid.tasks) - 1} of {grid.path}"
        raise UsageError(msg, subject=missing[0])
    if options.resume is not None:
        refuse_inside("--resume", options.resume, bundle.root, [each.path for each in project.excluded])
    watcher.step(f"reading {bundle.label}")
    files = hash_tree(bundle.root, project.members)
    settings = run_settings(project.settings)
    blank = _blank(bundle.label, manifest_of(project, files), grid, options)
    to_run = BundleToRun(bundle.root, files, blank.digest, settings)
    jobs = min(options.jobs or processors(), 2 * len(grid.tasks))
    with tempfile.TemporaryDirectory(prefix="bundlekit-isolation-") as scratch:
        cold = ColdOptions(
            python=options.python, sandbox=options.sandbox, start="fork", outputs_dir=Path(scratch), keep_symbols=True
        )
        warm = WarmOptions(python=options.python, sandbox=options.sandbox, outputs_dir=Path(scratch), keep_symbols=True)
        watcher.step("building the environment")
        with ColdPool(to_run, cold.within(settings), _unheard, jobs) as pool:
            obstacle = obstacle_of(pool.prepare())
            if obstacle is not None:
                return blank._replace(obstacle=obstacle)
            with Sequences(to_run, blank.digest, warm, _unheard) as sequences:
                made = _Made(pool, sequences, Notebook(options.resume, _identity(blank)), jobs)
                return _experiment(blank, made, options, watcher)


def _blank(label: str, manifest: Manifest, grid: Grid, options: IsolationOptions) -> IsolationOutcome:
    """Return an outcome without results."""
    return IsolationOutcome(
        label=label,
        name=manifest.name,
        version=manifest.version,
        digest=manifest_digest(manifest),
        spec=grid.path,
        verdict=None,
        tasks=grid.tasks,
        runs=(),
        victims=(),
        native_state=(),
        python_state=(),
        failed_cold=(),
        notes=(),
        not_shown=(),
        seed=options.seed,
        budget=Budget(options.max_tasks, options.max_seconds),
        requires_fresh_process=manifest.requires_fresh_process,
    )


def _identity(blank: IsolationOutcome) -> GridIdentity:
    ids = sha256("\n".join(task.task_id(blank.digest) for task in blank.tasks).encode())
    return GridIdentity(blank.digest, Digest.from_hex(ids.hexdigest()), len(blank.tasks))


class _Made(NamedTuple):
    """What was set up for one experiment."""

    pool: ColdPool
    sequences: Sequences
    notebook: Notebook
    jobs: int


def _experiment(
    blank: IsolationOutcome, made: _Made, options: IsolationOptions, watcher: IsolationWatcher
) -> IsolationOutcome:
    pool, sequences, notebook, jobs = made
    spending = Spending(options.max_tasks, options.max_seconds)
    steps = _Steps(watcher.step, spending)
    laboratory = Laboratory(
        pool,
        sequences,
        blank.tasks,
        timeout_s=options.timeout_s,
        spending=spending,
        notebook=notebook,
        told=steps.told,
    )
    threads = ThreadPoolExecutor(jobs, thread_name_prefix="bundlekit-isolation")
    means = Means(laboratory, spending, threads, jobs, steps.step, command_of(blank.label, options), _watches)
    try:
        experiment = Experiment(blank, means)
        outcome = experiment.of_sequence(options.sequence) if options.sequence else experiment.outcome()
    except RunnerError as error:
        outcome = blank._replace(obstacle=Obstacle(error.code, error.message), budget=spending.budget)
    finally:
        # However it ends: what waits must not begin, and what runs must not be waited for.
        spending.stop()
        threads.shutdown(wait=False, cancel_futures=True)
        sequences.close()
        pool.abandon()
        threads.shutdown(wait=True)
        notebook.close()
    sandbox = ", ".join(sorted(laboratory.sandboxes)) or "none"
    return _with_obstacle(outcome._replace(sandbox=sandbox))


def _watches() -> Look:
    return Look(Observer(NativeWatch()), Observer(PythonWatch()))


class _Steps:
    """Tells what goes on, with how many executions there were."""

    def __init__(self, step: Callable[[str], None], spending: Spending) -> None:
        self._step, self._spending = step, spending
        self._doing = ""

    def step(self, doing: str) -> None:
        self._doing = doing
        self.told()

    def told(self) -> None:
        budget = self._spending.budget
        self._step(f"{self._doing}; {counted(budget.tasks_used, 'execution')} in {budget.seconds_used:.0f} s")


def _with_obstacle(outcome: IsolationOutcome) -> IsolationOutcome:
    """Return the outcome with the reason why it has no verdict, if it has none."""
    if outcome.verdict is not None or outcome.obstacle is not None:
        return outcome
    if outcome.budget.is_used_up:
        message = "the budget was used up before anything could be said"
        hint = "give it more with --max-tasks and --max-seconds"
        return outcome._replace(obstacle=Obstacle(ErrorCode.LIMIT, message, hint))
    return outcome


def _unheard(_line: str) -> None:
    """Let a line of the log go: what matters of it is in each failure."""
