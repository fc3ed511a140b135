"""BK509 to BK518: requirements and Pythons that contradict each other, and requirements that move."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bundlekit.check.evidence import Evidence
from bundlekit.check.requirement_text import taken_apart, without_hashes
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.specifiers import contradiction
from bundlekit.check.worker import admits_version
from bundlekit.cold_runner.dependency_hash import normalised_name
from bundlekit.cold_runner.environments.redaction import redacted
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place
from bundlekit.model.project import Project

if TYPE_CHECKING:
    from bundlekit.model.declaration import Requirement

__all__ = ["REQUIREMENT_RULES"]

_REPOSITORY = re.compile(r"(?:git|hg|svn|bzr)\+")
_MOVING = frozenset({"", "dev", "devel", "develop", "head", "latest", "main", "master", "next", "stable", "trunk"})
_SHOWN = 5
_SHOWN_CHARACTERS = 60
_VERSION = re.compile(r"3(?:\.\d{1,3}){1,2}", re.ASCII)


def _contradictory(evidence: Evidence) -> Iterable[Finding]:
    groups: dict[tuple[str, str], list[Requirement]] = {}
    for requirement in evidence.project.requirements:
        parts = taken_apart(requirement.value)
        if parts.name is not None:
            groups.setdefault((parts.name, parts.marker), []).append(requirement)
    for (name, _), requirements in groups.items():
        taken = [taken_apart(requirement.value) for requirement in requirements]
        urls = {one.url for one in taken if one.url}
        specifiers = ",".join(one.specifier for one in taken if one.specifier)
        if len(urls) < 2 and not contradiction(specifiers):  # noqa: PLR2004 - one source contradicts nothing
            continue
        shown = " and ".join(repr(redacted(one.value.strip(), {}))[:80] for one in requirements)
        message = f"no version of {name!r} satisfies {shown}"
        if len(urls) > 1:
            message = f"{name!r} is asked for from different places: {shown}"
        hint = "keep one of them" if len(requirements) > 1 else "correct one of its clauses"
        yield finding("BK509", Severity.ERROR, message, requirements[-1].place, hint=hint, entity=name)


def _unpinned_repository(evidence: Evidence) -> Iterable[Finding]:
    if evidence.project.dependencies.lock is not None:
        # A lock says which commit it was.
        return
    for requirement in evidence.project.requirements:
        url = taken_apart(requirement.value).url
        revision = _revision(url) if _REPOSITORY.match(url) else None
        if revision is not None and revision.lower() in _MOVING:
            shown = redacted(requirement.value.strip(), {})
            what = f"the branch {revision!r}" if revision else "whatever is newest"
            message = f"the requirement {shown!r:.120} takes {what} of a repository, which moves"
            hint = "name a commit or a tag behind the address: @<commit>"
            yield finding("BK510", Severity.WARNING, message, requirement.place, hint=hint, entity=shown)


def _revision(url: str) -> str:
    """Return what follows the last @ in the path of a repository's address, empty where nothing does."""
    address = url.partition("#")[0].strip()
    # What stands before the first slash behind :// is a user and a host.
    path = address.partition("://")[2].partition("/")[2] or address.partition(":")[2]
    return path.rpartition("@")[2] if "@" in path else ""


def _other_python(evidence: Evidence) -> Iterable[Finding]:
    project = evidence.project
    specifier, place = project.requires_python, project.requires_python_place
    if specifier is None or not specifier.strip():
        return
    if contradiction(specifier):
        message = f"requires-python {specifier!r:.80} admits no Python at all"
        yield finding("BK512", Severity.ERROR, message, place, hint="correct one of its clauses")
        return
    for asked, where, key in _asked_for(project):
        try:
            fits = admits_version(specifier, asked)
        except ValueError:
            return
        if not fits:
            message = f"{key} asks for Python {asked}, which requires-python {specifier!r:.80} excludes"
            yield finding(
                "BK512", Severity.ERROR, message, where, hint="widen the one, or correct the other", entity=key
            )


def _asked_for(project: Project) -> Iterator[tuple[str, Place | None, str]]:
    """Yield the versions that the settings ask for, each with its place and key."""
    settings = project.settings
    for value, place, key in (
        (settings.python, settings.python_place, "[tool.bundlekit] python"),
        (settings.worker.python, settings.worker.python_place, "[tool.bundlekit.worker] python"),
    ):
        if value is not None and _VERSION.fullmatch(value):
            yield value, place, key


def _no_version(evidence: Evidence) -> Iterable[Finding]:
    worker = evidence.project.settings.worker
    if worker.python is not None and not _VERSION.fullmatch(worker.python):
        message = f"[tool.bundlekit.worker] python must be a version such as 3.12, found {worker.python!r:.60}"
        yield finding("BK518", Severity.ERROR, message, worker.python_place, hint='write it as "3.12"')


def _no_lock(evidence: Evidence) -> Iterable[Finding]:
    project, supply = evidence.project, evidence.supply
    if project.dependencies.lock is not None or not project.requirements:
        return
    # What no task loads has no say in any result.
    loaded = (used for used in evidence.foreign_imports if used.role.loaded is not None)
    names = {normalised_name(found) for used in loaded if (found := supply.provision(used.dotted).distribution)}
    open_ones = [one for name, one in supply.declared.items() if name in names and not taken_apart(one.value).is_exact]
    if open_ones:
        more = len(open_ones) - _SHOWN
        shown = ", ".join(without_hashes(one.value)[:_SHOWN_CHARACTERS] for one in open_ones[:_SHOWN])
        shown += f" and {more} more" if more > 0 else ""
        message = f"no lock ships, and tasks import what is required without an exact version: {shown}"
        hint = "tasks of next month may run on other versions than today's: write uv.lock with `uv lock`, and ship it"
        yield finding("BK515", Severity.INFO, message, open_ones[0].place, hint=hint)


_PROJECT = """\
[project]
name = "model"
version = "1.0"
{}

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"
"""


def _example(line: str, after: str = "") -> dict[str, str]:
    return bundle({"pyproject.toml": _PROJECT.format(line) + after, "model/__init__.py": "import numpy, lab\n"})


_WORKER = '\n[tool.bundlekit.worker]\npython = "{}"\n'

REQUIREMENT_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK509",
        "Requirements contradict each other",
        "No installer finds a version that satisfies both, so no environment can be built.",
        Severity.ERROR,
        _contradictory,
        good=_example('dependencies = ["numpy>=1.26", "numpy<3"]'),
        bad=_example('dependencies = ["numpy>=2", "numpy<1.20"]'),
    ),
    StaticRule(
        "BK510",
        "A repository is required without a commit or a tag",
        "Branches move: two workers, or two days, install different code under the same requirement.",
        Severity.WARNING,
        _unpinned_repository,
        good=_example('dependencies = ["lab @ git+https://example.invalid/lab.git@v1.2"]'),
        bad=_example('dependencies = ["lab @ git+https://example.invalid/lab.git"]'),
    ),
    StaticRule(
        "BK512",
        "The Python that is asked for is not one that requires-python admits",
        "The environment for such a Python is refused before anything is installed.",
        Severity.ERROR,
        _other_python,
        good=_example('requires-python = ">=3.11"', _WORKER.format("3.12")),
        bad=_example('requires-python = ">=3.11,<3.12"', _WORKER.format("3.12")),
    ),
    StaticRule(
        "BK515",
        "No lock ships with requirements that are open",
        "Without exact versions, each environment that is built later may hold other ones, and give other results.",
        Severity.INFO,
        _no_lock,
        good=_example('dependencies = ["numpy==2.1.0"]'),
        bad=_example('dependencies = ["numpy>=2"]'),
    ),
    StaticRule(
        "BK518",
        "The worker's Python is no version",
        "What the bundle needs can only be resolved for a Python that exists.",
        Severity.ERROR,
        _no_version,
        good=_example("", _WORKER.format("3.12")),
        bad=_example("", _WORKER.format("latest")),
    ),
)
