"""Findings with the lines of source they are about, as many as a page can hold."""

from collections.abc import Mapping, Sequence

from bundlekit.model.edit import summary
from bundlekit.model.finding import Finding, Severity
from bundlekit.report.html.markup import Markup, cut, element, joined, paragraph
from bundlekit.report.html.page import table

__all__ = ["findings_markup"]

_MAX_WITH_SOURCE = 200
"""So many findings are shown with their source, the others in a table."""

_AROUND = 2
_WIDTH = 200
_MESSAGE, _SHORT = 2000, 300
_WORDS = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFO: "Note"}


def findings_markup(findings: Sequence[Finding], sources: Mapping[str, str], most_bytes: int) -> Markup:
    """Return all findings, errors first, in about `most_bytes`; a sentence counts those for which there is no room.

    `sources` are texts of the bundle's files by path.
    """
    if not findings:
        return paragraph("Nothing was found.")
    order = list(Severity)
    ranked = sorted(findings, key=lambda finding: order.index(finding.severity))
    shown = [_card(finding, sources) for finding in ranked[:_MAX_WITH_SOURCE]]
    rows = [_row(finding) for finding in ranked[_MAX_WITH_SOURCE:]]
    cards = _fitting(shown, most_bytes)
    left = most_bytes - sum(len(each.html.encode()) for each in cards)
    listed = _fitting(rows, left) if len(cards) == len(shown) else []
    parts = list(cards)
    if listed:
        parts.append(_listing(listed))
    rest = len(findings) - len(cards) - len(listed)
    if rest:
        said = f"{rest:,} of {len(findings):,} findings are left out for want of room; the JSON report has them all."
        parts.append(paragraph(said, kind="left-out"))
    return joined(parts)


def _fitting(items: Sequence[Markup], most_bytes: int) -> list[Markup]:
    fitting = []
    for item in items:
        most_bytes -= len(item.html.encode())
        if most_bytes < 0:
            break
        fitting.append(item)
    return fitting


def _card(finding: Finding, sources: Mapping[str, str]) -> Markup:
    kind = finding.severity.value
    place = element("code", {}, cut(_place(finding), _SHORT))
    head = [element("strong", {"class": kind}, _WORDS[finding.severity]), element("span", {}, finding.code), place]
    parts = [
        paragraph(*head, kind="head"),
        paragraph(cut(finding.message, _MESSAGE), kind="message"),
    ]
    text = sources.get(finding.path or "")
    if text is not None and finding.line is not None:
        parts.append(_excerpt(text, finding.line))
    if finding.hint:
        parts.append(paragraph(element("span", {"class": "muted"}, "Hint: "), cut(finding.hint, _MESSAGE)))
    if finding.edit is not None:
        change = cut(summary(finding.edit), _SHORT)
        parts.append(paragraph(element("span", {"class": "muted"}, "validate --fix would mend it: "), change))
    return element("article", {"class": f"finding {kind}"}, *parts)


def _place(finding: Finding) -> str:
    parts = (finding.path or ".", finding.line, finding.column)
    return ":".join(str(part) for part in parts if part is not None)


def _excerpt(text: str, line: int) -> Markup:
    """Return some lines around `line`, which counts from 1; none where the file ends before it."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return Markup("")
    first = max(1, line - _AROUND)
    last = min(len(lines), line + _AROUND)
    digits = len(str(last))
    rows = [
        element(
            "span",
            {"class": "at"} if number == line else {},
            element("i", {}, f"{number:>{digits}}  "),
            cut(lines[number - 1].removesuffix("\r").expandtabs(4), _WIDTH),
        )
        for number in range(first, last + 1)
    ]
    return element("pre", {"class": "source", "tabindex": "0", "aria-label": f"Source around line {line}"}, *rows)


def _row(finding: Finding) -> Markup:
    kind = finding.severity.value
    cells = (
        element("td", {"class": kind}, _WORDS[finding.severity]),
        element("td", {}, finding.code),
        element("td", {"class": "text"}, element("code", {}, cut(_place(finding), _SHORT))),
        element("td", {"class": "text"}, cut(finding.message, _SHORT)),
    )
    return joined(cells)


def _listing(rows: Sequence[Markup]) -> Markup:
    return table(
        "More findings, without their source", ("Severity", "Rule", "Place", "Finding"), [[row] for row in rows]
    )
