"""The outcome of the isolation experiment -> its JSON document, and lines for people."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bundlekit.model.counted import counted
from bundlekit.model.isolation import (
    Budget,
    Cell,
    Divergence,
    IsolationOutcome,
    NativeChange,
    PythonChange,
    Run,
    Verdict,
    Victim,
)
from bundlekit.report.documents import TOOL, error_document
from bundlekit.report.printable import printable
from bundlekit.report.text import Style

if TYPE_CHECKING:
    from bundlekit.model.documents.isolation import (
        BudgetDocument,
        DivergenceDocument,
        IsolationDocument,
        IsolationTaskDocument,
        NativeChangeDocument,
        PythonChangeDocument,
        VictimDocument,
    )

__all__ = ["ADVICE", "NOTES", "SAYS", "isolation_document", "isolation_lines"]

_VICTIMS_SHOWN = 3
_STATE_SHOWN = 12
_FAILING_SHOWN = 10
_MARKS = {Cell.SAME: "\u00b7", Cell.DIFFERENT: "D", Cell.CRASHED: "X", Cell.SKIPPED: "-"}
SAYS = {
    Verdict.ISOLATED: "no task that ran changed another",
    Verdict.LEAKS: "what a task gives depends on the tasks before it in its process",
    Verdict.CRASHES_WARM: "a task that succeeds alone fails after others in its process",
    Verdict.NONDETERMINISTIC: "a task gives other results when it is run again in a fresh process",
}
"""What each verdict means."""
ADVICE = (
    "have each call make its state anew, instead of keeping it in globals, statics or caches; or set "
    "requires-fresh-process = true in [tool.bundlekit], and each task gets a process of its own"
)
"""What to do about tasks that change each other."""
NOTES = {
    "seed_ignored": "the seed changes nothing: outputs are the same for all seeds of the same parameters",
    "hash_order": "results hang on the order of a set, which PYTHONHASHSEED decides: sort before you iterate",
    "differs_each_time": "results differ from process to process under the same PYTHONHASHSEED",
    "sequence_only": "one sequence was run alone: the verdict is on the last of its tasks",
}
"""What the words among the notes of an outcome mean."""


def isolation_document(outcome: IsolationOutcome) -> "IsolationDocument":
    """Return the JSON document of ``isolation``."""
    verdict = outcome.verdict
    return {
        "schema": "bundlekit/isolation/1",
        "tool": TOOL,
        "bundle": {
            "path": outcome.label,
            "name": outcome.name,
            "version": outcome.version,
            "digest": outcome.digest,
        },
        "spec": outcome.spec,
        "verdict": None if verdict is None else verdict.value,
        "notes": list(outcome.notes),
        "victims": [_victim_document(victim) for victim in outcome.victims],
        "sequence": list(outcome.victims[0].sequence) if outcome.victims else [],
        "native_state": [_native_document(change) for change in outcome.native_state],
        "python_state": [_python_document(change) for change in outcome.python_state],
        "tasks": [_task_document(outcome, number) for number in _taking_part(outcome)],
        "runs": [
            {
                "order": run.order.name,
                "tasks": list(run.order.tasks),
                "cells": [cell.value for cell in run.cells],
                "pids": list(run.pids),
                "seconds": round(run.seconds, 3),
            }
            for run in outcome.runs
        ],
        "failed_cold": list(outcome.failed_cold),
        "not_shown": list(outcome.not_shown),
        "seed": outcome.seed,
        "budget": _budget_document(outcome.budget),
        "sandbox": outcome.sandbox,
        "requires_fresh_process": outcome.requires_fresh_process,
        "error": None if outcome.obstacle is None else error_document(outcome.obstacle),
    }


def isolation_lines(outcome: IsolationOutcome, style: Style) -> Iterator[str]:
    """Yield the matrix of tasks and orders, what changes what, by which state, and the verdict."""
    if outcome.runs:
        yield from _matrix(outcome.runs, style)
    for victim in outcome.victims[:_VICTIMS_SHOWN]:
        yield from _victim_lines(outcome, victim, style)
    if len(outcome.victims) > _VICTIMS_SHOWN:
        further = counted(len(outcome.victims) - _VICTIMS_SHOWN, "task")
        yield f"and {further} more; --output json lists all"
    yield from _state_lines(outcome, style)
    if outcome.failed_cold and outcome.verdict is not None:
        yield f"{style('note', 'info')}: {_failing(outcome.failed_cold)}"
    for note in outcome.notes:
        yield f"{style('note', 'info')}: {NOTES.get(note, note)}"
    for sentence in outcome.not_shown:
        yield f"{style('not shown', 'faint')}: {printable(sentence)}"
    yield from _verdict_lines(outcome, style)


def _failing(failed_cold: Sequence[int]) -> str:
    numbers = ", ".join(map(str, failed_cold[:_FAILING_SHOWN]))
    more = ", ..." if len(failed_cold) > _FAILING_SHOWN else ""
    return f"{counted(len(failed_cold), 'task')} failed in a process of its own too: {numbers}{more}"


def _taking_part(outcome: IsolationOutcome) -> list[int]:
    numbers = {number for run in outcome.runs for number in run.order.tasks}
    return sorted(numbers | set(outcome.failed_cold) | {victim.task for victim in outcome.victims})


def _task_document(outcome: IsolationOutcome, number: int) -> "IsolationTaskDocument":
    task = outcome.tasks[number]
    return {
        "number": number,
        "entrypoint": task.entrypoint,
        "params": dict(task.params),
        "seed": task.seed,
        "cold": "failed" if number in outcome.failed_cold else "succeeded",
    }


def _victim_document(victim: Victim) -> "VictimDocument":
    return {
        "task": victim.task,
        "order": victim.order,
        "cell": victim.cell.value,
        "sequence": list(victim.sequence),
        "minimal": victim.is_minimal,
        "divergence": None if victim.divergence is None else _divergence_document(victim.divergence),
        "message": victim.message,
        "command": victim.command,
    }


def _divergence_document(divergence: Divergence) -> "DivergenceDocument":
    return {
        "output": divergence.output,
        "place": divergence.place,
        "cold": divergence.cold,
        "warm": divergence.warm,
        "ulps": divergence.ulps,
    }


def _native_document(change: NativeChange) -> "NativeChangeDocument":
    return {
        "library": change.library,
        "symbol": change.symbol,
        "section": change.section,
        "offset": change.offset,
        "size": change.size,
        "task": change.task,
        "behaviour": change.behaviour.value,
        "own": change.is_own,
        "reached_by": change.reached_by,
        "cause": change.is_cause,
    }


def _python_document(change: PythonChange) -> "PythonChangeDocument":
    return {
        "kind": change.kind,
        "name": change.name,
        "before": change.before,
        "after": change.after,
        "task": change.task,
        "behaviour": change.behaviour.value,
        "own": change.is_own,
    }


def _budget_document(budget: Budget) -> "BudgetDocument":
    return {
        "tasks": budget.tasks,
        "seconds": budget.seconds,
        "tasks_used": budget.tasks_used,
        "seconds_used": round(budget.seconds_used, 3),
        "used_up": budget.is_used_up,
    }


def _matrix(runs: Sequence[Run], style: Style) -> Iterator[str]:
    width = max(len(run.order.name) for run in runs)
    cell_width = max(len(str(number)) for run in runs for number in run.order.tasks)
    yield style(f"{'order'.ljust(width)}  tasks, each held against what it gives in a process of its own", "strong")
    for run in runs:
        tasks = " ".join(str(number).rjust(cell_width) for number in run.order.tasks)
        cells = " ".join(_MARKS[cell].rjust(cell_width) for cell in run.cells)
        yield f"{run.order.name.ljust(width)}  {tasks}"
        word = "good" if set(run.cells) == {Cell.SAME} else "error"
        yield f"{' ' * width}  {style(cells, word)}"
    shown = {cell for run in runs for cell in run.cells}
    yield style("  ".join(f"{mark} {cell.value}" for cell, mark in _MARKS.items() if cell in shown), "faint")


def _victim_lines(outcome: IsolationOutcome, victim: Victim, style: Style) -> Iterator[str]:
    *earlier, task = victim.sequence
    name = f"task {task} ({printable(outcome.tasks[task].shown)})"
    fails = "fails" if victim.cell is Cell.CRASHED else "differs"
    if earlier:
        is_asked = victim.is_minimal or "sequence_only" in outcome.notes
        fewest = "" if is_asked else ", and perhaps after fewer"
        listed = ", then ".join(f"task {each} ({outcome.tasks[each].shown})" for each in earlier)
        yield f"{style(name, 'strong')} {fails} after {printable(listed)}{fewest}"
    else:
        yield f"{style(name, 'strong')} {fails}"
    if victim.message:
        yield f"  {printable(victim.message)}"
    if victim.divergence is not None:
        yield f"  {printable(str(victim.divergence))}"
    yield f"  show it again: {printable(victim.command)}"


def _state_lines(outcome: IsolationOutcome, style: Style) -> Iterator[str]:
    for change in outcome.native_state[:_STATE_SHOWN]:
        where = change.symbol or f"{change.section}+{change.offset:#x}"
        reached = f", {change.reached_by}" if change.reached_by else ""
        cause = ", which is why the output differs" if change.is_cause else ""
        yield (
            f"{style('native state', 'warning')} {printable(f'{change.library}: {where}')} changed "
            f"({change.size} bytes{reached}) in task {change.task}: {change.behaviour.value}{cause}"
        )
    for left in outcome.python_state[:_STATE_SHOWN]:
        yield (
            f"{style('python state', 'warning')} {printable(left.name)} ({left.kind}) changed in task {left.task}: "
            f"{printable(left.before)} -> {printable(left.after)}: {left.behaviour.value}"
        )
    hidden = sum(max(0, len(each) - _STATE_SHOWN) for each in (outcome.native_state, outcome.python_state))
    if hidden:
        yield f"and {counted(hidden, 'change')} more; --output json lists all"


def _verdict_lines(outcome: IsolationOutcome, style: Style) -> Iterator[str]:
    budget, verdict = outcome.budget, outcome.verdict
    if outcome.obstacle is not None:
        yield f"{style('error', 'error')}: {printable(outcome.obstacle.message)}"
        if outcome.obstacle.hint:
            yield f"  hint: {printable(outcome.obstacle.hint)}"
    if verdict in {Verdict.LEAKS, Verdict.CRASHES_WARM} and not outcome.requires_fresh_process:
        yield f"  hint: {ADVICE}"
    if verdict is Verdict.ISOLATED and outcome.requires_fresh_process and "sequence_only" not in outcome.notes:
        yield "  hint: requires-fresh-process = true is set, and nothing was seen that needs it"
    word = "no verdict" if verdict is None else verdict.value
    said = "" if verdict is None else f": {SAYS[verdict]}"
    if verdict is Verdict.ISOLATED and "sequence_only" in outcome.notes:
        word, said = "same", ": the last task gives what it gives alone"
    yield (
        f"{style(word, 'good' if verdict is Verdict.ISOLATED else 'error')}{said}; "
        f"{counted(budget.tasks_used, 'execution')} in {budget.seconds_used:.1f} s "
        f"(of {budget.tasks} and {budget.seconds:.0f} s), sandbox {outcome.sandbox}"
    )
