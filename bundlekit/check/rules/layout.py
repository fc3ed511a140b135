"""BK2xx: which files ship, and whether their names and places work on every runner."""

import posixpath
from collections.abc import Iterable

from bundlekit.check.evidence import Evidence
from bundlekit.check.left_out import bring_back, left_out_by
from bundlekit.check.named_files import NamedFile
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.shadowing import shadowing_modules, standard_uses
from bundlekit.cold_runner.exclusions import REGISTRY
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.member import portability_warnings
from bundlekit.model.place import Place
from bundlekit.model.project import Project

__all__ = ["LAYOUT_RULES"]

_NATIVE_SUFFIXES = (".pyx", ".c", ".cc", ".cpp", ".cxx", ".f90", ".rs", ".cu")


def _files_that_do_not_ship(evidence: Evidence) -> Iterable[Finding]:
    yield from _documents_left_out(evidence)
    yield from _referenced_files(evidence)


def _documents_left_out(evidence: Evidence) -> Iterable[Finding]:
    """Yield a finding for each document that declares something here and that no runner would get to see."""
    project = evidence.project
    documents = {"pyproject.toml": ("every runner reads it", Place("pyproject.toml"))}
    for wire in evidence.wires:
        documents.setdefault(wire.declaration.place.path, ("it declares the wire", wire.declaration.place))
    # A job specification names targets too, and need not ship.
    for target in (target for target in project.targets if target.place.path == REGISTRY):
        documents.setdefault(REGISTRY, ("it names a target", target.place))
    for model in project.registry.models if project.registry else ():
        documents.setdefault(REGISTRY, ("it names a model", model.place))
    for requirement in project.requirements:
        documents.setdefault(requirement.place.path, ("it declares the dependencies", requirement.place))
    for path, (why, place) in documents.items():
        pattern = left_out_by(project, path)
        if pattern is not None:
            message = f"{path!r} would not ship: it is left out by {pattern}, but {why}"
            hint = bring_back(path, pattern)
            yield finding("BK201", Severity.ERROR, message, place, hint=hint, entity=path)


def _referenced_files(evidence: Evidence) -> Iterable[Finding]:
    project = evidence.project
    named = [NamedFile(reference, required=True) for reference in project.references]
    shipped = {member.path for member in project.members}
    shipped |= {directory for path in tuple(shipped) for directory in _parents(path)}
    for reference, required, certain in (*named, *evidence.survey.named):
        path = posixpath.normpath(reference.path)
        if path in shipped or path == ".":
            continue
        found = _why_it_does_not_ship(project, path, required=required)
        if found is not None:
            why = reference.why if certain else "the code may read it"
            message = f"{reference.path!r} {found[0]}, but {why}"
            severity = Severity.ERROR if certain else Severity.WARNING
            yield finding("BK201", severity, message, reference.place, hint=found[1], entity=reference.path)


def _why_it_does_not_ship(project: Project, path: str, *, required: bool) -> tuple[str, str] | None:
    """Return reason and hint, None for a path that nothing is known about and that need not be there."""
    for entry in project.refused:
        if entry.path == path:
            return f"cannot ship: it {entry.reason}", "replace it by a regular file"
    for left_out in project.excluded:
        whole = left_out.path.rstrip("/")
        is_it = path == whole and (required or not left_out.path.endswith("/"))
        if is_it or (path in project.unshipped and path.startswith(f"{whole}/")):
            return f"would not ship: it is left out by {left_out.pattern}", bring_back(path, left_out.pattern)
    if not required:
        return None
    if path.startswith(("../", "/")) or path == "..":
        return "lies outside the bundle", "copy it into the bundle and name it by its path from there"
    return "does not exist", "add it, or correct the path: it counts from the bundle's root"


def _refused(evidence: Evidence) -> Iterable[Finding]:
    for entry in evidence.project.refused:
        message = f"{entry.path!r} cannot ship: it {entry.reason}"
        hint = "replace or rename it, or leave it out in .modelopsignore"
        yield finding("BK202", Severity.ERROR, message, Place(entry.path), hint=hint)


def _not_portable(evidence: Evidence) -> Iterable[Finding]:
    for problem in portability_warnings(member.path for member in evidence.project.members):
        message = f"the name {problem.path!r} {problem.reason}"
        hint = "rename it if anyone may unpack the bundle there"
        yield finding("BK203", Severity.WARNING, message, Place(problem.path), hint=hint)


def _shadows_stdlib(evidence: Evidence) -> Iterable[Finding]:
    project = evidence.project
    for name, module in shadowing_modules(project).items():
        message = f"the top-level module {name!r} has the name of a module of Python's standard library"
        severity, hint = Severity.WARNING, "some runners import this one in its place everywhere, others never find it"
        use = next(standard_uses(project, module), None)
        if use is not None:
            severity, hint = Severity.ERROR, "a runner that puts the bundle first on the import path fails there"
            message += (
                f", and line {use.place.line} of {use.place.path} takes {use.name!r} from it, which this one lacks"
            )
        yield finding("BK204", severity, message, Place(module.path), hint=f"rename it: {hint}", entity=name)


def _shadows_compiled(evidence: Evidence) -> Iterable[Finding]:
    project = evidence.project
    if not project.build.compiles:
        return
    for path in project.sources:
        package, _, rest = path.partition("/")
        if rest == "__init__.py" and package not in project.source_roots and _is_compiled(project, package):
            message = (
                f"the source package {package!r} at the root would shadow its compiled self"
                " on a runner that puts the bundle first on the import path"
            )
            hint = f"move it to src/{package}"
            yield finding("BK205", Severity.WARNING, message, Place(path), hint=hint, entity=package)


def _is_compiled(project: Project, package: str) -> bool:
    name = (project.name or "").replace("-", "_").lower()
    return package.lower() == name or any(
        member.path.startswith(f"{package}/") and member.path.endswith(_NATIVE_SUFFIXES) for member in project.members
    )


def _empty_directories(evidence: Evidence) -> Iterable[Finding]:
    for path in evidence.project.empty_directories:
        message = f"the empty directory {path!r} does not ship: archives hold files only"
        hint = "create it when the code needs it, or put a file such as .gitkeep into it"
        yield finding("BK206", Severity.INFO, message, Place(path), hint=hint)


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]


_PYX_PROJECT = """\
[build-system]
requires = ["scikit-build-core"]
build-backend = "scikit_build_core.build"

[project]
name = "model"
version = "1.0"

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"
"""
_READS = 'def wire(entrypoint, params, seed):\n    return {"x": open("observed.csv", "rb").read()}\n'

LAYOUT_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK201",
        "A file that the bundle names would not ship",
        "It works where the file lies and fails on the worker, where only the archive's files are.",
        Severity.ERROR,
        _files_that_do_not_ship,
        good=bundle({"model/wire.py": _READS, "observed.csv": "t,x\n"}),
        bad=bundle({"model/wire.py": _READS, "observed.csv": "t,x\n", ".modelopsignore": "*.csv\n"}),
    ),
    StaticRule(
        "BK202",
        "An entry of the tree cannot ship",
        "Links, devices and names that other systems take apart are refused by every careful reader of archives.",
        Severity.ERROR,
        _refused,
        good=bundle(),
        bad=bundle({"model/data\\old.csv": ""}),
    ),
    StaticRule(
        "BK203",
        "A name does not port to Windows or macOS",
        "The bundle packs and runs on Linux; a colleague elsewhere cannot unpack it as it is.",
        Severity.WARNING,
        _not_portable,
        good=bundle(),
        bad=bundle({"model/aux.py": ""}),
    ),
    StaticRule(
        "BK204",
        "A top-level module shadows the standard library",
        "Which of the two is imported depends on the runner; an error where the bundle's code means the standard one.",
        Severity.WARNING,
        _shadows_stdlib,
        good=bundle({"model/random.py": ""}),
        bad=bundle({"random.py": ""}),
    ),
    StaticRule(
        "BK205",
        "A source package shadows its compiled self",
        "With the bundle's root first on the import path, the package without its extension modules is imported.",
        Severity.WARNING,
        _shadows_compiled,
        good={
            "pyproject.toml": _PYX_PROJECT,
            "src/model/__init__.py": "",
            "src/model/wire.py": "def wire(entrypoint, params, seed):\n    return {'a': b'1'}\n",
            "src/model/core.cpp": "",
        },
        bad=bundle({"pyproject.toml": _PYX_PROJECT, "model/core.cpp": ""}),
    ),
    StaticRule(
        "BK206",
        "An empty directory does not ship",
        "Code that expects it to be there finds nothing on the worker.",
        Severity.INFO,
        _empty_directories,
        good=bundle({"model/output/.gitkeep": ""}),
        bad=bundle({"model/output/": ""}),
    ),
)
