"""The type of a static rule, and the shortest way to a finding of it."""

from collections.abc import Callable, Iterable, Mapping

from bundlekit.check.evidence import Evidence
from bundlekit.model.edit import Edit
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place
from bundlekit.model.rule import Rule

__all__ = ["Check", "StaticRule", "bundle", "finding", "problems"]

Check = Callable[[Evidence], Iterable[Finding]]
StaticRule = Rule[Check]

_PYPROJECT = """\
[project]
name = "model"
version = "1.0"

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"
"""
_WIRE = """\
def wire(entrypoint, params, seed):
    return {"result": b"1"}
"""


def finding(
    code: str,
    severity: Severity,
    message: str,
    place: Place | None,
    *,
    hint: str | None = None,
    entity: str | None = None,
    edit: Edit | None = None,
) -> Finding:
    """Return the finding that stands at `place`, or at the bundle's root."""
    path, line, column = place or (None, None, None)
    return Finding(code, severity, message, path, line, column, hint, entity, edit)


def problems(code: str) -> Check:
    """Return the check of a rule whose findings reading has made already."""

    def check(evidence: Evidence) -> Iterable[Finding]:
        return [problem for problem in evidence.project.problems if problem.code == code]

    return check


def bundle(files: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a small good bundle as an example, with `files` added or replaced."""
    start = {"pyproject.toml": _PYPROJECT, "model/__init__.py": "", "model/wire.py": _WIRE}
    return start | dict(files or {})
