"""Tasks that another task changes: by which sequence, where first, and how to see it again."""

import json
from collections.abc import Sequence

from bundlekit.model.counted import counted
from bundlekit.model.grid import GridTask
from bundlekit.model.isolation import Cell, Divergence, Victim
from bundlekit.report.html.markup import Markup, cut, element, joined, paragraph, verbatim
from bundlekit.report.html.page import table

__all__ = ["tasks_markup", "victims_markup"]

_MOST, _MOST_STEPS, _MOST_TASKS = 100, 40, 1000
_NAME, _VALUE, _COMMAND = 200, 500, 2000
_PARAMETERS = 300


def victims_markup(victims: Sequence[Victim], tasks: Sequence[GridTask]) -> Markup:
    """Return all victims, one after the other; `tasks` are those of the grid, by number."""
    rest = len(victims) - _MOST
    told = [paragraph(f"{rest:,} more tasks are left out.", kind="left-out")] if rest > 0 else []
    return joined([*(_victim(victim, tasks) for victim in victims[:_MOST]), *told])


def tasks_markup(tasks: Sequence[GridTask], failed_cold: Sequence[int]) -> Markup:
    """Return the parameters of every task."""
    failed = set(failed_cold)
    numbers = range(min(len(tasks), _MOST_TASKS))
    rows = [[*_task_cells(number, tasks), _cold(number in failed)] for number in numbers]
    caption = (
        counted(len(tasks), "task") if len(rows) == len(tasks) else f"The first {len(rows)} of {len(tasks):,} tasks"
    )
    return table(caption, (*_COLUMNS, "In a fresh process"), rows)


_COLUMNS = ("Task#", "Entry point", "Seed#", "Parameters")


def _cold(failed: bool) -> Markup:  # noqa: FBT001 - a cell of a table
    return element("td", {"class": "error"}, "failed, so left out") if failed else element("td", {}, "succeeded")


def _victim(victim: Victim, tasks: Sequence[GridTask]) -> Markup:
    parts = [element("h3", {}, _heading(victim))]
    if _has_others(victim):
        minimal = (
            "No shorter sequence does it."
            if victim.is_minimal
            else "Fewer may do it: this was not shortened to the end."
        )
        parts += [paragraph(f"Seen first in the order {cut(victim.order, _NAME)}. {minimal}"), _steps(victim)]
    if victim.divergence is not None:
        columns = ("In a fresh process", "After the others") if _has_others(victim) else ("Once", "Then")
        parts.append(_divergence(victim.divergence, columns))
    if victim.message is not None:
        parts += [paragraph("It said:"), verbatim(cut(victim.message, _COMMAND))]
    parts += [paragraph("To see it again:"), verbatim(cut(victim.command, _COMMAND))]
    numbers = [number for number in dict.fromkeys(victim.sequence) if 0 <= number < len(tasks)][:_MOST_STEPS]
    parts.append(table("These tasks", _COLUMNS, [_task_cells(number, tasks) for number in numbers]))
    return element("article", {"class": "victim-case"}, *parts)


def _has_others(victim: Victim) -> bool:
    """Whether it takes other tasks to change this one: one that is not deterministic changes by itself."""
    return len(victim.sequence) > 1


def _heading(victim: Victim) -> str:
    did = "crashes" if victim.cell is Cell.CRASHED else "gives something else"
    when = f"after {_named(victim.sequence[:-1])}" if _has_others(victim) else "when it is run again"
    return f"Task {victim.task} {did} {when}"


def _named(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"task {numbers[0]}"
    if len(numbers) > _MOST_STEPS:
        return counted(len(numbers), "task")
    return f"tasks {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _steps(victim: Victim) -> Markup:
    *earlier, _ = victim.sequence
    steps = [element("li", {}, element("span", {}, f"task {number}")) for number in earlier[:_MOST_STEPS]]
    if len(earlier) > _MOST_STEPS:
        steps.append(element("li", {}, f"{len(earlier) - _MOST_STEPS:,} more"))
    kind = "crash" if victim.cell is Cell.CRASHED else "error"
    end = element("span", {"class": f"victim {kind}"}, f"task {victim.task}: {victim.cell.value}")
    label = "The sequence, in one process"
    return element("ol", {"class": "steps", "aria-label": label}, *steps, element("li", {}, end))


def _divergence(divergence: Divergence, values: tuple[str, str]) -> Markup:
    apart = "" if divergence.ulps is None else f"{divergence.ulps:,}"
    row = [
        element("th", {"scope": "row", "class": "text"}, cut(divergence.output, _NAME)),
        element("td", {"class": "text"}, cut(divergence.place, _NAME)),
        element("td", {"class": "text"}, element("code", {}, cut(divergence.cold, _VALUE))),
        element("td", {"class": "text error"}, element("code", {}, cut(divergence.warm, _VALUE))),
        element("td", {"class": "number"}, apart),
    ]
    columns = ("Output", "Place", *values, "Apart (ULPs)#")
    return table("The first difference", columns, [row])


def _task_cells(number: int, tasks: Sequence[GridTask]) -> list[Markup]:
    task = tasks[number]
    parameters = json.dumps(dict(task.params), ensure_ascii=False, default=str)
    return [
        element("th", {"scope": "row", "class": "number"}, str(number)),
        element("td", {"class": "text"}, cut(task.entrypoint, _NAME)),
        element("td", {"class": "number"}, str(task.seed)),
        element("td", {"class": "text"}, element("code", {}, cut(parameters, _PARAMETERS))),
    ]
