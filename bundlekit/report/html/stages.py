"""The stages of validation with their times, and what the smoke tasks took."""

from collections.abc import Sequence

from bundlekit.model.envelope import WORKER_RULE, Envelope, TaskEnvelope, size_text
from bundlekit.model.finding import Stage, StageStatus
from bundlekit.report.html.markup import Markup, cut, element, joined, paragraph
from bundlekit.report.html.page import facts, table

__all__ = ["envelope_markup", "stages_markup"]

_MOST_TASKS = 200
_NAME = 200
_KINDS = {
    StageStatus.PASSED: "good",
    StageStatus.FAILED: "error",
    StageStatus.SKIPPED: "muted",
    StageStatus.UNPROVED: "warning",
}
_MACHINES_GIB = (8, 16, 32, 64, 128)


def stages_markup(stages: Sequence[Stage]) -> Markup:
    """Return the table of the stages; a bar beside each time shows its share of the longest."""
    longest = max((stage.seconds for stage in stages), default=0.0) or 1.0
    rows = [
        (
            element("th", {"scope": "row"}, stage.name.value),
            element("td", {"class": _KINDS[stage.status]}, stage.status.value),
            element("td", {"class": "number"}, "" if stage.status is StageStatus.SKIPPED else f"{stage.seconds:.2f}"),
            element("td", {"class": "bar"}, _bar(stage, longest)),
            element("td", {"class": "text"}, stage.detail or ""),
        )
        for stage in stages
    ]
    total = sum(stage.seconds for stage in stages)
    return table(f"{total:.2f} s in all", ("Stage", "Status", "Seconds#", "Of the longest", "Stands on"), rows)


def _bar(stage: Stage, longest: float) -> Markup:
    """Return the bar; it says nothing that the number does not."""
    width = 100 * stage.seconds / longest
    rectangle = element("rect", {"x": 0, "y": 0, "width": max(width, 0.6), "height": 8})
    kind = "bar failed" if stage.status is StageStatus.FAILED else "bar"
    attributes = {"class": kind, "viewBox": "0 0 100 8", "preserveAspectRatio": "none", "aria-hidden": "true"}
    return element("svg", attributes, rectangle) if stage.seconds else Markup("")


def envelope_markup(envelope: Envelope) -> Markup:
    """Return what the tasks took at most, what follows for a worker, and each task."""
    memory = envelope.memory
    unseen = "could not be seen"
    peak = unseen if memory is None else size_text(memory.peak_bytes)
    parts = [
        facts(
            [
                ("Peak memory", peak if memory is None or memory.processes == 1 else f"{peak} or more"),
                ("Processes at one time", None if memory is None else str(memory.processes)),
                ("Wall time", f"{envelope.seconds:.2f} s"),
                ("Outputs", size_text(envelope.output_bytes)),
            ]
        ),
        paragraph(_how_measured(envelope), kind="muted"),
        *_advice(envelope),
    ]
    if len(envelope.tasks) > 1:
        shown = envelope.tasks[:_MOST_TASKS]
        parts.append(table(_listed(len(shown), len(envelope.tasks)), _COLUMNS, [_task_row(task) for task in shown]))
    return joined(parts)


def _how_measured(envelope: Envelope) -> str:
    tasks = "the smoke task" if len(envelope.tasks) == 1 else f"the most of {len(envelope.tasks)} smoke tasks each"
    memory = envelope.memory
    if memory is None:
        return f"Of {tasks}."
    how = "the kernel's own high-water mark of its process"
    if memory.processes > 1:
        how = "the proportional set sizes of its processes, added up several times a second: shorter peaks are not seen"
    return f"Of {tasks}; the memory is {how}. Tasks with larger parameters may take more."


def _advice(envelope: Envelope) -> list[Markup]:
    limit = envelope.worker_limit_bytes
    if limit is None:
        return []
    said = paragraph(
        "For a Dask worker that runs one task at a time: ",
        element("strong", {}, f"memory limit {size_text(limit)}"),
        f", which is {WORKER_RULE}, rounded up to 128 MiB: the worker itself takes up to 256 MiB, and Dask pauses a "
        "worker that is above 80% of its limit.",
    )
    row = [element("th", {"scope": "row"}, "Workers")]
    row += [element("td", {"class": "number"}, str(envelope.workers_in(size))) for size in _MACHINES_GIB]
    sizes = ["Memory of the machine", *(f"{size} GiB#" for size in _MACHINES_GIB)]
    return [said, table("How many of those workers fit", sizes, [row])]


_COLUMNS = ("Smoke task", "Seed#", "Peak memory#", "Processes#", "Seconds#", "Outputs#")


def _listed(shown: int, of: int) -> str:
    return "Each smoke task that succeeded" if shown == of else f"The first {shown} of {of:,} smoke tasks"


def _task_row(task: TaskEnvelope) -> list[Markup]:
    memory = task.memory
    numbers = (
        str(task.seed),
        "" if memory is None else size_text(memory.peak_bytes),
        "" if memory is None else str(memory.processes),
        f"{task.seconds:.2f}",
        size_text(task.output_bytes),
    )
    name = element("th", {"scope": "row"}, cut(task.entrypoint, _NAME))
    return [name, *(element("td", {"class": "number"}, number) for number in numbers)]
