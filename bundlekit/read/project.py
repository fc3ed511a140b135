"""Reads a bundle directory into one frozen project."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bundlekit.errors import UsageError
from bundlekit.model.declaration import SmokeTask, TargetDeclaration
from bundlekit.model.project import Project
from bundlekit.read.build_layout import build_layout
from bundlekit.read.job_spec import JobSpec, read_job_spec
from bundlekit.read.name_version import read_name_version
from bundlekit.read.pyproject import read_pyproject
from bundlekit.read.registry import Registry, read_registry
from bundlekit.read.requirements import read_dependencies, read_requirements
from bundlekit.read.settings import read_settings
from bundlekit.read.sources import list_unshipped, read_sources
from bundlekit.read.tree import walk
from bundlekit.read.wires import read_wires

if TYPE_CHECKING:
    from bundlekit.model.finding import Finding

__all__ = ["read_project"]


def read_project(root: Path, *, job_spec: Path | None = None) -> Project:
    """Return the bundle in the directory `root` as data; nothing of it is imported or run.

    What is wrong with its documents is in `problems`, all at once. `job_spec` is a job specification or a grid file
    that adds targets and smoke tasks.

    Raises:
        UsageError: `root` is not a directory.
        FileAccessError: a directory cannot be listed.
        LimitExceededError: the tree is larger than an archive may be.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is not a directory", subject=str(root), hint="name the directory of a bundle")
    problems: list[Finding] = []
    pyproject = read_pyproject(root, problems)
    settings = read_settings(pyproject)
    names = read_name_version(root, pyproject, problems)
    requires_python = pyproject.project.text("requires-python")
    requirements = read_requirements(root, pyproject, problems)
    registry = read_registry(root, problems)
    job = JobSpec() if job_spec is None else read_job_spec(job_spec, root, problems)
    asked = _Asked(settings.targets, settings.smoke, registry, job)
    walked = walk(root, include=settings.include, exclude=settings.exclude)
    layout = build_layout(pyproject, frozenset(member.path for member in walked.members))
    return Project(
        root=str(root),
        name=names.name,
        version=names.version,
        requires_python=requires_python.value if requires_python else None,
        table=pyproject.state,
        build_backend=pyproject.build_backend,
        source_roots=layout.source_roots,
        wires=read_wires(root, pyproject, problems),
        targets=_targets(asked),
        dependencies=read_dependencies(
            root, requirements, requires_python.value if requires_python else None, problems
        ),
        settings=settings,
        smoke=_smoke(asked),
        references=registry.references,
        members=walked.members,
        excluded=walked.excluded,
        refused=walked.refused,
        empty_directories=walked.empty_directories,
        sources=read_sources(root, walked.members, problems),
        # Keys are asked for by more than one reader, and each of them reports the same wrong type.
        problems=tuple(dict.fromkeys(problems)),
        build=layout.build,
        requirements=requirements,
        requires_python_place=requires_python.place if requires_python else None,
        unshipped=list_unshipped(root, walked.excluded),
        entry_point_groups=tuple(pyproject.project.table("entry-points").values),
    )


class _Asked(NamedTuple):
    """Who asks for targets and smoke tasks, the settings first."""

    targets: tuple[TargetDeclaration, ...]
    smoke: tuple[SmokeTask, ...]
    registry: Registry
    job: JobSpec


def _targets(asked: _Asked) -> tuple[TargetDeclaration, ...]:
    """Return each target once, where it is first named."""
    first: dict[str, TargetDeclaration] = {}
    for target in (*asked.targets, *asked.registry.targets, *asked.job.targets):
        first.setdefault(target.value.strip(), target)
    return tuple(first.values())


def _smoke(asked: _Asked) -> tuple[SmokeTask, ...]:
    """Return the smoke tasks of the first that has any: settings, job specification, registry."""
    return asked.smoke or asked.job.smoke or asked.registry.smoke
