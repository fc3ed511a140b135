"""Report -> GitHub workflow commands, one annotation a finding.

See: "Workflow commands for GitHub Actions", `error`, `warning` and `notice`.
"""

import posixpath
from collections.abc import Iterator, Sequence

from bundlekit.model.finding import Finding, Report, Severity

__all__ = ["annotation_lines"]

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def annotation_lines(reports: Sequence[Report]) -> Iterator[str]:
    """Yield one annotation for each finding, errors first; GitHub shows ten of a kind and keeps the rest in the log."""
    order = list(_COMMANDS)
    rows = [(report, finding) for report in reports for finding in report.findings]
    for report, finding in sorted(rows, key=lambda row: order.index(row[1].severity)):
        yield _annotation(report, finding)
    for report in reports:
        if report.obstacle is not None:
            yield f"::error title={report.obstacle.code.value}::{_data(report.obstacle.message)}"


def _annotation(report: Report, finding: Finding) -> str:
    properties = {"title": f"{finding.code} {report.name or report.path}"}
    if finding.path is not None:
        properties["file"] = posixpath.normpath(posixpath.join(report.path, finding.path))
    if finding.line is not None:
        properties["line"] = str(finding.line)
    if finding.column is not None:
        properties["col"] = str(finding.column)
    message = finding.message if finding.hint is None else f"{finding.message}\n{finding.hint}"
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
