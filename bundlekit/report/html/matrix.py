"""Tasks by order as a picture: what each task gave in each order, told by shape and letter, and by colour besides."""

from collections.abc import Mapping, Sequence

from bundlekit.model.isolation import Cell, Run
from bundlekit.report.html.markup import Markup, cut, element, joined, paragraph
from bundlekit.report.html.page import table

__all__ = ["matrix_markup"]

_MAX_TASKS, _MAX_RUNS = 1000, 24
_IN_A_ROW = 36
_PITCH, _HALF, _HEAD, _GAP = 21, 10.5, 16, 12
_NAME, _CHARACTER = 16, 7.5
_WORST_FIRST = (Cell.CRASHED, Cell.DIFFERENT, Cell.SAME, Cell.SKIPPED)
_MEANINGS = {
    Cell.SAME: "S: same as in a fresh process",
    Cell.DIFFERENT: "D: different",
    Cell.CRASHED: "C: crashed",
    Cell.SKIPPED: "dash: not run, the budget was used up",
}
_OUTLINES: Mapping[Cell, tuple[str, Mapping[str, str | int | float]]] = {
    Cell.SAME: ("rect", {"x": 2, "y": 2, "width": 17, "height": 17, "rx": 4}),
    Cell.DIFFERENT: ("path", {"d": "M10.5 0 21 10.5 10.5 21 0 10.5z"}),
    Cell.CRASHED: ("path", {"d": "M6.4 .5h8.2l5.9 5.9v8.2l-5.9 5.9H6.4L.5 14.6V6.4z"}),
    Cell.SKIPPED: ("rect", {"x": 3, "y": 3, "width": 15, "height": 15}),
}
_LETTERS = {Cell.SAME: "S", Cell.DIFFERENT: "D", Cell.CRASHED: "C", Cell.SKIPPED: "\N{EN DASH}"}

_Row = tuple[str, Mapping[int, Cell]]
"""An order by its name, and what came of each task that it has."""


def matrix_markup(runs: Sequence[Run], prefix: str) -> Markup:
    """Return the picture with its legend, and the same as a table; names of fragments start with `prefix`.

    Where an order has a task more than once, the worst that came of it is shown.
    """
    rows = [(run.order.name, _cells(run)) for run in runs[:_MAX_RUNS]]
    tasks = sorted({task for _, cells in rows for task in cells})
    left_out = []
    if len(runs) > _MAX_RUNS or len(tasks) > _MAX_TASKS:
        said = (
            f"Shown are {len(rows)} of {len(runs)} orders, and {min(len(tasks), _MAX_TASKS):,} of {len(tasks):,} tasks."
        )
        left_out.append(paragraph(said, kind="left-out"))
        tasks = tasks[:_MAX_TASKS]
    if not tasks:
        return paragraph("No task was run in a process that had run another.")
    picture = _picture(rows, tasks, prefix)
    scroll = {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Tasks by order"}
    figure = element("figure", {}, element("div", scroll, picture), _legend(rows, prefix))
    as_table = element("details", {}, element("summary", {}, "The same as a table"), _as_table(rows, tasks))
    return joined([figure, *left_out, as_table])


def _cells(run: Run) -> Mapping[int, Cell]:
    cells: dict[int, Cell] = {}
    for task, cell in zip(run.order.tasks, run.cells, strict=True):
        cells[task] = min(cell, cells.get(task, cell), key=_WORST_FIRST.index)
    return cells


def _picture(rows: Sequence[_Row], tasks: Sequence[int], prefix: str) -> Markup:
    left = round(_CHARACTER * max(len(cut(name, _NAME)) for name, _ in rows)) + _GAP
    bands, height = [], -_GAP
    for start in range(0, len(tasks), _IN_A_ROW):
        band = tasks[start : start + _IN_A_ROW]
        there = [(name, cells) for name, cells in rows if not cells.keys().isdisjoint(band)]
        bands.append(_band(there, band, (left, height + _GAP), prefix))
        height += _GAP + _HEAD + _PITCH * len(there)
    width = left + _PITCH * min(len(tasks), _IN_A_ROW)
    attributes: dict[str, str | int | float] = {
        "class": "matrix",
        "role": "img",
        "aria-labelledby": f"{prefix}matrix-title",
        "aria-describedby": f"{prefix}matrix-desc",
        "viewBox": f"0 0 {width} {height}",
        "width": width,
        "height": height,
    }
    title = element("title", {"id": f"{prefix}matrix-title"}, "What each task gave in each order")
    described = element("desc", {"id": f"{prefix}matrix-desc"}, _description(rows))
    symbols = element("defs", {}, *(_symbol(cell, prefix) for cell in Cell))
    return element("svg", attributes, title, described, symbols, *bands)


def _description(rows: Sequence[_Row]) -> str:
    told = []
    for name, cells in rows:
        counts = [(cell, sum(each is cell for each in cells.values())) for cell in Cell]
        told.append(f"{cut(name, _NAME)}: " + ", ".join(f"{count} {cell.value}" for cell, count in counts if count))
    return "; ".join(told)


def _symbol(cell: Cell, prefix: str) -> Markup:
    tag, outline = _OUTLINES[cell]
    on = cell in {Cell.DIFFERENT, Cell.CRASHED}
    letter = element("text", {"class": f"letter {'on' if on else 'off'}", "x": _HALF, "y": 14.5}, _LETTERS[cell])
    return element(
        "g", {"id": f"{prefix}cell-{cell.value}"}, element(tag, {"class": f"cell-{cell.value}", **outline}), letter
    )


def _band(rows: Sequence[_Row], tasks: Sequence[int], corner: tuple[int, int], prefix: str) -> Markup:
    left, top = corner
    parts = [
        element("text", {"class": "task", "x": left + _PITCH * at + _HALF, "y": top + 11}, str(task))
        for at, task in enumerate(tasks)
    ]
    for row, (name, cells) in enumerate(rows):
        y = top + _HEAD + _PITCH * row
        parts += [Markup("\n"), element("text", {"class": "label", "x": 0, "y": y + 14}, cut(name, _NAME))]
        parts += [
            element("use", {"href": f"#{prefix}cell-{cells[task].value}", "x": left + _PITCH * at, "y": y})
            for at, task in enumerate(tasks)
            if task in cells
        ]
    return joined(parts)


def _legend(rows: Sequence[_Row], prefix: str) -> Markup:
    there = {cell for _, cells in rows for cell in cells.values()}
    items = []
    for cell in Cell:
        if cell in there:
            use = element("use", {"href": f"#{prefix}cell-{cell.value}"})
            picture = element("svg", {"class": "matrix", "viewBox": "0 0 21 21", "aria-hidden": "true"}, use)
            items.append(element("li", {}, picture, _MEANINGS[cell]))
    caption = "Each column is a task, by its number in the grid; each row is an order in which one process ran them."
    return element("figcaption", {}, element("ul", {"class": "legend"}, *items), paragraph(caption, kind="muted"))


def _as_table(rows: Sequence[_Row], tasks: Sequence[int]) -> Markup:
    lines = [
        [
            element("th", {"scope": "row"}, str(task)),
            *(element("td", {}, cells[task].value if task in cells else "") for _, cells in rows),
        ]
        for task in tasks
    ]
    return table("What each task gave in each order", ["Task", *(cut(name, _NAME) for name, _ in rows)], lines)
