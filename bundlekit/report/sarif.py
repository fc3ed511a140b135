"""Reports -> one SARIF log with one run, for GitHub code scanning and the viewers of editors.

See: SARIF 2.1.0 with Errata 01; GitHub, "SARIF support for code scanning".
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from bundlekit import __version__
from bundlekit.model.finding import Finding, Obstacle, Report, Severity
from bundlekit.model.fingerprint import fingerprints
from bundlekit.model.rule import Rule
from bundlekit.report.catalogue import explanation, explanation_markdown
from bundlekit.report.printable import printable, printable_lines
from bundlekit.report.surroundings import Surroundings

__all__ = ["Json", "sarif_document"]

Json = str | int | bool | Sequence["Json"] | Mapping[str, "Json"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif_document(reports: Sequence[Report], around: Surroundings) -> Json:
    """Return the log of all reports: several bundles are one run, since a service keeps one run a tool and category."""
    found = [(report, finding) for report in reports for finding in report.findings]
    codes = sorted({finding.code for _, finding in found})
    known = {rule.code: rule for rule in around.rules}
    # Two bundles may have the same finding at the same path of theirs: places in the repository tell them apart.
    placed = [finding._replace(path=around.path(report.path, finding.path)) for report, finding in found]
    results = [
        _result(report, finding, codes.index(finding.code), fingerprint)
        for (report, _), finding, fingerprint in zip(found, placed, fingerprints(placed), strict=True)
    ]
    level = f"{reports[0].level.value}/" if reports else ""
    driver: dict[str, Json] = {
        "name": "bundlekit",
        "fullName": f"bundlekit {__version__}",
        "semanticVersion": __version__,
        "rules": [_descriptor(code, known.get(code)) for code in codes],
    }
    run: dict[str, Json] = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"bundlekit/{level}"},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(reports, around)],
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(code: str, rule: Rule[object] | None) -> Json:
    if rule is None:
        return {"id": code}
    return {
        "id": code,
        "name": "".join(word[:1].upper() + word[1:] for word in re.findall(r"\w+", rule.title.replace("'", ""))),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": explanation(rule), "markdown": explanation_markdown(rule)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(report: Report, finding: Finding, rule_index: int, fingerprint: str) -> Json:
    """Return the result of a finding whose path is a place in the repository."""
    about = {"bundle": report.name or report.path} | ({} if finding.entity is None else {"entity": finding.entity})
    text = finding.message if finding.hint is None else f"{finding.message}\n{finding.hint}"
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": printable_lines(text)},
        "locations": [_location(finding.path or ".", finding.line, finding.column)],
        "partialFingerprints": {"bundlekit/v1": fingerprint},
        "properties": {key: printable(value) for key, value in about.items()},
    }


def _location(path: str, line: int | None, column: int | None) -> Json:
    place: dict[str, Json] = {"artifactLocation": _artifact(path)}
    if line is not None:
        place["region"] = {"startLine": line} if column is None else {"startLine": line, "startColumn": column}
    return {"physicalLocation": place}


def _artifact(path: str) -> Json:
    # A name that is not UTF-8 has no place in JSON: it is escaped, as everywhere in reports.
    escaped = quote(path.encode("utf-8", "backslashreplace"))
    return {"uri": f"file://{escaped}"} if path.startswith("/") else {"uri": escaped, "uriBaseId": _ROOT}


def _invocation(reports: Sequence[Report], around: Surroundings) -> Json:
    hindered = [(report, report.obstacle) for report in reports if report.obstacle is not None]
    return {
        "executionSuccessful": not hindered,
        "exitCode": max((report.exit_status for report in reports), default=0),
        "toolExecutionNotifications": [_notification(report, obstacle, around) for report, obstacle in hindered],
    }


def _notification(report: Report, obstacle: Obstacle, around: Surroundings) -> Json:
    text = obstacle.message if obstacle.hint is None else f"{obstacle.message}\n{obstacle.hint}"
    return {
        "descriptor": {"id": obstacle.code.value},
        "level": "error",
        "message": {"text": printable_lines(text)},
        "locations": [_location(around.path(report.path, None), None, None)],
    }
