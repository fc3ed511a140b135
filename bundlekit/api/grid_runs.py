"""One run of a grid: what is left to do, done by a crew, with every row kept as it comes."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.local_executors import local_pool
from bundlekit.errors import FileAccessError, UsageError
from bundlekit.executors.backend import BundleToRun
from bundlekit.executors.cold import ColdOptions
from bundlekit.grid.journal import Journal, journal_path, not_continued, refusal
from bundlekit.grid.loop import Loop
from bundlekit.grid.results_file import ResultsFormat, earlier_results
from bundlekit.grid.rows import Numbered
from bundlekit.grid.signals import told_of_endings
from bundlekit.grid.workers import Crew, LocalCrew
from bundlekit.model.grid import GridOutcome, GridRow, Tally, is_verdict, processes_of
from bundlekit.model.losses import LossRow, Replicates
from bundlekit.report.grids import grid_summary, grid_text
from bundlekit.report.outputs import write_atomically

__all__ = ["GridPlan", "GridWatcher", "run_and_keep", "run_plan", "write_results"]


class GridWatcher(NamedTuple):
    """Who is told: of the steps before tasks run, of each task that ended, and of what there is to warn of."""

    step: Callable[[str], None]
    tally: Callable[[Tally], None]
    warn: Callable[[str], None]


class GridPlan(NamedTuple):
    """What is to run and how; `outcome` is what is known of it before.

    With a `scheduler` the workers of its cluster run it, and `options` and `timeout_s` are theirs: a task that did not
    end in time may have more of it the next time, so the deadline is infinite here.
    """

    bundle: BundleToRun
    options: ColdOptions
    tasks: tuple[Numbered, ...]
    replicates: tuple[Replicates, ...]
    timeout_s: float
    expects_fresh_pids: bool
    scheduler: str | None
    outcome: GridOutcome


class _Rows(NamedTuple):
    """What there is of a grid: its rows by number, its losses by number of the set of parameters and target."""

    tasks: dict[int, GridRow]
    losses: dict[tuple[int, str], LossRow]

    def add(self, row: GridRow | LossRow) -> None:
        """Take one more."""
        if isinstance(row, LossRow):
            self.losses[row.number, row.target] = row
        else:
            self.tasks[row.number] = row


class _Keeping(NamedTuple):
    """What happens to rows: `row` takes each as it comes, `end` the outcome, before anything else may go wrong."""

    row: Callable[[GridRow | LossRow], None]
    end: Callable[[GridOutcome], None]


def run_plan(plan: GridPlan, watcher: GridWatcher) -> GridOutcome:
    """Run all tasks and keep nothing.

    Raises:
        BundlekitError: what kept the runner from running anything.
    """
    return _run(plan, watcher, _Rows({}, {}), _Keeping(lambda _row: None, lambda _outcome: None))


def run_and_keep(plan: GridPlan, watcher: GridWatcher, results: Path, form: ResultsFormat) -> GridOutcome:
    """Run what an earlier run left to do, and write the file `results`.

    While tasks run their rows are in a journal beside it, which goes when the file holds them.

    Raises:
        UsageError: the file, or its journal, is of another bundle, of other tasks, or in use.
        FileAccessError: one of the two cannot be written or read.
        BundlekitError: what kept the runner from running anything.
    """
    identity = plan.outcome.identity
    with Journal(journal_path(results), identity) as journal:
        earlier = earlier_results(results, form)
        reason = None if earlier is None else refusal(earlier.identity, identity)
        if reason is not None:
            raise not_continued(results, reason)
        found = _Rows({}, {})
        for row in (*(earlier.rows if earlier else ()), *(earlier.losses if earlier else ()), *journal.rows):
            found.add(row)

        def end(outcome: GridOutcome) -> None:
            write_results(outcome, results, form)
            journal.remove()

        return _run(plan, watcher, _usable(plan, found), _Keeping(journal.append, end))


def _usable(plan: GridPlan, found: _Rows) -> _Rows:
    """Return the rows of what need not be run again; a loss that lacks needs all its tasks anew, for their outputs."""
    rows = {
        each.number: found.tasks[each.number]
        for each in plan.tasks
        if each.number in found.tasks
        and found.tasks[each.number].task_id == each.task_id
        and is_verdict(found.tasks[each.number], plan.timeout_s)
    }
    losses: dict[tuple[int, str], LossRow] = {}
    for each in plan.replicates:
        of_set = [found.losses.get((each.number, target)) for target in each.targets]
        usable = [row for row in of_set if row is not None and is_verdict(row, plan.timeout_s)]
        if len(usable) == len(of_set) and all(number in rows for number in each.tasks):
            losses.update({(row.number, row.target): row for row in usable})
        else:
            for number in each.tasks:
                rows.pop(number, None)
    return _Rows(rows, losses)


def _run(plan: GridPlan, watcher: GridWatcher, rows: _Rows, keeping: _Keeping) -> GridOutcome:
    left = [each for each in plan.tasks if each.number not in rows.tasks]
    if not left:
        outcome = _outcome(plan, rows, _first_tally(plan, rows))
        keeping.end(outcome)
        return outcome
    with _crew(plan, min(plan.outcome.jobs, len(left)), watcher) as crew:
        known = plan._replace(
            outcome=plan.outcome._replace(executor=crew.executor, jobs=plan.outcome.jobs or crew.size)
        )
        watcher.step("making the bundle ready")
        obstacle = crew.prepare()
        if obstacle is not None:
            return _outcome(known, rows, _first_tally(plan, rows))._replace(obstacle=obstacle, results=None)
        return _worked(known, watcher, rows, left=left, crew=crew, keeping=keeping)


def _worked(
    plan: GridPlan,
    watcher: GridWatcher,
    rows: _Rows,
    *,
    left: list[Numbered],
    crew: Crew,
    keeping: _Keeping,
) -> GridOutcome:
    loop, tally, began = Loop(crew), _first_tally(plan, rows), time.monotonic()
    watcher.tally(tally)
    open_sets = [each for each in plan.replicates if (each.number, each.targets[0]) not in rows.losses]
    with told_of_endings(loop.stop):
        for row in loop.rows(left, open_sets):
            keeping.row(row)
            rows.add(row)
            tally = tally.with_row(row, time.monotonic() - began)
            watcher.tally(tally)
        tally = tally._replace(seconds=time.monotonic() - began)
        outcome = _outcome(plan, rows, tally)._replace(interrupted=loop.is_stopped)
        keeping.end(outcome)
    return outcome


@contextmanager
def _crew(plan: GridPlan, size: int, watcher: GridWatcher) -> Iterator[Crew]:
    """Give whoever runs the tasks: this machine, `size` at once, or the workers of a cluster, as many as they can."""
    if plan.scheduler is None:
        executor = plan.outcome.executor
        with (
            local_pool(executor, plan.bundle, plan.options, size, _unheard) as pool,
            LocalCrew(pool, executor, size, plan.timeout_s) as crew,
        ):
            yield crew
        return
    watcher.step(f"waiting for the workers of {plan.scheduler}")
    try:
        from bundlekit.grid.dask_crew import dask_crew  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        msg = f"--scheduler needs Dask, which is not installed: there is no module {error.name}"
        raise UsageError(msg, subject=plan.scheduler, hint="python -m pip install 'bundlekit[dask]'") from error
    with dask_crew(plan.scheduler, plan.outcome.identity.bundle, watcher.warn) as cluster:
        yield cluster


def _unheard(_line: str) -> None:
    """Let a line of the log go: what matters of it is in each failure."""


def _first_tally(plan: GridPlan, rows: _Rows) -> Tally:
    return Tally(
        tasks=len(plan.tasks),
        done=len(rows.tasks),
        failed=sum(row.error_code is not None for row in rows.tasks.values()),
        before=len(rows.tasks),
        losses=sum(len(each.targets) for each in plan.replicates),
        found=len(rows.losses),
        found_failed=sum(row.error_code is not None for row in rows.losses.values()),
    )


def _outcome(plan: GridPlan, rows: _Rows, tally: Tally) -> GridOutcome:
    ordered = [rows.tasks[number] for number in sorted(rows.tasks)]
    losses = [rows.losses[each] for each in sorted(rows.losses)]
    can_tell = plan.expects_fresh_pids and tally.done == tally.tasks
    fresh = processes_of(ordered) == tally.tasks if can_tell else None
    # A cluster is not asked when there is nothing left to do.
    executor = plan.outcome.executor or ", ".join(sorted({row.executor for row in ordered}))
    return plan.outcome._replace(executor=executor, rows=ordered, losses=losses, tally=tally, fresh_pids=fresh)


def write_results(outcome: GridOutcome, results: Path, form: ResultsFormat) -> None:
    """Write the file `results`, wholly or not at all, and see it on the disk: the journal goes after that.

    Raises:
        FileAccessError: it cannot be written.
    """
    if form is ResultsFormat.JSON:
        write_atomically(results, grid_text(outcome))
    else:
        from bundlekit.grid.parquet import losses_path, write_loss_parquet, write_parquet  # noqa: PLC0415 - an extra

        summary = grid_summary(outcome)
        if outcome.targets:
            _write_table(losses_path(results), lambda path: write_loss_parquet(path, summary, outcome.losses))
        _write_table(results, lambda path: write_parquet(path, summary, outcome.rows))
    for path in (results, results.parent):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def _write_table(path: Path, write: Callable[[Path], None]) -> None:
    temporary = path.with_name(f".{path.name[:200]}.{os.urandom(6).hex()}.tmp")
    try:
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        raise FileAccessError(f"cannot write {path}: {error.strerror or error}", subject=path) from error
    finally:
        temporary.unlink(missing_ok=True)
