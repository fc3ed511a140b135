"""What tasks changed and left in a process: memory of extension modules, and state of the interpreter."""

from collections.abc import Sequence

from bundlekit.model.isolation import Behaviour, NativeChange, PythonChange
from bundlekit.report.html.markup import Markup, cut, element, joined, paragraph
from bundlekit.report.html.page import table

__all__ = ["native_markup", "python_markup"]

_MOST = 300
_NAME, _VALUE = 400, 200
_BEHAVIOURS = {
    Behaviour.ACCUMULATES: "another value after each task, also after the same one",
    Behaviour.PATH_DEPENDENT: "its value depends on the tasks before",
    Behaviour.LAST_TASK: "the same after the same task: it keeps something of the last one",
    Behaviour.CHANGED: "it changed, and no more was found out",
}


def native_markup(changes: Sequence[NativeChange]) -> Markup:
    """Return the table of memory, causes first, with what its words mean."""
    ranked = sorted(changes, key=lambda each: (each.is_cause is not True, not each.is_own))
    rows = [_native_row(each) for each in ranked[:_MOST]]
    columns = ("Symbol", "Library", "Bytes#", "First after", "Behaviour", "Cause of a difference")
    return joined([table(_counted(len(rows), len(changes)), columns, rows), _meanings(changes)])


def python_markup(changes: Sequence[PythonChange]) -> Markup:
    """Return the table of what changed in the interpreter, the bundle's own first."""
    ranked = sorted(changes, key=lambda each: not each.is_own)
    rows = [_python_row(each) for each in ranked[:_MOST]]
    columns = ("Name", "Kind", "Before", "After", "First after", "Behaviour")
    return joined([table(_counted(len(rows), len(changes)), columns, rows), _meanings(changes)])


def _native_row(change: NativeChange) -> list[Markup]:
    place = f"{change.section} + {change.offset:#x}"
    symbol = [element("code", {}, cut(change.symbol or place, _NAME))]
    if change.symbol is None:
        symbol.append(paragraph("no symbol: the library is stripped", kind="muted"))
    if change.reached_by is not None:
        symbol.append(paragraph(f"reached by {cut(change.reached_by, _VALUE)}", kind="muted"))
    causes = {True: "yes: with its first bytes back, the output is the expected one", False: "no", None: "not tried"}
    return [
        element("th", {"scope": "row", "class": "text"}, *symbol),
        element(
            "td", {"class": "text"}, element("code", {}, cut(change.library, _VALUE)), _whose(is_own=change.is_own)
        ),
        element("td", {"class": "number"}, f"{change.size:,}"),
        element("td", {}, f"task {change.task}"),
        element("td", {}, change.behaviour.value),
        element("td", {"class": "text error"} if change.is_cause else {"class": "text"}, causes[change.is_cause]),
    ]


def _python_row(change: PythonChange) -> list[Markup]:
    name = element("code", {}, cut(change.name, _NAME))
    return [
        element("th", {"scope": "row", "class": "text"}, name, _whose(is_own=change.is_own)),
        element("td", {}, cut(change.kind, _VALUE).replace("-", " ")),
        element("td", {"class": "text"}, element("code", {}, cut(change.before, _VALUE))),
        element("td", {"class": "text"}, element("code", {}, cut(change.after, _VALUE))),
        element("td", {}, f"task {change.task}"),
        element("td", {}, change.behaviour.value),
    ]


def _whose(*, is_own: bool) -> Markup:
    return Markup("") if is_own else paragraph("of a dependency", kind="muted")


def _counted(shown: int, of: int) -> str:
    return f"{of} found" if shown == of else f"The first {shown} of {of:,}"


def _meanings(changes: Sequence[NativeChange] | Sequence[PythonChange]) -> Markup:
    there = {each.behaviour for each in changes}
    told = [f"{each.value}: {meaning}" for each, meaning in _BEHAVIOURS.items() if each in there]
    return paragraph("; ".join(told), ".", kind="muted")
