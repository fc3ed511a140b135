"""Every dynamic rule's examples, really built, imported and run."""

from pathlib import Path

import pytest

from bundlekit.api.catalogue import fixable_codes
from bundlekit.api.validation import ValidateOptions, validate
from bundlekit.model.finding import Level, Report
from bundlekit.model.isolation import Verdict
from bundlekit.model.rule import Rule
from bundlekit.probe.example_bundle import SOUND
from bundlekit.probe.rule_type import EvidenceCheck
from bundlekit.probe.rules import DYNAMIC_RULES, ISOLATION_RULES

pytestmark = pytest.mark.process


def validated(files: dict[str, str], root: Path, level: Level = Level.SMOKE) -> Report:
    """Return the report of a bundle with these files."""
    for path, text in files.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    (report,) = validate([root], ValidateOptions(level), lambda _message: None)
    return report


@pytest.mark.parametrize("rule", DYNAMIC_RULES, ids=lambda rule: rule.code)
def test_a_rule_speaks_on_its_bad_example(rule: Rule[EvidenceCheck], tmp_path: Path) -> None:
    """The examples are the documentation: a rule that is silent on its own example documents nothing."""
    level = Level.ISOLATION if rule in ISOLATION_RULES else Level.SMOKE
    report = validated(dict(rule.bad), tmp_path, level)
    found = [finding for finding in report.findings if finding.code == rule.code]
    assert found, f"{rule.code} said nothing; found {[str(each) for each in report.findings]}, {report.obstacle}"
    assert all(finding.severity is rule.severity for finding in found)
    # What `explain` tells without a run is what a run shows.
    assert any(finding.edit is not None for finding in found) is bool(fixable_codes([rule]))


def test_the_sound_bundle_passes_without_any_dynamic_finding(tmp_path: Path) -> None:
    """One false alarm of the preflight and people stop reading it."""
    report = validated(dict(SOUND), tmp_path)
    codes = {rule.code for rule in DYNAMIC_RULES}
    assert [finding for finding in report.findings if finding.code in codes] == []
    assert report.passed
    assert not report.unproved
    assert report.digest is not None


def test_the_isolated_bundle_passes_without_any_finding(tmp_path: Path) -> None:
    """It is the good example of every rule of that stage."""
    (good,) = {tuple(sorted(rule.good.items())) for rule in ISOLATION_RULES}
    report = validated(dict(good), tmp_path, Level.ISOLATION)
    codes = {rule.code for rule in ISOLATION_RULES}
    assert [finding for finding in report.findings if finding.code in codes] == []
    assert report.passed
    assert report.isolation is not None
    assert report.isolation.verdict is Verdict.ISOLATED
    assert (report.stages[-1].name, report.stages[-1].status) == ("isolation", "passed")
