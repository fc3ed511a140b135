"""BK3xx: the wire entry point (CONTRACT sections 2 and 3)."""

from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.mends import suits_wire
from bundlekit.check.rules import references
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.values import Function
from bundlekit.cold_runner.dependency_hash import normalised_name
from bundlekit.cold_runner.entry_point import Reference
from bundlekit.model.declaration import WireSource
from bundlekit.model.edit import AddEntryPoint, Edit, RenameKey
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name, slip_of
from bundlekit.model.place import Place
from bundlekit.model.project import Project, ProjectTable

__all__ = ["WIRE_RULES"]

_GROUP = "modelops.wire"
_CALL_ARITY = 3
_LINE = 'execute = "{}" in [project.entry-points."modelops.wire"]'


def _no_wire(evidence: Evidence) -> Iterable[Finding]:
    project = evidence.project
    if not _has_none(project) or _may_come_from_elsewhere(evidence):
        return
    message = f"no wire function is declared: no entry point in the group {_GROUP!r}, nothing that stands in for it"
    near = nearest_name(_GROUP, [group for group in project.entry_point_groups if group != _GROUP])
    place, hint = Place("pyproject.toml"), f"declare one: {_LINE.format('package.wire:wire')}"
    if _GROUP in project.entry_point_groups:
        place = project.entry_point_groups[_GROUP]
        if not project.build.is_installed:
            hint = "this group counts only with [project], or Poetry's with [build-system]: add the one or the other"
    elif near:
        hint = f'write [project.entry-points."{_GROUP}"], not {near!r}'
        place = project.entry_point_groups[near]
    edit = _declared(evidence) if project.table is ProjectTable.PRESENT else None
    yield finding("BK301", Severity.ERROR, message, place, hint=hint, edit=edit)


def _declared(evidence: Evidence) -> Edit | None:
    """Return how to declare the only wire that the bundle has: by the right name of its group, or by a new line."""
    groups = [group for group in evidence.project.entry_point_groups if group != _GROUP]
    near = slip_of(_GROUP, groups)
    if near is not None and _GROUP not in evidence.project.entry_point_groups:
        return RenameKey("pyproject.toml", ("project", "entry-points", near), _GROUP)
    if nearest_name(_GROUP, groups) is not None:
        return None
    found = evidence.suggestions.same_name(Reference("", None, ("wire",)))
    is_one = len(found) == 1 and suits_wire(evidence.suggestions.value(found[0]))
    return AddEntryPoint(_GROUP, "execute", str(found[0])) if is_one else None


def _has_none(project: Project) -> bool:
    readable = project.table in {ProjectTable.PRESENT, ProjectTable.WITHOUT_PROJECT}
    return readable and not project.wires and not project.mistyped_wire


def _may_come_from_elsewhere(evidence: Evidence) -> str | None:
    """Return what else may declare the wire, None if nothing does."""
    project = evidence.project
    for requirement in project.dependencies.declared:
        name = requirement.strip()
        if "modelops" in normalised_name(name) or "calabaria" in normalised_name(name) or "@" in name:
            return f"the dependency {name!r:.80} may bring one"
    if not project.build.is_installed:
        return None
    if "entry-points" in project.build.dynamic:
        return "[project] says that the build backend adds entry points"
    is_setuptools = (project.build_backend or "setuptools").startswith("setuptools")
    if is_setuptools and any(member.path == "setup.py" for member in project.members):
        return "setup.py may declare one"
    return None


def _undeclared(evidence: Evidence) -> Iterable[Finding]:
    if _has_none(evidence.project):
        reason = _may_come_from_elsewhere(evidence)
        if reason:
            message = f"the bundle declares no wire itself, so it cannot be decided without installing: {reason}"
            yield finding("BK309", Severity.INFO, message, Place("pyproject.toml"), hint="the import stage decides it")
    yield from references.undecided("BK309", references.WIRE)(evidence)


def _several(evidence: Evidence) -> Iterable[Finding]:
    if not evidence.entry_points:
        return
    first = evidence.entry_points[0]
    for wire in evidence.entry_points[1:]:
        message = f"a second entry point {wire.name!r} in the group {_GROUP!r}: runners refuse more than one"
        hint = f"keep one of them; the first is {first.name} = {first.value!r}"
        yield finding("BK302", Severity.ERROR, message, wire.place, hint=hint, entity=wire.value)
    for requirement in evidence.project.requirements:
        if normalised_name(requirement.value.strip()).startswith("modelops-calabaria"):
            message = f"{requirement.value!r} brings a wire beside the bundle's own: runners refuse more than one"
            hint = "leave out the bundle's own entry point, or the dependency"
            yield finding("BK302", Severity.ERROR, message, requirement.place, hint=hint, entity=requirement.value)


def _signature(evidence: Evidence) -> Iterable[Finding]:
    for judged in evidence.wires:
        wire, verdict = judged.declaration, judged.verdict
        if isinstance(verdict, Function) and not verdict.signature.accepts_positional(_CALL_ARITY):
            found = f"{verdict.name}{verdict.signature}"
            message = f"the wire {wire.value!r} cannot be called as wire(entrypoint, params, seed): it is {found}"
            hint = f"write {references.definition(judged, verdict, 'entrypoint, params, seed')}"
            place = Place(verdict.path, verdict.line)
            yield finding("BK307", Severity.ERROR, message, place, hint=hint, entity=wire.value)


def _as_entry_point(evidence: Evidence) -> AddEntryPoint | None:
    """Return how to declare the wire in effect by an entry point too, None where it has no name that would import."""
    judged = evidence.wires[0]
    reference = judged.reference
    if not suits_wire(judged.verdict) or reference is None or _may_come_from_elsewhere(evidence):
        return None
    module = reference.module if reference.path is None else evidence.suggestions.module(reference.path)
    if module is None or evidence.project.mistyped_wire:
        return None
    return AddEntryPoint(_GROUP, "execute", str(Reference(module, None, reference.attributes)))


def _other_runners(evidence: Evidence) -> Iterable[Finding]:
    project = evidence.project
    wires = project.wires
    if not wires:
        return
    first = wires[0]
    if first.source is not WireSource.ENTRY_POINT:
        where = first.place.path
        value = "package.wire:wire" if "/" in first.value or ".py:" in first.value else first.value.strip()
        hint = f"declare it as well: {_LINE.format(value)}"
        edit = _as_entry_point(evidence) if project.table is ProjectTable.PRESENT else None
        message = f"the wire is declared by {where} alone: today's cold and direct runners only look at entry points"
        yield finding("BK310", Severity.WARNING, message, first.place, hint=hint, edit=edit)
    for other in wires[1:]:
        if other.source is not WireSource.ENTRY_POINT and other.value != first.value:
            where = other.place.path
            message = f"{where} names the wire {other.value!r}, which is not used: {first.value!r} comes first"
            yield finding("BK310", Severity.INFO, message, other.place, entity=other.value)


_TWO = """\
[project]
name = "model"
version = "1.0"

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"
other = "model.wire:other"
"""


def _naming(value: str) -> str:
    return f"""\
[project]
name = "model"
version = "1.0"

[project.entry-points."modelops.wire"]
execute = "{value}"
"""


def _defining(source: str) -> dict[str, str]:
    return bundle({"model/wire.py": source})


_NO_WIRE = '[project]\nname = "model"\nversion = "1.0"\n'

WIRE_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK301",
        "No wire function is declared",
        "Runners find the simulation through one entry point; without it every task of the bundle fails.",
        Severity.ERROR,
        _no_wire,
        good=bundle(),
        bad=bundle({"pyproject.toml": _NO_WIRE}),
    ),
    StaticRule(
        "BK302",
        "More than one wire entry point",
        "Runners do not guess: with two entry points in the group they refuse the bundle.",
        Severity.ERROR,
        _several,
        good=bundle(),
        bad=bundle({"pyproject.toml": _TWO}),
    ),
    StaticRule(
        "BK303",
        "The wire's reference is malformed",
        "A reference is 'module:object'; anything else fails when the environment is built or the wire is loaded.",
        Severity.ERROR,
        references.malformed("BK303", references.WIRE),
        good=bundle(),
        bad=bundle({"pyproject.toml": _naming("model.wire")}),
    ),
    StaticRule(
        "BK304",
        "The wire's module does not exist",
        "The import fails on the worker, after the bundle has been shipped and installed.",
        Severity.ERROR,
        references.missing_module("BK304", references.WIRE),
        good=bundle(),
        bad=bundle({"pyproject.toml": _naming("model.wires:wire")}),
    ),
    StaticRule(
        "BK305",
        "The wire's module does not define it",
        "The module is imported on the worker, and only then does the attribute turn out to be missing.",
        Severity.ERROR,
        references.missing_name("BK305", references.WIRE),
        good=bundle(),
        bad=bundle({"pyproject.toml": _naming("model.wire:run_wire")}),
    ),
    StaticRule(
        "BK306",
        "The wire cannot be called",
        "A module, a constant or an instance without __call__ loads well and fails at the first task.",
        Severity.ERROR,
        references.not_callable("BK306", references.WIRE),
        good=bundle(),
        bad=_defining("wire = {}\n"),
    ),
    StaticRule(
        "BK307",
        "The wire's signature does not take (entrypoint, params, seed)",
        "Runners pass the three by position; another signature is a TypeError in every task.",
        Severity.ERROR,
        _signature,
        good=_defining("def wire(entrypoint, params, seed=0, *, verbose=False):\n    return {'a': b'1'}\n"),
        bad=_defining("def wire(params, seed):\n    return {'a': b'1'}\n"),
    ),
    StaticRule(
        "BK308",
        "The wire is async or a generator",
        "Runners call the wire and use what it returns; a coroutine or generator is never run.",
        Severity.ERROR,
        references.not_plain("BK308", references.WIRE),
        good=bundle(),
        bad=_defining("async def wire(entrypoint, params, seed):\n    return {'a': b'1'}\n"),
    ),
    StaticRule(
        "BK309",
        "The wire cannot be decided statically",
        "Not every definition can be told from source; the reason is named and the import stage decides.",
        Severity.INFO,
        _undeclared,
        good=bundle(),
        bad=_defining("wire = make_wire()\n"),
    ),
    StaticRule(
        "BK310",
        "Another runner would not find this wire",
        "Today's runners look in different places: only an entry point is found by all of them.",
        Severity.WARNING,
        _other_runners,
        good=bundle(),
        bad={"wire.py": "def wire(entrypoint, params, seed):\n    return {'a': b'1'}\n", "requirements.txt": ""},
    ),
)
