"""BK139: directories on the way to what a bundle names that have no ``__init__.py``."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from bundlekit.check.evidence import Evidence, Judged, Malformed
from bundlekit.check.module_index import MissingModule, Namespace
from bundlekit.check.rules.catalogue import StaticRule, bundle, finding
from bundlekit.cold_runner.dependency_hash import normalised_name
from bundlekit.cold_runner.exclusions import REGISTRY
from bundlekit.model.edit import CreateFile
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.project import Project

__all__ = ["PACKAGE_RULES"]

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def _without_init(evidence: Evidence) -> Iterable[Finding]:
    """Say it once for each directory: an error where the build leaves out a part of a package for it, else as below.

    A warning where the platform's registry leads through it, else information. A bundle that the platform's own tool
    has never touched needs nothing of the kind.
    """
    project = evidence.project
    if project.registry is None and project.tracked is None and not project.build.needs_init:
        return
    said: set[str] = set()
    judged = [*evidence.models, *evidence.targets, *evidence.wires]
    for each in sorted(judged, key=lambda item: item.declaration.place.path != REGISTRY):
        for directory in _directories(evidence, each):
            if directory not in said and not _has_init(project, directory):
                yield _missing(project, directory, each)
            said.add(directory)


def _missing(project: Project, directory: str, judged: Judged) -> Finding:
    path, value, place = f"{directory}/__init__.py", judged.declaration.value, judged.declaration.place
    message = f"{directory}/ has no __init__.py, and {value!r:.200} leads through it"
    if project.build.needs_init:
        # What is no part of a regular package is found in the tree, which comes after the installed code.
        parent = posixpath.dirname(directory)
        is_part = parent not in project.source_roots and f"{parent}/__init__.py" in project.sources
        severity = Severity.ERROR if is_part else Severity.WARNING
        message += ": the build packs no directory without one"
        hint = f"add an empty {path}, or take `namespaces = false` out of [tool.setuptools.packages.find]"
    elif place.path == REGISTRY:
        message += ": Python does not need one"
        severity, hint = Severity.WARNING, f"add an empty {path}: `mops bundle register-model` exits 1 without"
    else:
        message += ": Python does not need one"
        severity, hint = Severity.INFO, f"add an empty {path}: tools of the platform ask for it"
    return finding("BK139", severity, message, place, hint=hint, entity=directory, edit=CreateFile(path))


def _directories(evidence: Evidence, judged: Judged) -> Iterator[str]:
    """Yield the package directories of a reference that leads somewhere and that have no such file.

    A namespace that is spread over several places, or that a dependency may continue, must not get one.
    """
    reference = judged.reference
    if isinstance(judged.verdict, MissingModule | Malformed) or reference is None or reference.module is None:
        return
    parts = reference.module.split(".")
    if _may_be_continued(evidence.project, parts[0]):
        return
    for length in range(1, len(parts)):
        found = evidence.resolver.index.find(".".join(parts[:length]))
        if isinstance(found, Namespace) and len(found.directories) == 1:
            yield found.directories[0]


def _has_init(project: Project, directory: str) -> bool:
    """Whether something of that name is there that does not ship or is no module's source: a stub, a link, a folder."""
    start = f"{directory}/__init__."
    paths = [each.path for each in project.members]
    paths += [each.path for each in project.refused] + [each.path for each in project.excluded]
    return any(path.startswith(start) for path in paths)


def _may_be_continued(project: Project, top: str) -> bool:
    names = [
        normalised_name(match[1]) for each in project.dependencies.declared if (match := _NAME.match(each)) is not None
    ]
    package = normalised_name(top)
    return any(name == package or name.startswith(f"{package}-") for name in names)


_MODEL = """\
models:
  sir:
    entrypoint: models.sir:Sir
    path: models/sir.py
    class_name: Sir
"""
_FILES = {REGISTRY: _MODEL, "models/sir.py": "class Sir:\n    pass\n"}

PACKAGE_RULES: tuple[StaticRule, ...] = (
    StaticRule(
        "BK139",
        "A package on the way has no __init__.py",
        "Python imports it all the same; but the platform's registration ends with status 1, its preflight warns, and a"
        " build that is told to look for no namespaces leaves it out.",
        Severity.WARNING,
        _without_init,
        good=bundle({**_FILES, "models/__init__.py": ""}),
        bad=bundle(_FILES),
    ),
)
