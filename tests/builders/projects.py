"""Projects for the packer's tests: what they declare is fixed, what ships is walked."""

from collections.abc import Mapping
from pathlib import Path

from bundlekit.cold_runner.dependency_hash import dependency_hash
from bundlekit.model.declaration import Dependencies, Settings, TargetDeclaration, WireDeclaration, WireSource
from bundlekit.model.digest import Digest
from bundlekit.model.place import Place
from bundlekit.model.project import Project, ProjectTable
from bundlekit.read.tree import walk

__all__ = ["bundle_project", "write_tree"]

_DECLARED = ("numpy>=1.26",)


def write_tree(root: Path, files: Mapping[str, str | bytes] | Mapping[str, bytes] | Mapping[str, str]) -> Path:
    """Write `files`, path to content, below `root`, and return it."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def bundle_project(root: Path) -> Project:
    """Return the project of the directory `root`, as if its pyproject.toml declared a small model."""
    found = walk(root)
    place = Place("pyproject.toml", 1, 1)
    return Project(
        root=str(root),
        name="sir",
        version="1.0",
        requires_python=">=3.11",
        table=ProjectTable.PRESENT,
        build_backend=None,
        source_roots=("",),
        wires=(WireDeclaration(WireSource.ENTRY_POINT, "wire", "sir.wire:wire", place),),
        targets=(TargetDeclaration("targets:incidence", place),),
        dependencies=Dependencies(
            _DECLARED, None, Digest(dependency_hash(lock=None, declared=_DECLARED, requires_python=">=3.11"))
        ),
        settings=Settings(),
        smoke=(),
        references=(),
        members=found.members,
        excluded=found.excluded,
        refused=found.refused,
        empty_directories=found.empty_directories,
        sources={},
        problems=(),
    )
