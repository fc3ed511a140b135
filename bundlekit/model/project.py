"""One frozen snapshot of a bundle directory: everything that the static stage and the packer need, read once."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from bundlekit.model.declaration import (
    Dependencies,
    ReferencedFile,
    Settings,
    SmokeTask,
    TargetDeclaration,
    WireDeclaration,
)
from bundlekit.model.finding import Finding

__all__ = ["Excluded", "Member", "Project", "ProjectTable", "RefusedEntry", "SourceFile"]


class Member(NamedTuple):
    """A regular file that ships. `size` is in bytes; `executable` decides between modes 0755 and 0644."""

    path: str
    size: int
    executable: bool


class Excluded(NamedTuple):
    """A file or directory (with a trailing slash) that does not ship, and the pattern or rule that keeps it out."""

    path: str
    pattern: str


class RefusedEntry(NamedTuple):
    """An entry that cannot ship as it stands (a link, a FIFO, a bad name): packing raises, validation finds."""

    path: str
    reason: str


class SourceFile(NamedTuple):
    """A Python source file as it stands on disk, before any decoding."""

    path: str
    data: bytes


class ProjectTable(StrEnum):
    """How pyproject.toml stands: readable, readable without [project], not there, or not readable."""

    PRESENT = "present"
    WITHOUT_PROJECT = "without-project"
    MISSING = "missing"
    UNREADABLE = "unreadable"


class Project(NamedTuple):
    """A bundle directory as data.

    `wires` are all declarations found, in warm order; the first is the one that runners use, unless two entry points
    compete. `sources` holds every member that ends in ``.py``. `problems` are what reading itself found (unparsable or
    mistyped documents): the reader reports them all at once and goes on with what is left.
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
