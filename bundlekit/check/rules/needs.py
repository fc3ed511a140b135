"""BK505 to BK507: what the bundle's code imports against what it declares."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from bundlekit.check.dependencies import Closure, closure_of
from bundlekit.check.distributions import import_names, providers
from bundlekit.check.evidence import Evidence
from bundlekit.check.module_index import ModuleFile, Namespace
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.source_imports import SourceImport
from bundlekit.check.stdlib_versions import exists_in, pythons_without
from bundlekit.model.edit import AddRequirement
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name
from bundlekit.model.place import Place
from bundlekit.model.project import ProjectTable

__all__ = ["NEED_RULES"]

_NOT_IMPORTED = ("types-", "pytest-", "mypy", "ruff", "black", "setuptools", "wheel", "pip", "build", "modelops-")
_NOT_IMPORTED_ENDS = ("-stubs", "-plugin", "-backend")


def _undeclared(evidence: Evidence) -> Iterable[Finding]:
    project = evidence.project
    if project.table is ProjectTable.UNREADABLE or "dependencies" in project.build.dynamic:
        return
    closure = closure_of(project)
    needed = frozenset(evidence.needed)
    for name, uses in _third_party(evidence).items():
        if closure.provides(name):
            continue
        counted = [use for use in uses if not use.is_optional and (use.path in needed or not _is_aside(use.path))]
        if not counted:
            continue
        # What the wire and the targets lead to comes first, and of that what runs when it is imported.
        use = min(counted, key=lambda each: (each.path not in needed, each.in_function, each.path, each.line))
        certain = closure.is_known and use.path in needed and not use.in_function
        yield _undeclared_finding(name, use, closure, certain=certain)


def _undeclared_finding(name: str, use: SourceImport, closure: Closure, *, certain: bool) -> Finding:
    provider = providers(name)[0]
    message = f"{name!r} is imported, which no declared dependency provides"
    severity = Severity.ERROR if certain else Severity.WARNING
    near = nearest_name(provider, closure.names)
    hint = f"add {provider!r} to [project] dependencies"
    if near and not closure.is_known:
        hint += f", if {near!r} was not meant"
    if not closure.is_known:
        message += " by name"
        hint += "; one of those that are declared may bring it, but need not always"
    place = Place(use.path, use.line, use.column)
    # A name that is near one of those that are declared is misspelt rather than missing.
    edit = AddRequirement(provider) if len(providers(name)) == 1 and near is None else None
    return finding("BK505", severity, message, place, hint=hint, entity=name, edit=edit)


def _third_party(evidence: Evidence) -> Mapping[str, list[SourceImport]]:
    """Return the imports of what is neither the bundle's own nor the standard library's, by name."""
    found: dict[str, list[SourceImport]] = defaultdict(list)
    for use in evidence.survey.imports:
        if exists_in(use.name, None) is None and not _is_own(evidence, use.name):
            found[use.name].append(use)
    return found


def _is_own(evidence: Evidence, name: str) -> bool:
    module = evidence.resolver.index.find(name)
    return isinstance(module, ModuleFile | Namespace) and name in evidence.resolver.index.top_level_names()


def _is_aside(path: str) -> bool:
    """Whether the source is for those who work on the bundle: no task runs it."""
    parts = path.split("/")
    aside = {"tests", "test", "docs", "doc", "examples", "notebooks", "scripts", "benchmarks", "tools"}
    own = parts[-1]
    return bool(aside & set(parts[:-1])) or own.startswith(("test_", "setup.", "conftest.", "noxfile.", "tasks."))


def _unused(evidence: Evidence) -> Iterable[Finding]:
    """Yield declared dependencies that no source imports, where every import is accounted for by another one."""
    uses = _third_party(evidence)
    closure = closure_of(evidence.project)
    if not uses or not all(closure.provides(name) for name in uses):
        return
    for requirement in evidence.project.requirements:
        name = closure.declared_name(requirement.value)
        if name is None or name.startswith(_NOT_IMPORTED) or name.endswith(_NOT_IMPORTED_ENDS):
            continue
        if not closure.imported_by(name, uses):
            shown = ", ".join(sorted(import_names(name)))
            message = f"the dependency {name!r} is declared and no source imports it (as {shown})"
            hint = "leave it out, if nothing else needs it: each worker installs it"
            yield finding("BK506", Severity.INFO, message, requirement.place, hint=hint, entity=name)


def _other_python(evidence: Evidence) -> Iterable[Finding]:
    project = evidence.project
    needed = frozenset(evidence.needed)
    seen: set[str] = set()
    for use in evidence.survey.imports:
        if use.is_optional or use.name in seen or (_is_aside(use.path) and use.path not in needed):
            continue
        without = pythons_without(use.name, project.requires_python, project.settings.worker.python)
        if not without or _is_own(evidence, use.name) or closure_of(project).provides(use.name):
            continue
        seen.add(use.name)
        worker = project.settings.worker.python
        severity = Severity.ERROR if worker is not None and not use.in_function else Severity.WARNING
        message = f"{use.name!r} is imported, which Python {' and '.join(without)} does not have"
        who = "the worker's Python" if worker is not None else "requires-python"
        hint = f"{who} admits it: narrow that, import it under a condition, or use what has replaced it"
        place = Place(use.path, use.line, use.column)
        yield finding("BK507", severity, message, place, hint=hint, entity=use.name)


_PROJECT = """\
[project]
name = "model"
version = "1.0"
requires-python = "{python}"
dependencies = [{dependencies}]

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"
"""
_USES = "import {name}\n\ndef wire(entrypoint, params, seed):\n    return {{'x': {name}.run(seed)}}\n"


def _example(dependencies: str, name: str, python: str = ">=3.11") -> dict[str, str]:
    text = _PROJECT.format(dependencies=dependencies, python=python)
    return bundle({"pyproject.toml": text, "model/wire.py": _USES.format(name=name)})


NEED_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK505",
        "An import that no declared dependency provides",
        "It is installed here and not on the worker, where it shows an hour later, often as another error.",
        Severity.ERROR,
        _undeclared,
        good=_example('"starsim>=2"', "starsim"),
        bad=_example("", "starsim"),
    ),
    StaticRule(
        "BK506",
        "A dependency is declared and not imported",
        "Every worker installs it; what nothing needs costs time and may stand in the way of another version.",
        Severity.INFO,
        _unused,
        good=_example('"starsim>=2"', "starsim"),
        bad=_example('"starsim>=2", "sciris"', "starsim"),
    ),
    StaticRule(
        "BK507",
        "A standard module that not every admitted Python has",
        "Modules come and go with Python's versions; the worker may have another one than this machine.",
        Severity.WARNING,
        _other_python,
        good=_example("", "tomllib"),
        bad=_example("", "telnetlib"),
    ),
)
