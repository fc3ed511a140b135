"""Reports as text, JSON and annotations."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.cold_runner.runner_error import FatalError
from bundlekit.cold_runner.task import AggregationTask, SimulationTask
from bundlekit.errors import FileAccessError, UsageError
from bundlekit.model.digest import Digest
from bundlekit.model.documents.tasks import AggregationTaskDocument, FatalErrorDocument, SimulationTaskDocument
from bundlekit.model.finding import (
    Finding,
    Level,
    Obstacle,
    Report,
    Severity,
    Stage,
    StageName,
    StageStatus,
)
from bundlekit.report.json_schemas import schema_texts
from bundlekit.report.outputs import Destination, Format, check_destinations, render, write_files

DIGEST = Digest.of(b"bundle")
MISSING = Finding(
    "BK405",
    Severity.ERROR,
    "targets.incidence has no 'incidence_target'",
    path="pyproject.toml",
    line=9,
    column=12,
    hint="did you mean 'incidence'?",
    entity="targets.incidence:incidence_target",
)
NOTE = Finding("BK206", Severity.INFO, "empty directory does not ship", path="data/empty")


def report(*findings: Finding, obstacle: Obstacle | None = None, smoke: StageStatus = StageStatus.PASSED) -> Report:
    """Return a report of the bundle `sir` with the given findings."""
    return Report(
        path="examples/sir",
        name="sir",
        version="1.0",
        digest=DIGEST,
        deps_hash=DIGEST,
        level=Level.SMOKE,
        sandbox="process",
        stages=(Stage(StageName.STATIC, StageStatus.PASSED, 0.04), Stage(StageName.SMOKE, smoke, 1.25)),
        findings=findings,
        obstacle=obstacle,
    )


def test_text_shows_place_severity_code_message_hint_and_a_summary() -> None:
    """Editors and people find the line by `path:line:column`, and the last line tells the verdict."""
    assert render([report(MISSING, NOTE)], Format.TEXT).splitlines() == [
        "examples/sir/pyproject.toml:9:12: error BK405 targets.incidence has no 'incidence_target'",
        "  hint: did you mean 'incidence'?",
        "examples/sir/data/empty: info BK206 empty directory does not ship",
        f"failed: sir 1.0 ({DIGEST.short}...), 1 error, 1 note, static passed 0.0 s · smoke passed 1.2 s",
    ]


def test_several_bundles_stand_apart_and_are_counted() -> None:
    """The verdict of the last bundle must not be taken for that of all."""
    lines = render([report(MISSING)._replace(path="models/a"), report()._replace(path="models/b")], Format.TEXT)
    assert lines.splitlines() == [
        "models/a",
        "models/a/pyproject.toml:9:12: error BK405 targets.incidence has no 'incidence_target'",
        "  hint: did you mean 'incidence'?",
        f"failed: sir 1.0 ({DIGEST.short}...), 1 error, static passed 0.0 s · smoke passed 1.2 s",
        "",
        "models/b",
        f"passed: sir 1.0 ({DIGEST.short}...), 0 errors, static passed 0.0 s · smoke passed 1.2 s",
        "",
        "2 bundles: 1 failed, 1 passed",
    ]
    unproved = render([report(), report(smoke=StageStatus.UNPROVED)], Format.TEXT).splitlines()[-1]
    assert unproved == "2 bundles: 1 passed but unproved, 1 passed"


def test_the_summary_tells_what_does_not_count_or_counts_otherwise() -> None:
    """Whoever reads "0 errors" must see that somebody decided so."""
    suppressed = {"comment": 1, "per-file-ignores": 2, "ignore": 3, "baseline": 4, "select": 5}
    line = render([report(NOTE)._replace(suppressed=suppressed, gone=6, reweighed=7)], Format.TEXT).splitlines()[-1]
    assert (
        ", 0 errors, 1 note, 6 ignored, 4 known from the baseline, 5 not selected, 6 gone from the baseline, "
        "7 with another severity, static passed"
    ) in line
    assert "ignored" not in render([report(NOTE)], Format.TEXT)


def test_a_place_outside_the_bundle_is_shown_where_it_is() -> None:
    """A job specification lies beside the bundle: its place is relative to the bundle, as all places are."""
    finding = Finding("BK106", Severity.ERROR, "no JSON", path="../study.json")
    assert render([report(finding)], Format.TEXT).startswith("examples/study.json: error BK106")
    assert render([report(finding)._replace(path=".")], Format.TEXT).startswith("../study.json: error BK106")


@pytest.mark.parametrize(
    ("outcome", "verdict", "status"),
    [
        pytest.param(report(), "passed: ", 0, id="clean"),
        pytest.param(report(NOTE), "passed: ", 0, id="a note fails nothing"),
        pytest.param(report(MISSING), "failed: ", 1, id="an error"),
        pytest.param(report(smoke=StageStatus.UNPROVED), "passed but unproved: ", 0, id="unproved"),
        pytest.param(report(obstacle=Obstacle(ErrorCode.IO, "disk full")), "no verdict (E_IO): ", 7, id="obstacle"),
    ],
)
def test_the_summary_and_the_exit_status_tell_the_same_verdict(outcome: Report, verdict: str, status: int) -> None:
    """A scientist reads the line, a script reads the status: they may never differ."""
    assert render([outcome], Format.TEXT).splitlines()[-1].startswith(verdict)
    assert outcome.exit_status == status


def test_control_characters_of_a_bundle_never_reach_the_terminal() -> None:
    """A file's name may hold an escape sequence that hides the findings after it (HOSTILE_CORPUS N05)."""
    hostile = Finding("BK202", Severity.ERROR, "bad name '\x1b[2J'", path="a\x1b[31m\n\u202eb.py")
    text = render([report(hostile)], Format.TEXT)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"a\x1b[31m\n\u202eb.py: error BK202 bad name '\x1b[2J'" in text


def test_the_json_report_is_as_its_schema_says() -> None:
    """Other programs read the document by its published schema."""
    validator = Draft202012Validator(json.loads(schema_texts()["report.schema.json"]))
    for reports in ([report(MISSING, NOTE)], [report(), report(obstacle=Obstacle(ErrorCode.IO, "disk full"))]):
        validator.validate(json.loads(render(reports, Format.JSON)))
    assert not validator.is_valid({"reports": [{"schema": "bundlekit/report/1"}]})


def test_the_settings_schema_takes_settings_and_nothing_else() -> None:
    """Every key is optional there, so an editor that uses the schema would accept a typo otherwise."""
    validator = Draft202012Validator(json.loads(schema_texts()["settings.schema.json"]))
    assert validator.is_valid({"targets": ["m:f"], "smoke": [{"entrypoint": "main", "timeout-s": 5}]})
    assert not validator.is_valid({"targts": ["m:f"]})


def test_one_report_stands_alone_and_several_under_reports() -> None:
    """The common case stays easy to read from a script (DESIGN, "Shapes")."""
    assert json.loads(render([report(MISSING)], Format.JSON))["findings"][0]["line"] == 9
    assert len(json.loads(render([report(), report()], Format.JSON))["reports"]) == 2


def test_an_output_names_a_format_and_perhaps_a_file(tmp_path: Path) -> None:
    """`--output` may be given several times: text for the person, JSON for the artefact."""
    destination = Destination.parse(f"json:{tmp_path / 'r.json'}")
    write_files([report()], [Destination.parse("text"), destination])
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["passed"] is True
    assert sorted(each.name for each in tmp_path.iterdir()) == ["r.json"]


@pytest.mark.parametrize("text", ["", "yaml", "json:", "TEXT", ":file"])
def test_an_output_of_no_known_format_is_refused(text: str) -> None:
    """A typo must not silently print text where a pipeline expects JSON."""
    with pytest.raises(
        UsageError, match="expected FORMAT or FORMAT:FILE with a format of text, json, github, sarif, junit"
    ):
        Destination.parse(text)


@pytest.mark.parametrize("form", ["json", "sarif", "junit"])
def test_a_report_replaces_its_like_and_nothing_else(tmp_path: Path, form: str) -> None:
    """`--output sarif:model.py` must not cost a scientist the model."""
    file = tmp_path / "report"
    destination = Destination.parse(f"{form}:{file}")
    for _again in range(2):
        check_destinations([destination])
        write_files([report(MISSING)], [destination])
    file.write_text('{"name": "bundlekit"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="was not written by bundlekit: it is left as it is"):
        check_destinations([destination])


def test_a_report_that_cannot_be_written_says_where(tmp_path: Path) -> None:
    """The directory is missing: one sentence with the path, no traceback."""
    with pytest.raises(FileAccessError, match=r"cannot write .*nowhere.*: No such file"):
        write_files([report()], [Destination(Format.JSON, tmp_path / "nowhere" / "r.json")])


def test_a_task_may_hold_what_its_schema_says() -> None:
    """The runner's own parser and the published schema are two readers of one document."""
    assert set(SimulationTaskDocument.__annotations__) == set(SimulationTask._fields)
    assert set(AggregationTaskDocument.__annotations__) == set(AggregationTask._fields)


def test_the_fatal_error_has_the_same_keys_on_both_sides() -> None:
    """The runner cannot import the model, so the document's type stands twice; this holds the two together."""
    assert FatalErrorDocument.__annotations__ == FatalError.__annotations__
