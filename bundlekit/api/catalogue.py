"""Every rule of every stage, in the order of their codes."""

import difflib
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from bundlekit.check.engine import check
from bundlekit.check.rules import RULES
from bundlekit.errors import UsageError
from bundlekit.model.finding import Finding
from bundlekit.model.project import Project
from bundlekit.model.rule import Rule
from bundlekit.probe.rules import DYNAMIC_RULES
from bundlekit.probe.worst_case import worst_case
from bundlekit.read.project import read_project

__all__ = ["catalogue", "fixable_codes", "rule_of"]

_JOB = "job.json"
"""The job specification that an example about jobs brings along."""


def catalogue() -> tuple[Rule[object], ...]:
    """Return all rules, static and dynamic, sorted by code."""
    rules: list[Rule[object]] = [*RULES, *DYNAMIC_RULES]
    return tuple(sorted(rules, key=lambda rule: rule.code))


def rule_of(code: str) -> Rule[object]:
    """Return the rule with this code.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    rules = {rule.code: rule for rule in catalogue()}
    wanted = code.strip().upper()
    if wanted in rules:
        return rules[wanted]
    near = [known for known in rules if known.startswith(wanted)] or difflib.get_close_matches(wanted, rules, n=3)
    hint = f"there are {', '.join(near)}" if near else "`bundlekit rules` lists them all"
    msg = f"there is no rule {code!r}"
    raise UsageError(msg, subject=code, hint=hint)


def fixable_codes(rules: Iterable[Rule[object]]) -> frozenset[str]:
    """Return the codes of those `rules` that propose a mend for what they find in their own bad example.

    A rule that needs a run is asked what it would say if nothing had worked.
    """
    with tempfile.TemporaryDirectory(prefix="bundlekit-") as scratch:
        return frozenset(rule.code for rule in rules if _proposes_mend(rule, Path(scratch, rule.code)))


def _proposes_mend(rule: Rule[object], root: Path) -> bool:
    _lay_out(root, rule.bad)
    job = root / _JOB
    project = read_project(root, job_spec=job if job.is_file() else None)
    return any(each.edit is not None for each in _found(rule.code, project))


def _found(code: str, project: Project) -> list[Finding]:
    for rule in DYNAMIC_RULES:
        if rule.code == code:
            return list(rule.check(worst_case(project)))
    return [each for each in check(project) if each.code == code]


def _lay_out(root: Path, files: Mapping[str, str]) -> None:
    root.mkdir()
    for path, text in files.items():
        target = root / path
        (target if path.endswith("/") else target.parent).mkdir(parents=True, exist_ok=True)
        if not path.endswith("/"):
            target.write_text(text, encoding="utf-8", newline="")
