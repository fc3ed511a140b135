"""One run of a grid: what is left to do, done by a crew, with every row kept as it comes."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.errors import FileAccessError
from bundlekit.executors.cold import BundleToRun, ColdOptions
from bundlekit.executors.cold_pool import ColdPool
from bundlekit.grid.journal import Journal, journal_path, not_continued, refusal
from bundlekit.grid.loop import Loop, Numbered
from bundlekit.grid.results_file import ResultsFormat, earlier_results
from bundlekit.grid.signals import told_of_endings
from bundlekit.grid.workers import Crew, LocalCrew
from bundlekit.model.finding import Obstacle
from bundlekit.model.grid import GridOutcome, GridRow, Tally, is_verdict, processes_of
from bundlekit.model.outcome import Failure, Prepared
from bundlekit.report.grids import grid_document, grid_text
from bundlekit.report.outputs import write_atomically

__all__ = ["GRID_EXECUTORS", "GridPlan", "GridWatcher", "obstacle_of", "run_and_keep", "run_plan", "write_results"]

GRID_EXECUTORS = ("cold",)
"""The executors that run grids in this version, by the names that workers know."""


class GridWatcher(NamedTuple):
    """Who is told: of the steps before tasks run, of each task that ended, and of what there is to warn of."""

    step: Callable[[str], None]
    tally: Callable[[Tally], None]
    warn: Callable[[str], None]


class GridPlan(NamedTuple):
    """What is to run and how; `outcome` is what is known of it before."""

    bundle: BundleToRun
    options: ColdOptions
    tasks: tuple[Numbered, ...]
    timeout_s: float
    expects_fresh_pids: bool
    outcome: GridOutcome


class _Keeping(NamedTuple):
    """What happens to rows: `row` takes each as it comes, `end` the outcome, before anything else may go wrong."""

    row: Callable[[GridRow], None]
    end: Callable[[GridOutcome], None]


def run_plan(plan: GridPlan, watcher: GridWatcher) -> GridOutcome:
    """Run all tasks and keep nothing.

    Raises:
        BundlekitError: what kept the runner from running anything.
    """
    return _run(plan, watcher, {}, _Keeping(lambda _row: None, lambda _outcome: None))


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
        found = {row.number: row for row in (() if earlier is None else earlier.rows)} | journal.rows

        def end(outcome: GridOutcome) -> None:
            write_results(outcome, results, form)
            journal.remove()

        return _run(plan, watcher, _usable(plan, found), _Keeping(journal.append, end))


def _usable(plan: GridPlan, found: Mapping[int, GridRow]) -> dict[int, GridRow]:
    """Return the rows of tasks that need not be run again."""
    return {
        each.number: found[each.number]
        for each in plan.tasks
        if each.number in found
        and found[each.number].task_id == each.task_id
        and is_verdict(found[each.number], plan.timeout_s)
    }


def _run(plan: GridPlan, watcher: GridWatcher, rows: dict[int, GridRow], keeping: _Keeping) -> GridOutcome:
    left = [each for each in plan.tasks if each.number not in rows]
    if not left:
        outcome = _outcome(plan, rows, _first_tally(plan, rows))
        keeping.end(outcome)
        return outcome
    size = min(plan.outcome.jobs, len(left))
    with _pool(plan, size) as pool, LocalCrew(pool, plan.outcome.executor, size) as crew:
        watcher.step("building the environment")
        obstacle = obstacle_of(crew.prepare())
        if obstacle is not None:
            return _outcome(plan, rows, _first_tally(plan, rows))._replace(obstacle=obstacle, results=None)
        return _worked(plan, watcher, rows, left=left, crew=crew, keeping=keeping)


def _worked(
    plan: GridPlan,
    watcher: GridWatcher,
    rows: dict[int, GridRow],
    *,
    left: list[Numbered],
    crew: Crew,
    keeping: _Keeping,
) -> GridOutcome:
    loop, tally, began = Loop(crew, plan.timeout_s), _first_tally(plan, rows), time.monotonic()
    watcher.tally(tally)
    with told_of_endings(loop.stop):
        for row in loop.rows(left):
            keeping.row(row)
            rows[row.number] = row
            failed = tally.failed + (row.error_code is not None)
            tally = tally._replace(done=tally.done + 1, failed=failed, seconds=time.monotonic() - began)
            watcher.tally(tally)
        tally = tally._replace(seconds=time.monotonic() - began)
        outcome = _outcome(plan, rows, tally)._replace(interrupted=loop.is_stopped)
        keeping.end(outcome)
    return outcome


def _pool(plan: GridPlan, size: int) -> ColdPool:
    """Return what runs the tasks; the executor is one of GRID_EXECUTORS, and each further one has its pool here."""
    return ColdPool(plan.bundle, plan.options, _unheard, size)


def _unheard(_line: str) -> None:
    """Let a line of the log go: what matters of it is in each failure."""


def obstacle_of(prepared: Prepared | Failure) -> Obstacle | None:
    """Return what keeps all tasks of a bundle from running, if anything does."""
    if isinstance(prepared, Failure):
        return Obstacle(prepared.error_code, str(prepared))
    if prepared.wire is None:
        return Obstacle(ErrorCode.ENTRYPOINT, prepared.wire_error or "the bundle has no wire function")
    return None


def _first_tally(plan: GridPlan, rows: Mapping[int, GridRow]) -> Tally:
    failed = sum(row.error_code is not None for row in rows.values())
    return Tally(len(plan.tasks), done=len(rows), failed=failed, before=len(rows))


def _outcome(plan: GridPlan, rows: Mapping[int, GridRow], tally: Tally) -> GridOutcome:
    ordered = [rows[number] for number in sorted(rows)]
    can_tell = plan.expects_fresh_pids and tally.done == tally.tasks
    fresh = processes_of(ordered) == tally.tasks if can_tell else None
    return plan.outcome._replace(rows=ordered, tally=tally, fresh_pids=fresh)


def write_results(outcome: GridOutcome, results: Path, form: ResultsFormat) -> None:
    """Write the file `results`, wholly or not at all, and see it on the disk: the journal goes after that.

    Raises:
        FileAccessError: it cannot be written.
    """
    document = grid_document(outcome)
    if form is ResultsFormat.JSON:
        write_atomically(results, grid_text(document))
    else:
        from bundlekit.grid.parquet import write_parquet  # noqa: PLC0415 - an extra

        temporary = results.with_name(f".{results.name[:200]}.{os.urandom(6).hex()}.tmp")
        try:
            write_parquet(temporary, {**document, "tasks": None}, document["tasks"])
            temporary.replace(results)
        except OSError as error:
            raise FileAccessError(f"cannot write {results}: {error.strerror or error}", subject=results) from error
        finally:
            temporary.unlink(missing_ok=True)
    for path in (results, results.parent):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
