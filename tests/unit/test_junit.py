"""The JUnit document: as reporters read it, and never red for what does not fail the bundle."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import xmlschema
from builders.reports import HOSTILE, finding, report, without_verdict

from bundlekit.api.catalogue import catalogue
from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.model.finding import Obstacle, Report, Severity, StageStatus
from bundlekit.report.outputs import Format, render
from bundlekit.report.surroundings import Surroundings

_AROUND = Surroundings("/srv", "/srv", catalogue())


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    """Return the schema of Jenkins' xUnit plugin."""
    return xmlschema.XMLSchema(Path(__file__).parents[1] / "standards" / "junit-10.xsd")


def _suites(*reports: Report) -> list[ET.Element]:
    text = render(reports, Format.JUNIT, around=_AROUND).encode("utf-8")
    return list(ET.fromstring(text))  # noqa: S314 - our own text


@pytest.mark.parametrize(
    "reports",
    [
        pytest.param([], id="no bundle"),
        pytest.param([report()], id="nothing found"),
        pytest.param([report(finding(), finding(severity=Severity.INFO), stage=StageStatus.FAILED)], id="findings"),
        pytest.param([report(stage=StageStatus.SKIPPED), report(stage=StageStatus.UNPROVED)], id="stages"),
        pytest.param([report(obstacle=Obstacle(ErrorCode.IO, "disk full"))], id="an obstacle"),
        pytest.param([report(finding(text=HOSTILE), path=HOSTILE, name=HOSTILE)], id="hostile text"),
    ],
)
def test_the_document_is_as_the_schema_says(schema: xmlschema.XMLSchema, reports: list[Report]) -> None:
    """A reporter that cannot read the document shows nothing, or a green run."""
    schema.validate(render(reports, Format.JUNIT, around=_AROUND))


def test_a_bundle_is_a_suite_of_its_stages_and_of_the_rules_that_spoke() -> None:
    """The list of cases is what a pipeline's page shows."""
    [first, second] = _suites(report(finding(), finding("BK206", Severity.INFO)), report(path="models/other", name="o"))
    assert [case.get("name") for case in first] == [
        "static",
        "BK206 An empty directory does not ship",
        "BK307 The wire's signature does not take (entrypoint, params, seed)",
    ]
    assert [case.get("classname") for case in second] == ["models/other"]
    assert (first.get("name"), first.get("time"), first.get("file")) == ("coin", "0.250", "models/coin")
    assert [case.get("time") for case in first] == ["0.250", "0.000", "0.000"]


def test_errors_are_failures_with_every_place_in_the_text() -> None:
    """A reporter shows the text of the first failure of a case alone, so that text holds them all."""
    [suite] = _suites(report(finding(line=7), finding(line=9), stage=StageStatus.FAILED))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "2", "0")
    [failure] = suite[1]
    assert (failure.tag, failure.get("type"), failure.get("message")) == ("failure", "BK307", "no")
    assert failure.text.splitlines() == [
        "models/coin/coin/wire.py:7:5: error BK307 no",
        "  hint: mend it",
        "models/coin/coin/wire.py:9:5: error BK307 no",
        "  hint: mend it",
    ]


@pytest.mark.parametrize("severity", [Severity.WARNING, Severity.INFO])
def test_warnings_and_notes_pass(severity: Severity) -> None:
    """The twin of the test above: what does not fail the bundle must not break the pipeline."""
    [suite] = _suites(report(finding(severity=severity)))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "0", "0")
    [told] = suite[1]
    assert told.tag == "system-out"
    assert told.text.startswith(f"models/coin/coin/wire.py:7:5: {severity.value} BK307 no")


def test_an_obstacle_is_an_error_and_no_failure() -> None:
    """JUnit keeps apart what was tested and failed, and what could not be tested."""
    [suite] = _suites(report(obstacle=Obstacle(ErrorCode.IO, "disk full", "free some")))
    assert (suite.get("failures"), suite.get("errors")) == ("0", "1")
    [error] = suite[-1]
    assert (error.tag, error.get("type"), error.text) == ("error", "E_IO", "disk full\nhint: free some")


def test_a_skipped_stage_is_skipped_and_an_unproved_one_passes() -> None:
    """The default smoke task proves nothing either way, and says so."""
    [skipped, unproved] = _suites(report(stage=StageStatus.SKIPPED), report(stage=StageStatus.UNPROVED))
    assert (skipped.get("skipped"), skipped[0][0].tag) == ("1", "skipped")
    assert (unproved.get("failures"), unproved[0][0].text[:9]) == ("0", "unproved:")


def test_an_experiment_without_a_verdict_says_why() -> None:
    """A smoke task that worked must not be told to have failed."""
    [suite] = _suites(without_verdict("the budget was used up"))
    assert suite[0][0].text == "unproved: no verdict: the budget was used up, 9 executions"


def test_hostile_text_is_escaped_and_kept() -> None:
    """No XML parser takes a control character, and a terminal that shows the document must not obey it."""
    [suite] = _suites(report(finding(text=HOSTILE)))
    text = suite[1][0].text
    assert r"\x1b[2J' \x00 \ud800 \ufffe \u202e ]]> <b> &" in text
