"""Rules of the environment stage about the worker: are there wheels for its Python and platform?"""

import re
from collections.abc import Iterator

from bundlekit.cold_runner.dependency_hash import normalised_name, requirement_name
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place
from bundlekit.model.project import Project
from bundlekit.model.rule import Rule
from bundlekit.probe.evidence import Evidence, Resolved
from bundlekit.probe.example_bundle import SOUND, varied
from bundlekit.probe.rule_type import EvidenceCheck, last_lines

__all__ = ["WORKER_RULES"]

_NAME = r"`?(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
_NO_WHEEL = (
    re.compile(rf"Wheels are available for {_NAME}` .*on the following platforms?: (?P<there>.+)"),
    re.compile(rf"only found wheels for {_NAME}` .*with the following (?P<there>.+)"),
    re.compile(rf"Package {_NAME}` can't be installed because it is marked as `--no-build`"),
    re.compile(rf"Wheels are required for {_NAME}` because building from source is disabled"),
    re.compile(rf"{_NAME}\S* has no (?:usable )?wheels"),
)
"""What uv says of a distribution without a fitting wheel, the plainest first; `there` is what wheels it has."""

_NOT_FOUND = re.compile(rf"(?:Because|And because) {_NAME} was not found in the package registry")
_RARE = re.compile(r"manylinux_2_[34]|android|apple-ios|pyodide|riscv")
_SHOWN = 200


def _unresolvable(evidence: Evidence) -> Iterator[Finding]:
    resolution = evidence.resolution
    if resolution is None or resolution.resolved is not Resolved.NO:
        return
    found = next((match for pattern in _NO_WHEEL if (match := pattern.search(resolution.said))), None)
    missing = found or _NOT_FOUND.search(resolution.said)
    name = missing["name"] if missing else None
    message = f"the requirements cannot be met on the worker ({resolution.worker})"
    hint = last_lines(resolution.said)
    if found is not None:
        there = found.groupdict().get("there")
        message = f"{name!r} has no wheel for the worker ({resolution.worker})"
        hint = "require a version that has one, or correct [tool.bundlekit.worker]"
        hint += f"; there are wheels for: {_plain(there)}" if there else ""
    elif missing is not None:
        message += f": {name!r} is not in the package index"
    yield _at(_place(evidence.project, name), Finding("BK516", Severity.ERROR, message, hint=hint, entity=name))


def _not_asked(evidence: Evidence) -> Iterator[Finding]:
    resolution = evidence.resolution
    if resolution is not None and resolution.resolved in {Resolved.NOT_ASKED, Resolved.FORBIDDEN}:
        why, hint = "no index was reached", last_lines(resolution.said)
        if resolution.resolved is Resolved.FORBIDDEN:
            why, hint = "network = false lets no index be asked", "write network = true into [tool.bundlekit]"
        message = f"{why}, so nothing is known of wheels for the worker ({resolution.worker})"
        yield _at(_setting(evidence.project, None), Finding("BK517", Severity.INFO, message, hint=hint))


def _bad_setting(evidence: Evidence) -> Iterator[Finding]:
    resolution = evidence.resolution
    if resolution is not None and resolution.resolved is Resolved.BAD_SETTING:
        worker = evidence.project.settings.worker
        value = worker.platform if resolution.setting == "platform" else worker.python
        message = f"[tool.bundlekit.worker] {resolution.setting} {value!r:.60} is none that uv knows"
        known = _known(resolution.said)
        hint = f"known are {', '.join(known)}" if known else last_lines(resolution.said)
        place = _setting(evidence.project, resolution.setting)
        yield _at(place, Finding("BK519", Severity.ERROR, message, hint=hint, entity=value))


def _known(said: str) -> list[str]:
    """Return the values that uv says it knows, without those of small devices and of each version of manylinux."""
    values = said.partition("possible values: ")[2].partition("]")[0].split(", ")
    return [value for value in values if value and not _RARE.search(value)]


def _plain(text: str) -> str:
    return text.replace("`", "").strip()[:_SHOWN]


def _setting(project: Project, key: str | None) -> Place:
    worker = project.settings.worker
    places = [worker.python_place, worker.platform_place]
    if key == "platform":
        places.reverse()
    return next((place for place in places if place is not None), Place("pyproject.toml"))


def _place(project: Project, name: str | None) -> Place:
    """Return where the requirement of that name stands, else the first one, else the worker's setting."""
    wanted = normalised_name(name) if name else None
    for requirement in project.requirements:
        if wanted is not None and requirement_name(requirement.value) == wanted:
            return requirement.place
    return project.requirements[0].place if project.requirements else _setting(project, None)


def _at(place: Place, finding: Finding) -> Finding:
    return finding._replace(path=place.path, line=place.line, column=place.column)


_DEPENDENCIES = "dependencies = []"
_WORKER = '\n[tool.bundlekit.worker]\npython = "3.12"\nplatform = "{}"\n[tool.setuptools]'
# A worker of the other kind, so that its requirements are not installed on most of the machines that show this.
_ARM = _WORKER.format("aarch64-manylinux_2_28")

WORKER_RULES: tuple[Rule[EvidenceCheck], ...] = (
    Rule(
        code="BK516",
        title="There is no wheel for the worker",
        why="Workers install what the bundle requires; what was never built for their Python or platform stops there.",
        severity=Severity.ERROR,
        check=_unresolvable,
        good=SOUND,
        bad=varied(
            (_DEPENDENCIES, "dependencies = [\"pywin32 ; platform_machine == 'aarch64'\"]"),
            ("\n[tool.setuptools]", _ARM),
        ),
    ),
    Rule(
        code="BK517",
        title="Whether there are wheels for the worker was not found out",
        why="Without a package index nothing is known of the worker's wheels; the tasks will tell, later.",
        severity=Severity.INFO,
        check=_not_asked,
        good=SOUND,
        bad=varied(
            (_DEPENDENCIES, "dependencies = [\"six ; platform_machine == 'aarch64'\"]"),
            ("[tool.bundlekit]", "[tool.bundlekit]\nnetwork = false"),
            ("\n[tool.setuptools]", _ARM),
        ),
    ),
    Rule(
        code="BK519",
        title="The worker's platform is none that uv knows",
        why="Wheels can only be looked for under a platform's own name.",
        severity=Severity.ERROR,
        check=_bad_setting,
        good=SOUND,
        bad=varied((_DEPENDENCIES, 'dependencies = ["six"]'), ("\n[tool.setuptools]", _WORKER.format("amd64"))),
    ),
)
