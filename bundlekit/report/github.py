"""Reports -> GitHub workflow commands: one group a bundle, one annotation a finding, as many as GitHub shows.

See: "Workflow commands for GitHub Actions", `group`, `error`, `warning` and `notice`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from bundlekit.model.finding import Finding, Report, Severity
from bundlekit.report.printable import printable_lines
from bundlekit.report.surroundings import Surroundings
from bundlekit.report.text import finding_lines, plain, summary_line

__all__ = ["MOST_OF_A_KIND", "annotation_lines"]

MOST_OF_A_KIND = 10
"""Annotations of one command that GitHub keeps of a step; it drops the others without a word."""

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def annotation_lines(reports: Sequence[Report], around: Surroundings) -> Iterator[str]:
    """Yield each bundle's group: annotations, errors first, and what is beyond GitHub's limit as lines of the log."""
    # A verdict that could not be had must show, whatever else was found; the last notice tells of what does not.
    used = Counter({"error": sum(report.obstacle is not None for report in reports)})
    count = Counter(_COMMANDS[finding.severity] for report in reports for finding in report.findings)
    left_out = sum(count[kind] + used[kind] > MOST_OF_A_KIND for kind in _COMMANDS.values()) > 0
    used["notice"] += left_out
    for report in reports:
        yield f"::group::{_data(f'{report.path}: {summary_line(report, plain)}')}"
        yield from _obstacle(report)
        for severity, command in _COMMANDS.items():
            for finding in (each for each in report.findings if each.severity is severity):
                used[command] += 1
                if used[command] <= MOST_OF_A_KIND:
                    yield _annotation(report, finding, around)
                else:
                    yield from _log_lines(finding, around.path(report.path, finding.path))
        yield "::endgroup::"
    if left_out:
        yield _notice_of_the_rest(used, around)


def _obstacle(report: Report) -> Iterator[str]:
    if report.obstacle is not None:
        message = report.obstacle.message
        message += "" if report.obstacle.hint is None else f"\n{report.obstacle.hint}"
        yield f"::error title={report.obstacle.code.value}::{_data(message)}"


def _annotation(report: Report, finding: Finding, around: Surroundings) -> str:
    properties = {"title": f"{finding.code} {report.name or report.path}"}
    if finding.path is not None:
        properties["file"] = around.path(report.path, finding.path)
    if finding.line is not None:
        properties["line"] = str(finding.line)
    if finding.column is not None:
        properties["col"] = str(finding.column)
    message = finding.message if finding.hint is None else f"{finding.message}\n{finding.hint}"
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(message)}"


def _log_lines(finding: Finding, path: str) -> Iterator[str]:
    for line in finding_lines(finding._replace(path=path), plain):
        # The runner looks for commands at the start of a line, and for those of its first form anywhere in it.
        yield f"- {line}".replace("##[", "##\\[")


def _notice_of_the_rest(used: Counter[str], around: Surroundings) -> str:
    rest = sum(max(0, count - MOST_OF_A_KIND) for count in used.values())
    where = "the summary of this step" if around.has_summary else "the log of this step"
    what = "1 more finding is" if rest == 1 else f"{rest:,} more findings are"
    return f"::notice title=bundlekit::{what} not annotated, since GitHub shows {MOST_OF_A_KIND} of a kind: see {where}"


def _data(text: str) -> str:
    return printable_lines(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
