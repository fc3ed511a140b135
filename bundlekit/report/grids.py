"""A grid's outcome -> its JSON document, and lines for people."""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bundlekit.grid.row_document import loss_document, row_document
from bundlekit.model.counted import counted
from bundlekit.model.grid import GridOutcome, GridRow, Tally, processes_of
from bundlekit.model.losses import LossRow
from bundlekit.report.documents import TOOL, error_document, json_text
from bundlekit.report.printable import printable
from bundlekit.report.text import Style

if TYPE_CHECKING:
    from bundlekit.model.documents.grids import GridSetLossDocument, GridSummaryDocument

__all__ = ["bar", "grid_lines", "grid_summary", "grid_text"]

_BAR_CELLS = 24
_PIECE = 1000
"""Rows of JSON that are written at once."""
_ROWS_SHOWN = 24
_TEXT_SHOWN = 44
_MINUTE_S, _HOUR_S = 60, 3600


def grid_summary(outcome: GridOutcome) -> "GridSummaryDocument":
    """Return the JSON document of ``grid`` without its rows."""
    tally = outcome.tally
    return {
        "schema": "bundlekit/grid/1",
        "tool": TOOL,
        "bundle": {
            "path": outcome.label,
            "name": outcome.name,
            "version": outcome.version,
            "digest": outcome.identity.bundle,
        },
        "spec": {"path": outcome.spec, "tasks": outcome.identity.size, "tasks_digest": outcome.identity.tasks},
        "executor": outcome.executor,
        "jobs": outcome.jobs,
        "complete": tally.is_complete,
        "passed": outcome.exit_status == 0,
        "interrupted": outcome.interrupted,
        "succeeded": tally.done - tally.failed,
        "failed": tally.failed,
        "not_run": tally.tasks - tally.done,
        "processes": processes_of(outcome.rows),
        "fresh_pids": outcome.fresh_pids,
        "error": None if outcome.obstacle is None else error_document(outcome.obstacle),
        "targets": list(outcome.targets),
        "target_sets": {name: list(targets) for name, targets in outcome.target_sets.items()},
    }


def grid_text(outcome: GridOutcome) -> Iterator[str]:
    """Yield the JSON document of ``grid`` in pieces, a line for each row: there may be a million."""
    yield json_text(grid_summary(outcome)).removesuffix("\n}\n")
    lists: dict[str, Iterator[Mapping[str, object]]] = {
        "losses": (loss_document(row) for row in outcome.losses),
        "set_losses": ({**each} for each in _set_losses(outcome)),
        "tasks": (row_document(row) for row in outcome.rows),
    }
    for name, rows in lists.items():
        yield f',\n  "{name}": ['
        end = "]"
        separator = "\n"
        while lines := [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in itertools.islice(rows, _PIECE)]:
            yield separator + ",\n".join(f"    {line}" for line in lines)
            separator, end = ",\n", "\n  ]"
        yield end
    yield "\n}\n"


def _set_losses(outcome: GridOutcome) -> "Iterator[GridSetLossDocument]":
    found = {(row.number, row.target): row.loss for row in outcome.losses}
    for number in sorted({row.number for row in outcome.losses}):
        for name, targets in outcome.target_sets.items():
            losses = [found.get((number, target)) for target in targets]
            known = [loss for loss in losses if loss is not None]
            mean = sum(known) / len(known) if known and len(known) == len(losses) else None
            yield {"number": number, "target_set": name, "loss": mean}


def grid_lines(outcome: GridOutcome, style: Style) -> Iterator[str]:
    """Yield a table of the tasks (of a long grid, of those that failed), and the verdict."""
    rows = outcome.rows
    if len(rows) > _ROWS_SHOWN:
        rows = [row for row in rows if row.error_code is not None]
    yield from _table(rows[:_ROWS_SHOWN], style)
    if len(rows) > _ROWS_SHOWN:
        yield f"and {len(rows) - _ROWS_SHOWN} more that failed; --output json and --results list all"
    yield from _loss_table(outcome, style)
    yield from _verdict(outcome, style)


def bar(tally: Tally) -> str:
    """Return how far a grid is, with its rate and the time that is left at that rate."""
    share = tally.done / tally.tasks if tally.tasks else 1.0
    filled = int(share * _BAR_CELLS)
    failed = f", {tally.failed} failed" if tally.failed else ""
    left = f", {_duration((tally.tasks - tally.done) / tally.rate)} left" if tally.rate > 0 else ""
    losses = f", {tally.found} of {tally.losses} losses" if tally.losses else ""
    cells = "\u2501" * filled + "\u2500" * (_BAR_CELLS - filled)
    return f"{cells} {tally.done} of {tally.tasks} tasks{failed}{losses}, {tally.rate:.1f} a second{left}"


def _table(rows: Sequence[GridRow], style: Style) -> Iterator[str]:
    head = ("task", "seed", "params", "pid", "seconds", "outcome")
    lines = [
        (
            str(row.number),
            str(row.seed),
            _params(row.params),
            "-" if row.pid is None else str(row.pid),
            f"{row.seconds:.3f}",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in [head[:-1], *lines]) for column in range(len(head) - 1)]
    if rows:
        yield style(
            "  ".join(word.ljust(width) for word, width in zip(head, (*widths, 0), strict=True)).rstrip(), "strong"
        )
    for line, row in zip(lines, rows, strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield f"{cells}  {_outcome(row, style)}"


def _loss_table(outcome: GridOutcome, style: Style) -> Iterator[str]:
    """Yield the losses: of many, those that failed."""
    rows = list(outcome.losses)
    if len(rows) > _ROWS_SHOWN:
        rows = [row for row in rows if row.error_code is not None]
    params = {row.number: row.params for row in outcome.rows}
    lines = [
        (str(row.number), printable(row.target), str(len(row.tasks)), _params(params.get(row.tasks[0], {})))
        for row in rows[:_ROWS_SHOWN]
    ]
    head = ("set", "target", "replicates", "params")
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    if lines:
        yield style(f"{'  '.join(word.ljust(width) for word, width in zip(head, widths, strict=True))}  loss", "strong")
    for line, row in zip(lines, rows, strict=False):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield f"{cells}  {_failed(row, style) if row.error_code is not None else row.loss}"
    if len(rows) > _ROWS_SHOWN:
        yield f"and {len(rows) - _ROWS_SHOWN} more losses that there are not; --output json and --results list all"


def _failed(row: GridRow | LossRow, style: Style) -> str:
    kind = row.error_type or row.signal
    said = f"{f'{kind}: ' if kind else ''}{row.message or ''}"
    return f"{style(row.error_code.value if row.error_code else '', 'error')} {printable(said)}"


def _outcome(row: GridRow, style: Style) -> str:
    if row.error_code is not None:
        return _failed(row, style)
    checksums = [f"{name} {checksum[:12]}" for name, (_, checksum) in sorted(row.outputs.items())]
    return printable(_cut(", ".join(checksums)))


def _verdict(outcome: GridOutcome, style: Style) -> Iterator[str]:
    tally, processes = outcome.tally, processes_of(outcome.rows)
    if outcome.obstacle is not None:
        yield f"{style('error', 'error')}: {printable(outcome.obstacle.message)}"
        if outcome.obstacle.hint:
            yield f"  hint: {printable(outcome.obstacle.hint)}"
    if outcome.fresh_pids is False:
        yield (
            f"{style('not fresh', 'error')}: expected as many processes as tasks, {tally.tasks}, "
            f"found {processes} by host, pid and start time"
        )
    succeeded = f"{tally.done - tally.failed} of {counted(tally.tasks, 'task')} succeeded"
    parts = [f"{tally.failed} failed"] if tally.failed else []
    parts += [f"{tally.tasks - tally.done} not run"] if tally.done < tally.tasks else []
    parts += [f"{tally.before} done before"] if tally.before else []
    if tally.losses:
        parts.append(f"{tally.found - tally.found_failed} of {tally.losses} losses found")
    word = style("passed", "good") if outcome.exit_status == 0 else style("failed", "error")
    if outcome.interrupted:
        word = style("interrupted", "warning")
    yield (
        f"{word}: {', '.join([succeeded, *parts])}, in {processes} process{'' if processes == 1 else 'es'}, "
        f"{_duration(tally.seconds)}, {tally.rate:.1f} tasks a second"
    )
    if outcome.results is not None:
        yield f"results {printable(str(outcome.results))}"
        if not tally.is_complete:
            yield "the same command goes on with what is left"


def _params(params: Mapping[str, object]) -> str:
    return _cut(json.dumps(params, ensure_ascii=False))


def _cut(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _TEXT_SHOWN else f"{shown[: _TEXT_SHOWN - 3]}..."


def _duration(seconds: float) -> str:
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE_S)
    hours, minutes = divmod(minutes, _MINUTE_S)
    return f"{hours}:{minutes:02}:{rest:02}"
