"""BK311 and BK312: sources that Python cannot parse, and those that it parses with a warning."""

import platform
from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place

__all__ = ["SOURCE_RULES"]


def _unparsable(evidence: Evidence) -> Iterable[Finding]:
    yield from (problem for problem in evidence.project.problems if problem.code == "BK311")
    needed = {path: failure for path, failure in evidence.followed.items() if failure is not None}
    for path, failure in (evidence.survey.failures | needed).items():
        # What the wire, a target or a model leads to certainly fails; anything else may be a template or a leftover.
        severity = Severity.ERROR if path in needed else Severity.WARNING
        message = f"{path} is not Python that can be imported: {failure.reason}"
        hint = "correct it, or leave it out of the bundle if nothing imports it"
        if path in needed:
            hint = "correct it: the wire, a target or a model needs it"
        if not _admits_this_python(evidence.project.requires_python):
            version = platform.python_version()
            severity, hint = (
                Severity.WARNING,
                f"requires-python excludes the Python {version} that read it: use another",
            )
        yield finding("BK311", severity, message, Place(path, failure.line, failure.column), hint=hint)


def _admits_this_python(requires_python: str | None) -> bool:
    """Whether the bundle runs on this interpreter, so that what its parser refuses certainly fails."""
    if requires_python is None:
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - only a source that does not parse pays for it

    try:
        return SpecifierSet(requires_python).contains(platform.python_version(), prereleases=True)
    except InvalidSpecifier:
        return True


def _warned(evidence: Evidence) -> Iterable[Finding]:
    for path, message, line in evidence.survey.warnings:
        hint = "later versions of Python make it an error"
        yield finding("BK312", Severity.INFO, f"Python warns here: {message}", Place(path, line), hint=hint)


SOURCE_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK311",
        "A source file cannot be parsed",
        "Importing it fails; an error where the wire or a target needs it, else a warning.",
        Severity.ERROR,
        _unparsable,
        good=bundle(),
        bad=bundle({"model/wire.py": "def wire(entrypoint, params, seed)\n    return {'a': b'1'}\n"}),
    ),
    StaticRule(
        "BK312",
        "A source file gives a syntax warning",
        "What is a warning today is an error in a later Python, and is printed by every task until then.",
        Severity.INFO,
        _warned,
        good=bundle({"model/names.py": 'PATTERN = r"\\d"\n'}),
        bad=bundle({"model/names.py": 'PATTERN = "\\d"\n'}),
    ),
)
