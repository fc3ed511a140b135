"""BK513 and BK514: a lock that cannot be read, and one that is older than what it should pin."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from bundlekit.check.evidence import Evidence
from bundlekit.check.requirement_text import RequirementText, taken_apart
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding, problems
from bundlekit.check.worker import admitted_minors
from bundlekit.model.declaration import Requirement
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.lock import LockContent, RecordedRequirement
from bundlekit.model.project import ProjectTable

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

__all__ = ["LOCK_RULES"]


class _Doubt(NamedTuple):
    """What does not fit, whether it certainly fails on a worker, and the requirement that it is about."""

    what: str
    requirement: Requirement | None = None
    fails: bool = False


def _stale(evidence: Evidence) -> Iterable[Finding]:
    lock, project = evidence.project.lock, evidence.project
    if lock is None or not evidence.supply.is_told:
        return
    lacking = {doubt.requirement: doubt for doubt in _lacking(evidence, lock)}
    otherwise = [doubt for doubt in _recorded_otherwise(evidence, lock) if doubt.requirement not in lacking]
    for doubt in (*_other_bundle(evidence, lock), *lacking.values(), *otherwise, *_other_pythons(evidence, lock)):
        place = doubt.requirement.place if doubt.requirement else lock.place
        severity = Severity.ERROR if doubt.fails else Severity.WARNING
        name = lock.place.path
        hint = "run `uv lock`, and ship both" if name == "uv.lock" else f"write {name} anew, and ship both"
        entity = doubt.requirement.value if doubt.requirement else project.name
        yield finding("BK514", severity, f"{name} is stale: {doubt.what}", place, hint=hint, entity=entity)


def _other_bundle(evidence: Evidence, lock: LockContent) -> Iterator[_Doubt]:
    """Yield that uv finds no such project in the lock, and refuses it: it was renamed since."""
    if not lock.lists_bundle and evidence.project.table is ProjectTable.PRESENT:
        yield _Doubt(f"it does not list the bundle itself, {evidence.project.name!r:.60}", fails=True)


def _lacking(evidence: Evidence, lock: LockContent) -> Iterator[_Doubt]:
    """Yield requirements that the lock has nothing for, or no version that satisfies them."""
    versions: dict[str, list[str | None]] = {}
    for distribution in lock.distributions:
        versions.setdefault(distribution.name, []).append(distribution.version)
    for name, requirement in evidence.supply.declared.items():
        parts = taken_apart(requirement.value)
        shown = requirement.value.strip()
        if name not in versions:
            # An installer passes over what a lock does not list, and only the import fails.
            yield _Doubt(f"it does not list {shown!r:.80}", requirement, fails=not parts.marker)
            continue
        known = [version for version in versions[name] if version is not None]
        if parts.specifier and len(known) == len(versions[name]) and not _any_satisfies(parts, known):
            yield _Doubt(f"it lists {name} {' and '.join(known):.80}, and {shown!r:.80} is required", requirement)


def _any_satisfies(parts: RequirementText, versions: list[str]) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - only a bundle with a lock pays
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - as above

    try:
        wanted = SpecifierSet(parts.specifier)
        return any(wanted.contains(Version(version), prereleases=True) for version in versions)
    except (InvalidSpecifier, InvalidVersion):
        return True


def _recorded_otherwise(evidence: Evidence, lock: LockContent) -> Iterator[_Doubt]:
    """Yield what was required when the lock was written and is not, or otherwise, now; markers are not compared."""
    if lock.recorded is None:
        return
    locked = {distribution.name for distribution in lock.distributions}
    recorded: dict[str, list[RecordedRequirement]] = {}
    for one in lock.recorded:
        if not one.of_extra:
            recorded.setdefault(one.name, []).append(one)
    declared: dict[str, list[Requirement]] = {}
    for requirement in evidence.project.requirements:
        name = taken_apart(requirement.value).name
        if name is not None:
            declared.setdefault(name, []).append(requirement)
    for name, requirements in declared.items():
        then = recorded.get(name)
        if then is None:
            if name in locked:
                yield _Doubt(
                    f"it was written before {requirements[0].value.strip()!r:.80} was required", requirements[0]
                )
        elif not _same(requirements, then):
            yield _Doubt(
                f"it was written when {_shown(then):.80} was required, now {requirements[0].value.strip()!r:.80}",
                requirements[0],
            )
    for name in recorded.keys() - declared.keys():
        yield _Doubt(f"it was written when {name!r} was still required")


def _shown(recorded: list[RecordedRequirement]) -> str:
    extras = [f"[{','.join(sorted(one.extras))}]" if one.extras else "" for one in recorded]
    clauses = [f"{one.name}{extra}{one.specifier or ''}" for one, extra in zip(recorded, extras, strict=True)]
    return repr(" and ".join(clauses))


def _same(now: list[Requirement], then: list[RecordedRequirement]) -> bool:
    parts = [taken_apart(requirement.value) for requirement in now]
    if {extra for one in parts for extra in one.extras} != {extra for one in then for extra in one.extras}:
        return False
    if any(one.specifier is None for one in then) or any(one.url for one in parts):
        # Its source decides, which [tool.uv.sources] may state.
        return True
    return _canonical(one.specifier for one in parts) == _canonical(one.specifier or "" for one in then)


def _canonical(specifiers: Iterable[str]) -> "set[SpecifierSet] | set[str]":
    """Return the specifiers, comparable (>=2 is >=2.0); those of several markers may be joined: each counts once."""
    texts = {",".join(sorted(text.replace(" ", "").split(","))) for text in specifiers}
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - only a bundle with a lock pays

    try:
        return {SpecifierSet(text) for text in texts}
    except InvalidSpecifier:
        return texts


def _other_pythons(evidence: Evidence, lock: LockContent) -> Iterator[_Doubt]:
    """Yield a Python that the bundle admits and the lock was not written for; a workspace's lock may be narrower."""
    specifier = evidence.project.requires_python
    if lock.recorded is None or lock.requires_python is None or specifier is None:
        return
    missing = set(admitted_minors(specifier)) - set(admitted_minors(lock.requires_python))
    if missing:
        named = ", ".join(f"3.{minor}" for minor in sorted(missing))
        yield _Doubt(f"it is for requires-python {lock.requires_python!r:.60}, without {named}")


_PROJECT = """\
[project]
name = "model"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"
"""
_LOCK = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "model"
version = "1.0"
source = { virtual = "." }
dependencies = [{ name = "six" }]

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://pypi.org/simple" }
"""
_BEFORE = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "model"
version = "1.0"
source = { virtual = "." }
"""
_USES = "import six\n\ndef wire(entrypoint, params, seed):\n    return {}\n"


def _example(lock: str) -> dict[str, str]:
    return bundle({"pyproject.toml": _PROJECT, "model/wire.py": _USES, "uv.lock": lock})


LOCK_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK513",
        "The lock cannot be read",
        "The environment is installed from the lock where there is one, and installers refuse one that is damaged.",
        Severity.ERROR,
        problems("BK513"),
        good=_example(_LOCK),
        bad=_example("version = \n"),
    ),
    StaticRule(
        "BK514",
        "The lock is older than what the bundle requires",
        "Installers take the lock's word: what it lacks is not installed, and only the import on the worker tells.",
        Severity.ERROR,
        _stale,
        good=_example(_LOCK),
        bad=_example(_BEFORE),
    ),
)
