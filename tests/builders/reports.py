"""Reports for the tests of what other programs read."""

from bundlekit.model.finding import Finding, Level, Obstacle, Report, Severity, Stage, StageName, StageStatus

__all__ = ["CASE_PATH", "HOSTILE", "finding", "report", "without_verdict"]

CASE_PATH = "a b/ü#1?%.py"
"""A path that no URI holds as it stands."""

HOSTILE = "bad '\x1b[2J' \x00 \ud800 \ufffe \u202e ]]> <b> & | `x` ::error::\nnext ##[error]"
"""A message that no document and no terminal may get as it stands."""


def finding(
    code: str = "BK307", severity: Severity = Severity.ERROR, line: int | None = 7, text: str = "no"
) -> Finding:
    """Return a finding in the bundle's wire module."""
    return Finding(code, severity, text, "coin/wire.py", line, None if line is None else 5, hint="mend it")


def without_verdict(why: str) -> Report:
    """Return the report of a bundle whose isolation experiment came to no verdict."""
    stages = (Stage(StageName.ISOLATION, StageStatus.UNPROVED, 1.5, f"no verdict: {why}, 9 executions"),)
    return report()._replace(level=Level.ISOLATION, stages=stages)


def report(
    *findings: Finding,
    path: str = "models/coin",
    name: str | None = "coin",
    stage: StageStatus = StageStatus.PASSED,
    obstacle: Obstacle | None = None,
) -> Report:
    """Return the static report of one bundle."""
    stages = (Stage(StageName.STATIC, stage, 0.25, "3 files"),)
    return Report(path, name, "1.0", None, None, Level.STATIC, "none", stages, findings, obstacle)
