"""The SARIF log: valid by the public schema, and each alert the same one after edits elsewhere."""

import json
from pathlib import Path

import pytest
from builders.reports import CASE_PATH, HOSTILE, finding, report
from jsonschema import Draft4Validator

from bundlekit.api.catalogue import catalogue
from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.model.finding import Finding, Obstacle, Report, Severity
from bundlekit.report.outputs import Format, render
from bundlekit.report.surroundings import Surroundings

_SCHEMA = json.loads((Path(__file__).parents[1] / "standards" / "sarif-schema-2.1.0.json").read_text("utf-8"))
_AROUND = Surroundings("/srv/repository", "/srv/repository", catalogue())


def _run(*reports: Report, around: Surroundings = _AROUND) -> dict[str, object]:
    """Return the one run of the log, which is held against the schema on the way."""
    text = render(reports, Format.SARIF, around=around)
    log = json.loads(text.encode("utf-8"))
    Draft4Validator(_SCHEMA).validate(log)
    [run] = log["runs"]
    return run


def _results(*reports: Report, around: Surroundings = _AROUND) -> list[dict[str, object]]:
    return _run(*reports, around=around)["results"]


def _uri(result: dict[str, object]) -> dict[str, str]:
    [location] = result["locations"]
    return location["physicalLocation"]["artifactLocation"]


@pytest.mark.parametrize(
    "reports",
    [
        pytest.param([], id="no bundle"),
        pytest.param([report()], id="nothing found"),
        pytest.param([report(finding(), finding("BK206", Severity.INFO, None))], id="findings"),
        pytest.param([report(finding()), report(finding(), path="/elsewhere", name=None)], id="several bundles"),
        pytest.param([report(obstacle=Obstacle(ErrorCode.IO, "disk full", "free some"))], id="an obstacle"),
        pytest.param(
            [report(finding("BK999", text=HOSTILE)._replace(entity=HOSTILE, hint=HOSTILE))], id="hostile text"
        ),
        pytest.param([report(Finding("BK101", Severity.ERROR, "no pyproject.toml"), name=HOSTILE)], id="no place"),
    ],
)
def test_the_log_is_as_the_public_schema_says(reports: list[Report]) -> None:
    """A service refuses a whole log for one wrong key."""
    _run(*reports)


def test_the_schema_refuses_what_is_no_log() -> None:
    """The twin of the table above: a validator that takes anything would prove nothing."""
    assert not Draft4Validator(_SCHEMA).is_valid({"version": "2.1.0", "runs": [{"tool": {"driver": {}}}]})
    assert not Draft4Validator(_SCHEMA).is_valid({"version": "2.1.0", "runs": [], "reports": []})


def test_every_rule_of_the_catalogue_is_described() -> None:
    """Code scanning shows the rule beside the alert: why it matters, and an example of each side."""
    rules = _run(report(*[finding(rule.code) for rule in catalogue()]))["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.code for rule in catalogue()]
    for rule, described in zip(catalogue(), rules, strict=True):
        assert described["fullDescription"]["text"] == rule.why
        assert all(path in described["help"]["markdown"] for path in (*rule.good, *rule.bad))
        assert described["name"].isidentifier()


def test_a_result_tells_what_where_and_what_to_do() -> None:
    """The level is the finding's own, which settings may have changed, and not the rule's."""
    [result] = _results(report(finding(severity=Severity.WARNING)))
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("BK307", 0, "warning")
    assert result["message"]["text"] == "no\nmend it"
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "models/coin/coin/wire.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 7, "startColumn": 5},
            }
        }
    ]


@pytest.mark.parametrize(
    ("bundle", "path", "uri"),
    [
        pytest.param("models/coin", CASE_PATH, "models/coin/a%20b/%C3%BC%231%3F%25.py", id="escaped"),
        pytest.param(".", "wire.py", "wire.py", id="the bundle is the repository"),
        pytest.param("/srv/repository/coin", "wire.py", "coin/wire.py", id="an absolute bundle"),
        pytest.param("coin", "../study.json", "study.json", id="beside the bundle"),
        pytest.param("coin", "a:b.py", "coin/a%3Ab.py", id="a colon is no scheme"),
        pytest.param("coin", None, "coin", id="the bundle as a whole"),
        pytest.param("/else where", "wire.py", "file:///else%20where/wire.py", id="outside of the repository"),
        pytest.param("../coin", "wire.py", "file:///srv/coin/wire.py", id="above the repository"),
    ],
)
def test_places_are_uris_from_the_root_of_the_repository(bundle: str, path: str | None, uri: str) -> None:
    """Code scanning finds no file by a path that starts where the command happened to run."""
    [result] = _results(report(finding()._replace(path=path), path=bundle))
    assert _uri(result)["uri"] == uri
    assert ("uriBaseId" in _uri(result)) is not uri.startswith("file:")


def test_a_command_below_the_root_names_files_from_the_root() -> None:
    """A workflow often has a working directory of its own."""
    below = Surroundings("/srv/repository/models", "/srv/repository")
    [result] = _results(report(finding(), path="coin"), around=below)
    assert _uri(result)["uri"] == "models/coin/coin/wire.py"


def test_fingerprints_survive_shifted_lines_and_tell_bundles_apart() -> None:
    """An alert that was dismissed must stay dismissed after an edit above it."""
    first = _results(report(finding(line=7)), report(finding(line=7), path="models/other"))
    later = _results(report(finding(line=70)), report(finding(line=9), path="models/other"))
    prints = [result["partialFingerprints"]["bundlekit/v1"] for result in first]
    assert prints == [result["partialFingerprints"]["bundlekit/v1"] for result in later]
    assert len(set(prints)) == 2


def test_a_finding_without_a_line_has_no_region() -> None:
    """A made-up first line would put the alert on code that is not to blame."""
    [result] = _results(report(finding(line=None)))
    assert "region" not in result["locations"][0]["physicalLocation"]
    [result] = _results(report(finding()._replace(column=None)))
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}


def test_an_obstacle_is_a_notification_and_no_result() -> None:
    """What kept bundlekit from a verdict is not the bundle's fault; a service must not close its alerts over it."""
    run = _run(report(obstacle=Obstacle(ErrorCode.IO, "disk full", "free some")), report(finding()))
    [invocation] = run["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 7)
    [told] = invocation["toolExecutionNotifications"]
    assert (told["descriptor"]["id"], told["message"]["text"]) == ("E_IO", "disk full\nfree some")
    assert len(run["results"]) == 1


def test_bundles_that_fail_are_a_successful_execution() -> None:
    """The twin of the test above: findings are what the tool is for."""
    [invocation] = _run(report(finding()))["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)
