"""What other programs are given about two examples, to the letter."""

import json
import re
from pathlib import Path

import pytest

from builders.isolation import leaking

from bundlekit import __version__
from bundlekit.api.finding_sources import finding_sources
from bundlekit.api.validation import ValidateOptions, validate
from bundlekit.model.finding import Level, Report
from bundlekit.report.html.isolation import isolation_page
from bundlekit.report.outputs import Format, render
from bundlekit.report.step_summary import step_summary
from bundlekit.report.surroundings import Surroundings

_GOLDEN = Path(__file__).parent / "reports"
_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_BUNDLES = ("broken/missing-target", "broken/shadows-stdlib")


def _reports() -> list[Report]:
    """Return the static reports; how long the stages took is no part of the text."""
    paths = [_EXAMPLES / bundle for bundle in _BUNDLES]
    found = validate(paths, ValidateOptions(level=Level.STATIC), lambda _: None)
    return [each._replace(stages=tuple(stage._replace(seconds=0.0) for stage in each.stages)) for each in found]


def portable(text: str) -> str:
    """Return `text` without what differs from machine to machine and from version to version."""
    # The style is a file of its own.
    text = re.sub(r"(?<=<style>\n).*(?=</style>)", "", text, flags=re.DOTALL)
    text = text.replace(_EXAMPLES.as_posix(), ".").replace(f"bundlekit {__version__}", "bundlekit VERSION")
    return text.replace(f'"{__version__}"', '"VERSION"')


@pytest.mark.parametrize("name", sorted(path.name for path in _GOLDEN.iterdir()))
def test_the_report_is_the_expected_one(name: str) -> None:
    """Services read these documents for years: a change of them is seen in review."""
    # Without the catalogue, so that a new example of a rule is no change of this text.
    around = Surroundings(_EXAMPLES.as_posix(), _EXAMPLES.as_posix())
    reports = _reports()
    made = {
        "github.txt": lambda: render(reports, Format.GITHUB, around=around),
        "junit.xml": lambda: render(reports, Format.JUNIT, around=around),
        "sarif.json": lambda: render(reports, Format.SARIF, around=around),
        "report.html": lambda: render(
            reports, Format.HTML, around=around._replace(sources=finding_sources(reports))
        ),
        "isolation.html": lambda: isolation_page(leaking()),
        "summary.md": lambda: step_summary(reports, around),
    }[name]()
    expected = (_GOLDEN / name).read_text(encoding="utf-8")
    assert portable(made) == expected


def test_the_golden_log_is_json() -> None:
    """A merge of two branches must not leave half of a document behind."""
    assert json.loads((_GOLDEN / "sarif.json").read_text(encoding="utf-8"))["version"] == "2.1.0"
