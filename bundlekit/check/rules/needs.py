"""BK505, BK506, BK508 and BK511: what code imports, against what is declared.

An import is an error only where it certainly fails in a task: the closure of the declared dependencies is known and
lacks it, and what runners load runs the import each time. In a function or on a condition, or in a module that nothing
from the wire and the targets leads to, it is a warning; in tests, documentation and tools, information. Left alone is
an import that is guarded, for type checkers only, or on a condition that the worker does not fulfil.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from bundlekit.check.evidence import Evidence
from bundlekit.check.foreign import ForeignImport
from bundlekit.check.import_names import is_namespace, known_modules, known_names, providers
from bundlekit.check.module_index import CHANGES_THE_PATH, INSTALLERS
from bundlekit.check.requirement_text import taken_apart
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.check.source_imports import When
from bundlekit.check.stdlib_versions import is_standard
from bundlekit.check.supply import Provision, Status
from bundlekit.cold_runner.dependency_hash import normalised_name
from bundlekit.model.edit import AddRequirement
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name
from bundlekit.model.project import Project, ProjectTable

__all__ = ["NEED_RULES"]

_BRINGS_TESTS = frozenset({"pytest", "_pytest"})
_SHOWN_PROVIDERS = 3
_SHORTEST_MISSPELT, _ALIKE = 5, 0.8
_DEEP_NAMESPACES = frozenset({"azure", "google"})
_RANKS = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_USED_BY_NAME = re.compile(
    r"^(?:types-.*|.*-stubs|(?:pytest|flake8|sphinx|mkdocs|jupyter|ipython|ipykernel|mypy|pylint|hatch|setuptools)(?:-.*)?"
    r"|black|ruff|isort|tox|nox|pre-commit|coverage|build|twine|pip|wheel|uv|gunicorn|uvicorn|notebook|voila|dvc|invoke"
    r"|tzdata|certifi|typing-extensions|modelops.*)$"
)
"""Distributions that are run, or that others find without anyone importing them."""


class _Case(NamedTuple):
    """One import, what provides it, and how bad that is."""

    used: ForeignImport
    provision: Provision
    severity: Severity


def _undeclared(evidence: Evidence) -> Iterable[Finding]:
    for name, cases in _by_module(evidence, {Status.ABSENT, Status.UNKNOWN}).items():
        worst = cases[0]
        known = providers(worst.used.dotted) or (
            (worst.provision.distribution,) if worst.provision.distribution else ()
        )
        sure = "provides" if worst.provision.status is Status.ABSENT else "is known to provide"
        message = f"{worst.used.verb} {name!r}, which no declared dependency {sure}"
        if worst.provision.installed:
            holder = f"{worst.provision.distribution} {worst.provision.installed}"
            message += f"; the environment has it from {holder}, which none of them needs"
        wanted = known or (normalised_name(name).strip("-"),)
        hint = f"add {_either(wanted)} to {_where(evidence.project)}"
        # What an unknown name would bring from an index is anybody's guess, and the next run would install it.
        edit = AddRequirement(known[0]) if len(known) == 1 else None
        is_guess = not known and "." not in name and len(name) >= _SHORTEST_MISSPELT
        near = nearest_name(name, known_names(), at_least=_ALIKE) if is_guess else None
        if near is not None:
            # A name that is only nearly a well-known one is nothing to be installed on a guess.
            hint, edit = f"did you mean {near!r}? Else {hint}", None
        if worst.severity is Severity.INFO:
            # What is added to the dependencies, every worker installs.
            hint, edit = f"no task is seen to load it: add {_either(wanted)} to an extra or a dependency group", None
        elif worst.provision.status is Status.UNKNOWN:
            hint += "; one of those that are declared may bring it today, and drop it tomorrow"
        yield finding(
            "BK505", worst.severity, message + _elsewhere(cases), worst.used.place, hint=hint, entity=name, edit=edit
        )


def _indirect(evidence: Evidence) -> Iterable[Finding]:
    for name, cases in _by_module(evidence, {Status.INDIRECT, Status.OPTIONAL}).items():
        worst = cases[0]
        distribution = worst.provision.distribution or name
        message = f"{worst.used.verb} {name!r}, which is not declared and comes only with another dependency"
        if worst.provision.status is Status.OPTIONAL:
            owner = evidence.project.optional_requirements[normalised_name(distribution)]
            message = f"{worst.used.verb} {name!r}, which of all that is declared only the {owner} asks for"
            message += ": runners install none"
        hint, edit = f'add "{distribution}" to {_where(evidence.project)}', AddRequirement(distribution)
        yield finding(
            "BK508", worst.severity, message + _elsewhere(cases), worst.used.place, hint=hint, entity=name, edit=edit
        )


def _excluded(evidence: Evidence) -> Iterable[Finding]:
    for name, cases in _by_module(evidence, {Status.EXCLUDED}).items():
        used, provision, severity = cases[0]
        requirement = evidence.supply.excluded[normalised_name(provision.distribution or name)]
        marker = taken_apart(requirement.value).marker
        message = (
            f"{used.verb} {name!r}, which is not installed on the worker ({evidence.worker}): there {marker!r} is false"
        )
        hint = f"import it on the same condition, or correct the marker in {requirement.place.path}"
        yield finding("BK511", severity, message + _elsewhere(cases), used.place, hint=hint, entity=name)


def _by_module(evidence: Evidence, statuses: set[Status]) -> Mapping[str, list[_Case]]:
    """Return the imports that stand so, by what would have to be added: the worst of each first."""
    found: dict[str, list[_Case]] = {}
    for name, case in _cases(evidence):
        if case.provision.status in statuses:
            found.setdefault(name, []).append(case)
    for cases in found.values():
        cases.sort(key=lambda case: _RANKS.index(case.severity))
    return found


def _cases(evidence: Evidence) -> Iterator[tuple[str, _Case]]:
    supply, answers = evidence.supply, dict[str, Provision]()
    if not supply.is_told:
        return
    for used in evidence.foreign_imports:
        top = used.dotted.partition(".")[0]
        if used.when >= When.GUARDED or _is_of_python(evidence, top) or used.place.path == "setup.py":
            continue
        if top in _BRINGS_TESTS and used.role.is_support:
            continue
        provision = answers.get(used.dotted) or answers.setdefault(used.dotted, supply.provision(used.dotted))
        if _may_be_built(evidence.project, used.dotted, provision):
            continue
        severity = _severity(evidence, used, provision.status)
        if severity is not None:
            yield _name_of(used.dotted), _Case(used, provision, severity)


def _is_of_python(evidence: Evidence, top: str) -> bool:
    # A module that Python no longer has lives on as a distribution of that name.
    return is_standard(top) and normalised_name(top) not in evidence.supply.declared


def _may_be_built(project: Project, dotted: str, provision: Provision) -> bool:
    return project.build.generates is not None and provision.distribution is None and not providers(dotted)


def _severity(evidence: Evidence, used: ForeignImport, status: Status) -> Severity | None:
    """Return how bad an import is whose provider stands so, None where it is not worth a word."""
    loaded = used.role.loaded is not None
    always = loaded and used.when is When.ALWAYS
    match status:
        case Status.DECLARED:
            return None
        case Status.INDIRECT:
            return Severity.INFO if loaded else None
        case Status.OPTIONAL:
            return Severity.WARNING if always else None
        case Status.ABSENT | Status.EXCLUDED if always and not _may_be_there(evidence.project, used):
            return Severity.ERROR
        case _:
            is_likely = loaded or not (used.role.is_support or used.when is When.PERHAPS)
            return Severity.WARNING if is_likely else Severity.INFO


def _may_be_there(project: Project, used: ForeignImport) -> bool:
    """Whether a module may be found all the same: some environments hold their installer, some code its own paths."""
    if used.dotted.partition(".")[0] in INSTALLERS:
        return True
    return any(CHANGES_THE_PATH.search(source.data) for source in project.sources.values())


def _name_of(dotted: str) -> str:
    """Return as much of the module's name as tells its distribution."""
    parts = dotted.split(".")
    if not is_namespace(parts[0]):
        return parts[0]
    known = providers(dotted)
    shorter = [".".join(parts[:length]) for length in range(1, len(parts))]
    told = next((name for name in shorter if known and providers(name) == known), dotted)
    return told if known else ".".join(parts[: 3 if parts[0] in _DEEP_NAMESPACES else 2])


def _elsewhere(cases: list[_Case]) -> str:
    others = len({case.used.place for case in cases}) - 1
    return f" (also in {others} other place{'s' * (others > 1)})" if others else ""


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(f'"{name}"' for name in names[:_SHOWN_PROVIDERS])


def _where(project: Project) -> str:
    return "[project] dependencies" if project.table is ProjectTable.PRESENT else "requirements.txt"


def _unused(evidence: Evidence) -> Iterable[Finding]:
    # Where nothing of the kind is imported at all, the dependencies are used in some way that is not seen here.
    if all(is_standard(used.dotted.partition(".")[0]) for used in evidence.foreign_imports):
        return
    for name, requirement in evidence.supply.declared.items():
        modules = _modules_of(evidence, name)
        if modules is None or _USED_BY_NAME.fullmatch(name) or _is_mentioned(evidence, modules):
            continue
        shown = " or ".join(sorted(repr(module) for module in modules)[:_SHOWN_PROVIDERS])
        message = f"the requirement {requirement.value!r:.80} is declared, and nothing in the bundle imports {shown}"
        hint = "leave it out, if no other dependency looks for it by itself"
        yield finding("BK506", Severity.INFO, message, requirement.place, hint=hint, entity=name)


def _modules_of(evidence: Evidence, name: str) -> frozenset[str] | None:
    installed = evidence.supply.installed
    if installed is not None and name in installed.by_name:
        return frozenset(installed.by_name[name].modules or ()) or None
    return known_modules(name)


def _is_mentioned(evidence: Evidence, modules: frozenset[str]) -> bool:
    """Whether any source has the name of a module, be it in a text: engines and plug-ins are asked for by name."""
    values = [one.declaration.value for one in (*evidence.wires, *evidence.targets)]
    words = re.compile(rb"(?<!\w)(?:" + b"|".join(re.escape(module.encode()) for module in modules) + rb")(?!\w)")
    texts = (source.data for source in evidence.project.sources.values())
    return any(words.search(value.encode()) for value in values) or any(words.search(text) for text in texts)


_PROJECT = """\
[project]
name = "model"
version = "1.0"
requires-python = ">=3.11"
{}

[project.entry-points."modelops.wire"]
execute = "model.wire:wire"
"""


def _example(declared: str, source: str) -> dict[str, str]:
    wire = "\ndef wire(entrypoint, params, seed):\n    return {}\n"
    return bundle({"pyproject.toml": _PROJECT.format(declared), "model/wire.py": source + wire})


NEED_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK505",
        "An import is provided by no declared dependency",
        "The worker installs what is declared and nothing else; what is missing there shows late, as some other error.",
        Severity.ERROR,
        _undeclared,
        good=_example('dependencies = ["starsim>=2"]', "import starsim as ss\n"),
        bad=_example("dependencies = []", "import starsim as ss\n"),
    ),
    StaticRule(
        "BK508",
        "An import is declared only in an extra, or comes only with another dependency",
        "Runners install no extras, and what another dependency brings today it may drop tomorrow.",
        Severity.WARNING,
        _indirect,
        good=_example('dependencies = ["numpy"]', "import numpy as np\n"),
        bad=_example('optional-dependencies = { fast = ["numba"] }', "import numba\n"),
    ),
    StaticRule(
        "BK506",
        "A dependency is declared and not imported",
        "It is installed on every worker, and it may keep other requirements from being met.",
        Severity.INFO,
        _unused,
        good=_example('dependencies = ["numpy"]', "import numpy as np\n"),
        bad=_example('dependencies = ["numpy", "scipy"]', "import numpy as np\n"),
    ),
    StaticRule(
        "BK511",
        "A marker keeps from the worker what the code imports",
        "The requirement is there on the scientist's own machine, and is skipped where the tasks run.",
        Severity.ERROR,
        _excluded,
        good=_example(
            "dependencies = [\"pywin32 ; sys_platform == 'win32'\"]",
            'import sys\nif sys.platform == "win32":\n    import win32api\n',
        ),
        bad=_example("dependencies = [\"pywin32 ; sys_platform == 'win32'\"]", "import win32api\n"),
    ),
)
