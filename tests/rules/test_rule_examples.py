"""Every rule's own examples: the bad one makes it speak, the good one leaves it silent."""

import re
from pathlib import Path

import pytest
from builders.projects import write_tree

from bundlekit.check.engine import check
from bundlekit.check.rules import RULES, StaticRule
from bundlekit.model.finding import Finding
from bundlekit.read.project import read_project

_IDS = [rule.code for rule in RULES]


def _codes(root: Path, files: dict[str, str]) -> set[str]:
    for path in files:
        if path.endswith("/"):
            (root / path).mkdir(parents=True)
    write_tree(root, {path: text for path, text in files.items() if not path.endswith("/")})
    return {finding.code for finding in _findings(root)}


def _findings(root: Path) -> list[Finding]:
    """Return what is found; an example about jobs brings its specification along as job.json."""
    job = root / "job.json"
    return check(read_project(root, job_spec=job if job.is_file() else None))


@pytest.mark.parametrize("rule", RULES, ids=_IDS)
def test_the_bad_example_makes_the_rule_speak(rule: StaticRule, tmp_path: Path) -> None:
    """The example is the rule's documentation: it must show what the rule finds."""
    assert rule.code in _codes(tmp_path, dict(rule.bad))


@pytest.mark.parametrize("rule", RULES, ids=_IDS)
def test_the_good_example_leaves_the_rule_silent(rule: StaticRule, tmp_path: Path) -> None:
    """A rule that speaks about good code is removed by its users."""
    assert rule.code not in _codes(tmp_path, dict(rule.good))


@pytest.mark.parametrize("rule", RULES, ids=_IDS)
def test_the_bad_example_has_the_rules_severity(rule: StaticRule, tmp_path: Path) -> None:
    """The catalogue shows a severity; the findings of the example have it."""
    write_tree(tmp_path, {path: text for path, text in rule.bad.items() if not path.endswith("/")})
    for path in rule.bad:
        if path.endswith("/"):
            (tmp_path / path).mkdir(parents=True, exist_ok=True)
    severities = {finding.severity for finding in _findings(tmp_path) if finding.code == rule.code}
    assert severities == {rule.severity}


def test_codes_are_unique_and_of_the_static_families() -> None:
    """A code is a promise to those who select or ignore it."""
    assert len(_IDS) == len(set(_IDS))
    assert all(re.fullmatch(r"BK[1-58]\d\d", code) for code in _IDS)


def test_every_rule_says_what_and_why() -> None:
    """`explain` prints both."""
    assert all(rule.title and rule.why.endswith(".") for rule in RULES)
