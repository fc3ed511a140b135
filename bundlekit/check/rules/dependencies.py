"""BK5xx: declared requirements and requires-python. `packaging` judges; the plainest spellings need not ask it."""

import posixpath
import re
from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.requirement_text import without_hashes
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.cold_runner.environments.redaction import redacted
from bundlekit.model.edit import ReplaceText
from bundlekit.model.finding import Finding, Severity

__all__ = ["DEPENDENCY_RULES"]

_CLAUSE = r"(?:>=|<=|==|!=|<|>|~=(?=\s*\d+\.))\s*\d+(?:\.\d+)*"
_PLAIN_SPECIFIER = re.compile(rf"{_CLAUSE}(?:\s*,\s*{_CLAUSE})*", re.ASCII)
_PLAIN_REQUIREMENT = re.compile(
    rf"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\s*(?:{_CLAUSE}(?:\s*,\s*{_CLAUSE})*)?", re.ASCII
)
_CONDA = re.compile(r"([A-Za-z0-9._-]+)\s*=\s*(\d+(?:\.\d+)*)", re.ASCII)
_LOCAL = re.compile(r"\.{0,2}/|\.\.?(?:$|\[)|file:|[A-Za-z]:\\")
_URL = re.compile(r"(?:git|hg|svn|bzr)\+|https?://")
_PUBLISH = "publish it to an index, or ship its code inside the bundle"


def _invalid_requirement(evidence: Evidence) -> Iterable[Finding]:
    for requirement in evidence.project.requirements:
        text = without_hashes(requirement.value)
        from_file = not requirement.place.path.endswith(".toml")
        if _PLAIN_REQUIREMENT.fullmatch(text) or (from_file and (_LOCAL.match(text) or _URL.match(text))):
            continue
        if not _valid_requirement(text):
            place, value = requirement.place, redacted(requirement.value, {})
            message = f"the requirement {value!r:.120} is not valid (PEP 508)"
            hint = "write it as name>=1.0, optionally with [extras], further clauses and '; marker'"
            conda = _CONDA.fullmatch(text)
            if conda is not None:
                hint = f"a single '=' is conda's: write {conda[1]}=={conda[2]} or {conda[1]}=={conda[2]}.*"
            right = _respelt(text)
            edit = ReplaceText(place, text, right) if right is not None and place.line is not None else None
            yield finding("BK501", Severity.ERROR, message, place, hint=hint, entity=value, edit=edit)


def _respelt(requirement: str) -> str | None:
    """Return the requirement with its operators the right way round, None where that does not make it valid."""
    right = requirement.replace("=>", ">=").replace("=<", "<=")
    is_mended = right != requirement and "@" not in requirement and _valid_requirement(right)
    return right if is_mended else None


def _valid_requirement(text: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - four interpreter starts that plain requirements need not pay

    try:
        Requirement(text)
    except (InvalidRequirement, RecursionError):
        return False
    return True


def _invalid_requires_python(evidence: Evidence) -> Iterable[Finding]:
    specifier = evidence.project.requires_python
    if specifier is None or _PLAIN_SPECIFIER.fullmatch(specifier.strip()):
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - as above

    try:
        SpecifierSet(specifier)
    except InvalidSpecifier:
        message = f"requires-python {specifier!r:.80} is not valid (PEP 440)"
        place = evidence.project.requires_python_place
        yield finding("BK502", Severity.ERROR, message, place, hint='write it as ">=3.11"')


def _direct_reference(evidence: Evidence) -> Iterable[Finding]:
    members = {member.path for member in evidence.project.members}
    for requirement in evidence.project.requirements:
        text = requirement.value.strip()
        target = text.partition("@")[2].strip() if "@" in text and not _URL.match(text) else text
        found = _moving_source(target, members)
        if found is not None:
            what, hint = found
            place, value = requirement.place, redacted(requirement.value, {})
            message = f"the requirement {value!r:.120} is {what}"
            yield finding("BK504", Severity.WARNING, message, place, hint=hint, entity=value)


def _moving_source(target: str, members: set[str]) -> tuple[str, str] | None:
    """Return what is doubtful about a requirement's path or URL, and what to do; None where nothing is."""
    if _URL.match(target):
        return "a direct URL, which each worker must reach", _PUBLISH
    if not _LOCAL.match(target):
        return None
    # Runners take relative paths from the bundle's root, and build the bundle itself in any case.
    inside = posixpath.normpath(target.partition(" ")[0].partition("[")[0])
    if inside == "." or (inside.endswith(".whl") and inside in members):
        return None
    if any(member.startswith(f"{inside}/") for member in members):
        return "a directory of the bundle, and runners install no requirement from a directory", (
            "make it a package of the bundle, or ship it as a wheel file"
        )
    return "a path of this machine, which no worker has", _PUBLISH


_PROJECT = """\
[project]
name = "model"
version = "1.0"
{line}

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"
"""


def _example(line: str) -> dict[str, str]:
    return bundle({"pyproject.toml": _PROJECT.format(line=line)})


DEPENDENCY_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK501",
        "A requirement is not valid",
        "Installers stop at it, so the environment cannot be built on any worker.",
        Severity.ERROR,
        _invalid_requirement,
        good=_example("dependencies = ['numpy>=2,<3', 'scipy[test] ~= 1.11 ; python_version >= \"3.11\"']"),
        bad=_example('dependencies = ["numpy=>2"]'),
    ),
    StaticRule(
        "BK502",
        "requires-python is not valid",
        "No installer can tell which interpreters are admitted.",
        Severity.ERROR,
        _invalid_requires_python,
        good=_example('requires-python = ">=3.11"'),
        bad=_example('requires-python = "3.11 or newer"'),
    ),
    StaticRule(
        "BK504",
        "A requirement is a local path or a direct URL",
        "Workers have other disks and other networks; what is under the URL may change while the hash stays.",
        Severity.WARNING,
        _direct_reference,
        good=_example('dependencies = ["numpy"]'),
        bad=_example('dependencies = ["mylib @ file:///home/me/mylib"]'),
    ),
)
