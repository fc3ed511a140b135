"""Report -> lines for people: place, severity, code, message, hint, and one summary line."""

import posixpath
from collections.abc import Callable, Iterator, Sequence

from bundlekit.model.counted import counted
from bundlekit.model.edit import summary
from bundlekit.model.finding import Finding, Fixed, Report, Severity, StageStatus, Unfixed
from bundlekit.model.policy import Means
from bundlekit.report.printable import printable

__all__ = [
    "Style",
    "besides",
    "counted",
    "counts",
    "finding_lines",
    "plain",
    "report_lines",
    "summary_line",
]

Style = Callable[[str, str], str]
"""Takes a text and one of the words `error`, `warning`, `info`, `good`, `strong`, `faint`; gives the text for show."""


def plain(text: str, _word: str) -> str:
    """Return `text` without any colour: the style of files and pipes."""
    return text


def report_lines(reports: Sequence[Report], style: Style) -> Iterator[str]:
    """Yield the text of all reports; several stand apart under headings, and the last line counts them."""
    for report in reports:
        if len(reports) > 1:
            yield style(printable(report.path), "strong")
        for finding in report.findings:
            yield from finding_lines(_placed(finding, report.path), style, marks=True)
        if report.obstacle is not None:
            yield f"{style('error', 'error')} {report.obstacle.code.value}: {printable(report.obstacle.message)}"
            yield from _hint_lines(report.obstacle.hint, style)
        yield from _fix_lines(report, style)
        if report.envelope is not None:
            from bundlekit.report.needs import needs  # noqa: PLC0415 - a hook runs nothing

            yield f"{style('needs:', 'faint')} {needs(report.envelope)}"
        yield summary_line(report, style)
        if len(reports) > 1:
            yield ""
    if len(reports) > 1:
        yield _count_of_bundles(reports, style)


def finding_lines(finding: Finding, style: Style, *, marks: bool = False) -> Iterator[str]:
    """Yield ``path:line:column: severity CODE message`` and, where there is one, the hint on its own line.

    With `marks`, what ``--fix`` can mend is marked as fixable.
    """
    place = ":".join(str(part) for part in (finding.path or ".", finding.line, finding.column) if part is not None)
    severity = finding.severity.value
    yield (
        f"{style(printable(place), 'strong')}: {style(severity, severity)} {style(finding.code, 'faint')} "
        f"{'[fixable] ' * (marks and finding.edit is not None)}{printable(finding.message)}"
    )
    yield from _hint_lines(finding.hint, style)


def _placed(finding: Finding, bundle: str) -> Finding:
    """Return `finding` with a path that an editor opens from where the command was run."""
    if bundle == ".":
        return finding
    return finding._replace(path=posixpath.normpath(posixpath.join(bundle, finding.path or "")))


def _fix_lines(report: Report, style: Style) -> Iterator[str]:
    """Yield what a fix did, or would do, file by file as they are shown, and what it could not do."""
    fixed, not_fixed = ("fixed", "not fixed") if report.difference is None else ("would fix", "would not fix")
    for made in report.fixed:
        yield f"{style(_shown(made, report.path), 'strong')}: {style(fixed, 'good')} {_change(made, style)}"
    for left in report.unfixed:
        place = style(_shown(left, report.path), "strong")
        yield f"{place}: {style(not_fixed, 'warning')} {_change(left, style)}: {printable(left.reason)}"


def _shown(made: Fixed | Unfixed, bundle: str) -> str:
    return printable(posixpath.normpath(posixpath.join(bundle, made.path)))


def _change(made: Fixed | Unfixed, style: Style) -> str:
    edit = made.finding.edit
    return f"{style(made.finding.code, 'faint')} {'' if edit is None else printable(summary(edit))}"


def _hint_lines(hint: str | None, style: Style) -> Iterator[str]:
    if hint:
        yield f"  {style('hint:', 'faint')} {printable(hint)}"


def summary_line(report: Report, style: Style) -> str:
    """Return the one line that tells the verdict, how far it reaches, and what it stands on."""
    parts = [printable(_identity(report)), counts(report.findings), *besides(report)]
    parts += [_stages(report)] if report.stages else []
    parts += _not_held(report)
    return f"{_verdict(report, style)}: {', '.join(parts)}"


def besides(report: Report) -> Iterator[str]:
    """Yield what there is to say of findings that do not count, or count otherwise than by themselves, and of fixes."""
    suppressed = report.suppressed
    ignored = sum(suppressed.get(by.value, 0) for by in (Means.IGNORE, Means.PER_FILE, Means.COMMENT))
    reasons = (
        (ignored, "ignored"),
        (suppressed.get(Means.BASELINE.value, 0), "known from the baseline"),
        (suppressed.get(Means.SELECT.value, 0), "not selected"),
        (report.gone, "gone from the baseline"),
        (report.reweighed, "with another severity"),
    )
    yield from (f"{count} {said}" for count, said in reasons if count)
    fixable = sum(finding.edit is not None for finding in report.findings)
    if report.fixed:
        files = len({made.path for made in report.fixed})
        done = "fixed" if report.difference is None else "would fix"
        yield f"{done} {counted(len(report.fixed), 'finding')} in {counted(files, 'file')}"
    elif fixable and not report.unfixed:
        yield f"{fixable} fixable with --fix"


def _not_held(report: Report) -> Iterator[str]:
    """Yield what was open to bundle code while it ran: what it was kept from goes without saying."""
    if report.sandbox == "off":
        yield "no sandbox"
    elif report.sandbox == "process":
        yield "no sandbox but a process of its own"
    if report.network not in {"none", "closed"} and report.sandbox != "off":
        yield "network open" if report.network == "open" else "network open but for TCP"


def _count_of_bundles(reports: Sequence[Report], style: Style) -> str:
    failed = sum(not report.passed for report in reports)
    unproved = sum(report.passed and report.unproved for report in reports)
    passed = len(reports) - failed - unproved
    counts = ((failed, "failed", "error"), (unproved, "passed but unproved", "warning"), (passed, "passed", "good"))
    told = ", ".join(style(f"{count} {verdict}", word) for count, verdict, word in counts if count)
    return f"{len(reports)} bundles: {told}"


def _verdict(report: Report, style: Style) -> str:
    if report.obstacle is not None:
        return style(f"no verdict ({report.obstacle.code.value})", "error")
    if not report.passed:
        return style("failed", "error")
    if report.unproved:
        return style("passed but unproved", "warning")
    return style("passed", "good")


def _identity(report: Report) -> str:
    if report.name is None:
        return report.path
    name = report.name if report.version is None else f"{report.name} {report.version}"
    return name if report.digest is None else f"{name} ({report.digest.short}...)"


def counts(findings: Sequence[Finding]) -> str:
    """Return how many errors, and, where there are any, warnings and notes there are."""
    told = []
    for severity, word in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note")):
        count = sum(finding.severity is severity for finding in findings)
        if count or severity is Severity.ERROR:
            told.append(f"{count} {word}{'' if count == 1 else 's'}")
    return ", ".join(told)


def _stages(report: Report) -> str:
    parts = []
    for stage in report.stages:
        if stage.status is StageStatus.SKIPPED:
            parts.append(f"{stage.name.value} skipped")
        else:
            detail = "" if stage.detail is None else f" ({printable(stage.detail)})"
            parts.append(f"{stage.name.value} {stage.status.value} {stage.seconds:.1f} s{detail}")
    return " · ".join(parts)
