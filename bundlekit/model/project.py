"""One frozen snapshot of a bundle directory: everything that the static stage and the packer need, read once."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from bundlekit.model.declaration import (
    Dependencies,
    ReferencedFile,
    Requirement,
    Settings,
    SmokeTask,
    TargetDeclaration,
    WireDeclaration,
)
from bundlekit.model.finding import Finding
from bundlekit.model.installed import InstalledDistribution
from bundlekit.model.job import Job
from bundlekit.model.library import NO_LIBRARY, Library
from bundlekit.model.lock import LockContent
from bundlekit.model.place import Place
from bundlekit.model.policy import IgnoreComment
from bundlekit.model.registry import Registry, TrackedFiles
from bundlekit.model.secret import Secret

__all__ = ["NOT_TRACKED", "Build", "Excluded", "Member", "Project", "ProjectTable", "RefusedEntry", "SourceFile"]

NOT_TRACKED = ".modelops-bundle/tracked.txt (does not list it)"
"""The `pattern` of a file that ships in no way because the platform's list of what ships leaves it out."""


class Member(NamedTuple):
    """A file that ships. `size` is in bytes; `executable` decides between modes 0755 and 0644.

    `source` is the path of the bundle's regular file that it is a copy of, where a link stands at `path`.
    """

    path: str
    size: int
    executable: bool
    source: str | None = None


class Excluded(NamedTuple):
    """A file or directory (with a trailing slash) that does not ship, and the pattern or rule that keeps it out."""

    path: str
    pattern: str


class RefusedEntry(NamedTuple):
    """An entry that cannot ship as it stands (a link, a FIFO, a bad name): packing raises, validation finds."""

    path: str
    reason: str


class SourceFile(NamedTuple):
    """A source file as it stands on disk, before any decoding."""

    path: str
    data: bytes


class ProjectTable(StrEnum):
    """How pyproject.toml stands: readable, readable without [project], not there, or not readable."""

    PRESENT = "present"
    WITHOUT_PROJECT = "without-project"
    MISSING = "missing"
    UNREADABLE = "unreadable"


class Build(NamedTuple):
    """What the build makes of the tree, as far as it can be told without building.

    `packages` maps dotted packages to directories where they are not simply below a source root (setuptools'
    package-dir); `dynamic` are the fields of [project] that the backend fills in; `generates` is why the build may add
    modules that the tree does not have (extensions, hooks), or None; `compiles` whether it makes extension modules;
    `needs_init` whether it packs no directory that has no ``__init__.py``; `is_installed` whether runners build and
    install the bundle at all: without [project] and what other tools take for it, it runs from its tree alone.
    """

    packages: Mapping[str, str] = MappingProxyType({})
    dynamic: tuple[str, ...] = ()
    generates: str | None = None
    compiles: bool = False
    needs_init: bool = False
    is_installed: bool = False


class Project(NamedTuple):
    """A bundle directory as data.

    `wires` are all declarations found, in warm order; the first is the one that runners use, unless two entry points
    compete. `sources` holds every member that ends in ``.py``. `problems` are what reading itself found (unparsable or
    mistyped documents): the reader reports them all at once and goes on with what is left. `requirements` are the
    declared dependencies with their places; `unshipped` holds files below excluded directories (not those of tools), as
    far as they were looked at, so that a rule can tell a file that is left out from one that never was.
    `entry_point_groups` are all groups of entry points that pyproject.toml declares, and where: misspelt ones included,
    and those of Poetry where there is no [project]. `mistyped_wire`: the entry point of the wire is
    declared, but not as text, which `problems` say. `registry`, `tracked` and `job` are None where there is no such
    document, or one that cannot be read. `ignores` are comments that keep findings from counting. `library` answers for
    what lies outside of the bundle; `environment` is what is installed there, None where no environment is known.
    `native_sources` holds the members that are C or C++, but for what is vendored or too large. `lock` is what the lock
    lists, where it can be read; `optional_requirements` are the normal names that extras and dependency groups ask for,
    each with the extra or group.
    """

    root: str
    name: str | None
    version: str | None
    requires_python: str | None
    table: ProjectTable
    build_backend: str | None
    source_roots: tuple[str, ...]
    wires: tuple[WireDeclaration, ...]
    targets: tuple[TargetDeclaration, ...]
    dependencies: Dependencies
    settings: Settings
    smoke: tuple[SmokeTask, ...]
    references: tuple[ReferencedFile, ...]
    members: tuple[Member, ...]
    excluded: tuple[Excluded, ...]
    refused: tuple[RefusedEntry, ...]
    empty_directories: tuple[str, ...]
    sources: Mapping[str, SourceFile]
    problems: tuple[Finding, ...]
    build: Build = Build()
    requirements: tuple[Requirement, ...] = ()
    requires_python_place: Place | None = None
    unshipped: frozenset[str] = frozenset()
    entry_point_groups: Mapping[str, Place] = MappingProxyType({})
    mistyped_wire: bool = False
    library: Library = NO_LIBRARY
    environment: tuple[InstalledDistribution, ...] | None = None
    lock: LockContent | None = None
    optional_requirements: Mapping[str, str] = MappingProxyType({})
    ignores: tuple[IgnoreComment, ...] = ()
    registry: Registry | None = None
    tracked: TrackedFiles | None = None
    job: Job | None = None
    native_sources: Mapping[str, SourceFile] = MappingProxyType({})
    secrets: tuple[Secret, ...] = ()
