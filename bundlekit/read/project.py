"""Reads a bundle directory into one frozen project."""

from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner.dependency_hash import requirement_name
from bundlekit.errors import UsageError
from bundlekit.model.declaration import Requirement, Settings, TargetDeclaration, WireDeclaration
from bundlekit.model.finding import Finding
from bundlekit.model.project import Project, ProjectTable
from bundlekit.model.registry import Registry, TrackedFiles
from bundlekit.read.build_layout import build_layout
from bundlekit.read.costly_sources import Trial
from bundlekit.read.ignore_comments import read_ignore_comments
from bundlekit.read.installed import Environment, read_environment
from bundlekit.read.job_spec import JobSpec, read_job_spec
from bundlekit.read.library import standard_library
from bundlekit.read.name_version import NameVersion, read_name_version
from bundlekit.read.pyproject import Pyproject, read_pyproject
from bundlekit.read.registry import (
    read_registry,
    registered_files,
    registered_targets,
    smoke_tasks,
    with_digests,
)
from bundlekit.read.requirements import DeclaredDependencies, read_dependencies, read_optional, read_requirements
from bundlekit.read.secrets import find_secrets
from bundlekit.read.settings import read_settings
from bundlekit.read.setup_cfg import SetupCfg, read_setup_cfg
from bundlekit.read.sources import list_unshipped, read_native_sources, read_sources
from bundlekit.read.tracked import read_tracked, tracked_paths
from bundlekit.read.tree import walk
from bundlekit.read.typed_table import Text
from bundlekit.read.wires import GROUP, read_wires, wire_is_mistyped

__all__ = ["read_project"]


def read_project(
    root: Path, *, job_spec: Path | None = None, python: str | None = None, trial: Trial | None = None
) -> Project:
    """Return the bundle in the directory `root` as data; nothing of it is imported or run.

    What is wrong with its documents is in `problems`, all at once. `job_spec` is a job specification or a grid file
    that adds targets and smoke tasks; `python` is an interpreter whose environment the bundle would run in, where it is
    a path, and the setting of that name stands in for it. `trial` decides about sources that may be costly to parse;
    without one they are not looked at.

    Raises:
        UsageError: `root` is not a directory.
        FileAccessError: a directory cannot be listed.
        LimitExceededError: the tree is larger than an archive may be.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is not a directory", subject=str(root), hint="name the directory of a bundle")
    problems: list[Finding] = []
    declared = _declared(root, job_spec, problems)
    pyproject, settings, specifier = declared.pyproject, declared.settings, declared.requires_python
    registry = declared.registry
    walked = walk(
        root,
        include=settings.include,
        exclude=settings.exclude,
        tracked=tracked_paths(declared.tracked),
        copy_symlinks=settings.copy_symlinks,
    )
    files = frozenset(member.path for member in walked.members)
    layout = build_layout(root, pyproject, declared.setup_cfg, files)
    sources = read_sources(root, walked.members, problems, trial=trial)
    environment = _environment(root, python, declared)
    native_sources = read_native_sources(root, walked.members, problems)
    stated_in = [requirement.place.path for requirement in declared.requirements]
    ignores = read_ignore_comments(root, sources, stated_in, problems)
    groups = pyproject.project.table("entry-points")
    if pyproject.state is ProjectTable.WITHOUT_PROJECT:
        groups = pyproject.tool("poetry").table("plugins")
    return Project(
        root=str(root),
        name=declared.names.name,
        version=declared.names.version,
        requires_python=specifier.value if specifier else None,
        table=pyproject.state,
        build_backend=pyproject.build_backend,
        source_roots=layout.source_roots,
        wires=declared.wires,
        targets=_targets(declared),
        dependencies=declared.dependencies.dependencies,
        settings=settings,
        smoke=settings.smoke or declared.job.smoke or (smoke_tasks(registry) if registry else ()),
        references=registered_files(registry) if registry else (),
        members=walked.members,
        excluded=walked.excluded,
        refused=walked.refused,
        empty_directories=walked.empty_directories,
        sources=sources,
        # Keys are asked for by more than one reader, and each of them reports the same wrong type.
        problems=tuple(dict.fromkeys(problems)),
        build=layout.build,
        requirements=declared.requirements,
        requires_python_place=specifier.place if specifier else None,
        unshipped=list_unshipped(root, walked.excluded),
        entry_point_groups={group: groups.place(group) for group in groups.values},
        mistyped_wire=wire_is_mistyped(pyproject),
        ignores=ignores,
        library=environment.library if environment else standard_library(),
        environment=environment.distributions if environment else None,
        lock=declared.dependencies.lock,
        optional_requirements=read_optional(pyproject),
        registry=with_digests(registry, root, walked.members) if registry else None,
        tracked=declared.tracked,
        job=declared.job.job,
        native_sources=native_sources,
        secrets=find_secrets(root, walked.members, settings.allow_secrets, sources),
    )


def _environment(root: Path, asked: str | None, declared: "_Declared") -> Environment | None:
    named = asked or declared.settings.python
    if named is None:
        return None
    # What has a marker need not be there.
    needs = (requirement_name(one.value) for one in declared.requirements if ";" not in one.value)
    return read_environment(named, Path() if asked else root, [name for name in needs if name])


class _Declared(NamedTuple):
    """What the documents of a bundle say, before its tree is looked at."""

    pyproject: Pyproject
    setup_cfg: SetupCfg
    settings: Settings
    names: NameVersion
    requires_python: Text | None
    requirements: tuple[Requirement, ...]
    dependencies: DeclaredDependencies
    registry: Registry | None
    tracked: TrackedFiles | None
    job: JobSpec
    wires: tuple[WireDeclaration, ...]


def _declared(root: Path, job_spec: Path | None, problems: list[Finding]) -> _Declared:
    pyproject, setup_cfg = read_pyproject(root, problems), read_setup_cfg(root, GROUP)
    specifier = pyproject.project.text("requires-python")
    requirements = read_requirements(root, pyproject, problems)
    settings, names = read_settings(pyproject), read_name_version(root, pyproject, problems)
    asked = (names.name, specifier.value if specifier else None)
    return _Declared(
        pyproject,
        setup_cfg,
        settings,
        names,
        specifier,
        requirements,
        read_dependencies(root, requirements, asked, problems),
        read_registry(root, problems),
        read_tracked(root, problems),
        JobSpec() if job_spec is None else read_job_spec(job_spec, root, problems),
        read_wires(root, pyproject, setup_cfg, problems),
    )


def _targets(declared: _Declared) -> tuple[TargetDeclaration, ...]:
    """Return each target once, where it is first named; what a job names by its id is registered already."""
    registered = declared.registry or Registry()
    ids = {target.id for target in registered.targets}
    named = [target for target in declared.job.targets if target.value not in ids]
    first: dict[str, TargetDeclaration] = {}
    for target in (*declared.settings.targets, *registered_targets(registered), *named):
        first.setdefault(target.value.strip(), target)
    return tuple(first.values())
