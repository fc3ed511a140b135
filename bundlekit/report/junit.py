"""Reports -> JUnit XML as Jenkins, GitLab and the reporters of GitHub read it.

A suite is a bundle; its cases are the stages, and the rules that found something. Only what fails the bundle is a
failure: warnings and notes are the output of a case that passed, so that they break no pipeline.

See: the schema of Jenkins' xUnit plugin, ``junit-10.xsd``; GitLab, "Unit test reports".
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

from bundlekit.model.finding import Finding, Obstacle, Report, Severity, Stage, StageName, StageStatus
from bundlekit.report.printable import printable_lines
from bundlekit.report.surroundings import Surroundings
from bundlekit.report.text import finding_lines, plain

__all__ = ["junit_text"]


def junit_text(reports: Sequence[Report], around: Surroundings) -> str:
    """Return the document of all reports."""
    suites = [_suite(report, around) for report in reports]
    top = ET.Element("testsuites", {"name": "bundlekit", **_totals(suites), "time": _seconds(reports)})
    top.extend(suites)
    ET.indent(top)
    body = ET.tostring(top, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _totals(suites: Sequence[ET.Element]) -> dict[str, str]:
    return {name: str(sum(int(suite.attrib[name]) for suite in suites)) for name in ("tests", "failures", "errors")}


def _seconds(reports: Sequence[Report]) -> str:
    return f"{sum(stage.seconds for report in reports for stage in report.stages):.3f}"


def _suite(report: Report, around: Surroundings) -> ET.Element:
    name, place = report.name or report.path, around.path(report.path, None)
    # Reporters tell cases apart by this name, and two bundles of a repository may be called the same.
    group = name if place == "." else place
    cases = [_stage_case(stage, group, report) for stage in report.stages]
    titles = {rule.code: rule.title for rule in around.rules}
    for code in sorted({finding.code for finding in report.findings}):
        found = [finding for finding in report.findings if finding.code == code]
        cases.append(_rule_case(f"{code} {titles.get(code, '')}".rstrip(), group, found, report, around))
    if report.obstacle is not None:
        cases.append(_obstacle_case(report.obstacle, group))
    counts = {
        attribute: str(sum(case.find(tag) is not None for case in cases))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    attributes = {"name": name, "tests": str(len(cases)), **counts, "time": _seconds([report]), "file": place}
    suite = ET.Element("testsuite", {key: printable_lines(value) for key, value in attributes.items()})
    suite.extend(cases)
    return suite


def _case(name: str, group: str, seconds: float = 0.0) -> ET.Element:
    attributes = {"name": printable_lines(name), "classname": printable_lines(group), "time": f"{seconds:.3f}"}
    return ET.Element("testcase", attributes)


def _stage_case(stage: Stage, group: str, report: Report) -> ET.Element:
    case = _case(stage.name.value, group, stage.seconds)
    match stage.status:
        case StageStatus.FAILED:
            errors = sum(finding.severity is Severity.ERROR for finding in report.findings)
            _add(case, "failure", f"the stage {stage.name.value} failed", [f"errors of all stages: {errors}"], "stage")
        case StageStatus.SKIPPED:
            ET.SubElement(case, "skipped", {"message": "an earlier stage came to no good end"})
        case StageStatus.UNPROVED:
            default = "only the default smoke task was there, and it failed"
            why = stage.detail if stage.name is StageName.ISOLATION and stage.detail is not None else default
            ET.SubElement(case, "system-out").text = printable_lines(f"unproved: {why}")
        case StageStatus.PASSED:
            if stage.detail is not None:
                ET.SubElement(case, "system-out").text = printable_lines(stage.detail)
    return case


def _rule_case(name: str, group: str, found: Sequence[Finding], report: Report, around: Surroundings) -> ET.Element:
    case = _case(name, group)
    placed = [finding._replace(path=around.path(report.path, finding.path)) for finding in found]
    errors = [finding for finding in placed if finding.severity is Severity.ERROR]
    others = [finding for finding in placed if finding.severity is not Severity.ERROR]
    if errors:
        _add(case, "failure", errors[0].message, _lines(errors), errors[0].code)
    if others:
        ET.SubElement(case, "system-out").text = "\n".join(_lines(others))
    return case


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        yield from finding_lines(finding, plain)


def _obstacle_case(obstacle: Obstacle, group: str) -> ET.Element:
    case = _case("no verdict", group)
    hint = [] if obstacle.hint is None else [f"hint: {obstacle.hint}"]
    _add(case, "error", obstacle.message, [obstacle.message, *hint], obstacle.code.value)
    return case


def _add(case: ET.Element, tag: str, message: str, lines: Sequence[str] | Iterator[str], kind: str) -> None:
    element = ET.SubElement(case, tag, {"message": printable_lines(message), "type": kind})
    element.text = printable_lines("\n".join(lines))
