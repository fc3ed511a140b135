"""The isolation experiment -> a page of its own, or sections of the page of ``validate``."""

from collections.abc import Iterator, Sequence

from bundlekit.model.counted import counted
from bundlekit.model.isolation import Budget, Cell, IsolationOutcome, Run, Verdict
from bundlekit.report.html.markup import Content, Markup, cut, element, joined, paragraph
from bundlekit.report.html.matrix import matrix_markup
from bundlekit.report.html.page import Section, Word, contents, facts, kicker, page, table, verdict
from bundlekit.report.html.state import native_markup, python_markup
from bundlekit.report.html.victims import tasks_markup, victims_markup
from bundlekit.report.isolation import ADVICE, NOTES, SAYS

__all__ = ["isolation_page", "isolation_sections", "isolation_summary"]

_TEXT, _MESSAGE = 300, 2000
_MOST_RUNS, _MOST_SHOWN, _MOST_SENTENCES = 24, 40, 50

_WORDS = {
    Verdict.NONDETERMINISTIC: Word("Nondeterministic", "warning"),
    Verdict.CRASHES_WARM: Word("Crashes warm", "crash"),
    Verdict.LEAKS: Word("Leaks", "error"),
    Verdict.ISOLATED: Word("Isolated", "good"),
}


def isolation_page(outcome: IsolationOutcome) -> str:
    """Return the page of one experiment."""
    sections = list(isolation_sections(outcome))
    name = cut(f"{outcome.name} {outcome.version}", _TEXT)
    about: list[tuple[str, Content]] = [
        ("Bundle", element("code", {}, cut(outcome.label, _TEXT))),
        ("Digest", element("code", {}, outcome.digest)),
    ]
    header = [kicker("isolation"), element("h1", {}, name), isolation_summary(outcome, about), contents(sections)]
    return page(f"{name}: {_word(outcome).text.lower()}", header, [section.markup() for section in sections])


def isolation_summary(outcome: IsolationOutcome, about: Sequence[tuple[str, Content]] = ()) -> Markup:
    """Return the verdict, and what it stands on; `about` are facts to begin with."""
    return joined([_verdict(outcome), facts([*about, *_facts(outcome)])])


def isolation_sections(outcome: IsolationOutcome, prefix: str = "") -> Iterator[Section]:
    """Yield the parts of the experiment; the names of their fragments start with `prefix`."""
    if outcome.runs:
        shown = joined([matrix_markup(outcome.runs, prefix), _orders(outcome.runs)])
        yield Section(f"{prefix}orders", "Tasks by order", shown)
    if outcome.victims:
        changed = victims_markup(outcome.victims, outcome.tasks)
        yield Section(f"{prefix}victims", "What changes what", changed)
    if outcome.native_state:
        yield Section(f"{prefix}native", "State in extension modules", native_markup(outcome.native_state))
    if outcome.python_state:
        yield Section(f"{prefix}python", "State in Python", python_markup(outcome.python_state))
    yield Section(f"{prefix}limits", "How far it looked", _limits(outcome))
    if outcome.tasks:
        listed = element("summary", {}, f"All {counted(len(outcome.tasks), 'task')}")
        listing = element("details", {}, listed, tasks_markup(outcome.tasks, outcome.failed_cold))
        yield Section(f"{prefix}tasks", "The tasks", listing)


def _word(outcome: IsolationOutcome) -> Word:
    if outcome.verdict is None:
        return Word("No verdict", "warning")
    return Word("Same", "good") if _is_same(outcome) else _WORDS[outcome.verdict]


def _is_same(outcome: IsolationOutcome) -> bool:
    """Whether one sequence was run alone, which says of its last task that it is not changed, and of others nothing."""
    return outcome.verdict is Verdict.ISOLATED and "sequence_only" in outcome.notes


def _verdict(outcome: IsolationOutcome) -> Markup:
    if outcome.obstacle is not None:
        said = f"{outcome.obstacle.code.value}: {cut(outcome.obstacle.message, _MESSAGE)}"
    elif outcome.verdict is None:
        said = "No task succeeded in a fresh process, so nothing can be said."
    elif _is_same(outcome):
        said = "The last task of the sequence gives what it gives in a fresh process."
    else:
        said = f"{SAYS[outcome.verdict][0].upper()}{SAYS[outcome.verdict][1:]}."
        count = len(_changed(outcome))
        said += f" Seen for {count} of {counted(len(outcome.tasks), 'task')}." if count else ""
    return verdict(_word(outcome), said)


def _changed(outcome: IsolationOutcome) -> set[int]:
    """Return the tasks that gave something else anywhere: victims are those of them that were looked into."""
    cells = [pair for run in outcome.runs for pair in zip(run.order.tasks, run.cells, strict=True)]
    changed = {task for task, cell in cells if cell in {Cell.DIFFERENT, Cell.CRASHED}}
    return changed | {victim.task for victim in outcome.victims}


def _facts(outcome: IsolationOutcome) -> list[tuple[str, Content | None]]:
    marked, advice = None, None if outcome.obstacle is None else outcome.obstacle.hint
    if outcome.requires_fresh_process:
        marked = "yes: requires-fresh-process = true, so no task follows another in one process"
        if outcome.verdict is Verdict.ISOLATED and not _is_same(outcome):
            marked += "; by this experiment it could go"
    elif outcome.verdict in {Verdict.LEAKS, Verdict.CRASHES_WARM}:
        advice = ADVICE
    notes = [NOTES.get(note, note) for note in outcome.notes[:_MOST_SENTENCES]]
    return [
        ("Grid", element("code", {}, cut(outcome.spec, _TEXT))),
        ("Tasks", _tasks(outcome)),
        ("Sandbox", cut(outcome.sandbox, _TEXT)),
        ("Marked", marked),
        ("What to do", None if advice is None else cut(advice, _MESSAGE)),
        ("Notes", cut("; ".join(notes), _MESSAGE) if notes else None),
    ]


def _tasks(outcome: IsolationOutcome) -> str:
    failed = f", of which {len(outcome.failed_cold)} failed in a fresh process" if outcome.failed_cold else ""
    return f"{len(outcome.tasks):,}{failed}"


def _orders(runs: tuple[Run, ...]) -> Markup:
    rows = [
        [
            element("th", {"scope": "row", "class": "text"}, cut(run.order.name, _TEXT)),
            element("td", {"class": "number"}, f"{run.seconds:.2f}"),
            element("td", {"class": "number"}, str(len({pid for pid in run.pids if pid is not None}))),
            element("td", {"class": "text"}, _sequence(run.order.tasks)),
        ]
        for run in runs[:_MOST_RUNS]
    ]
    return table("The orders", ("Order", "Seconds#", "Processes#", "Tasks in this order"), rows)


def _sequence(tasks: tuple[int, ...]) -> str:
    rest = len(tasks) - _MOST_SHOWN
    return " ".join(map(str, tasks[:_MOST_SHOWN])) + (f" and {rest:,} more" if rest > 0 else "")


def _limits(outcome: IsolationOutcome) -> Markup:
    sentences = outcome.not_shown[:_MOST_SENTENCES]
    items = [element("li", {}, cut(sentence, _MESSAGE)) for sentence in sentences]
    parts = [paragraph("What was not shown:"), element("ul", {}, *items)] if items else []
    if outcome.budget.is_used_up:
        said = "The budget was used up before the experiment was done: what follows from it holds as far as it went."
        parts.append(paragraph(element("strong", {"class": "warning"}, said)))
    said = f"The shuffled order is that of the seed {outcome.seed}."
    return joined([*parts, _budget(outcome.budget), paragraph(said, kind="muted")])


def _budget(budget: Budget) -> Markup:
    rows = [
        _spent("Executions of tasks", budget.tasks_used, budget.tasks, ""),
        _spent("Wall time", budget.seconds_used, budget.seconds, " s"),
    ]
    return table("The budget", ("Of", "Used#", "Allowed#", "Share"), rows)


def _spent(name: str, used: float, allowed: float, unit: str) -> list[Markup]:
    share = min(1.0, used / allowed) if allowed else 1.0
    rectangle = element("rect", {"x": 0, "y": 0, "width": 100 * share, "height": 8})
    frame = element("rect", {"class": "frame", "x": 0, "y": 0, "width": 100, "height": 8})
    attributes = {"class": "bar", "viewBox": "0 0 100 8", "preserveAspectRatio": "none", "aria-hidden": "true"}
    return [
        element("th", {"scope": "row"}, name),
        element("td", {"class": "number"}, f"{used:,.{1 if unit else 0}f}{unit}"),
        element("td", {"class": "number"}, f"{allowed:,.0f}{unit}"),
        element("td", {"class": "bar"}, element("svg", attributes, frame, rectangle)),
    ]
