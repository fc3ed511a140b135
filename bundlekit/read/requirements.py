"""Reads what a bundle depends on: [project] dependencies, else requirements.txt, and the lock that pins them.

See: DESIGN decision 3. How requirements are spelled and hashed is the runner's; it must compute the same hash alone.
"""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner.dependency_hash import (
    LOCK_NAMES,
    choose_lock,
    dependency_hash,
    parse_requirements,
    requirement_name,
)
from bundlekit.model.declaration import Dependencies, Lock, Requirement
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Finding
from bundlekit.model.lock import LockContent
from bundlekit.model.place import Place
from bundlekit.model.project import ProjectTable
from bundlekit.read.document import finding_at, is_file, read_document
from bundlekit.read.pyproject import Pyproject

__all__ = ["DeclaredDependencies", "read_dependencies", "read_optional", "read_requirements"]

_REQUIREMENTS = "requirements.txt"
_MAX_LINES = 50_000


def read_requirements(root: Path, pyproject: Pyproject, problems: list[Finding]) -> tuple[Requirement, ...]:
    """Return the declared requirements as written, each with its place."""
    if pyproject.state is ProjectTable.PRESENT:
        declared = tuple(Requirement(text.value, text.place) for text in pyproject.project.texts("dependencies"))
        return declared or _dynamic_requirements(root, pyproject, problems)
    if pyproject.state is ProjectTable.UNREADABLE:
        return ()
    return _requirements_file(root, _REQUIREMENTS, problems)


def read_optional(pyproject: Pyproject) -> dict[str, str]:
    """Return what extras and dependency groups ask for: normal names, each with the first of them that names it."""
    found: dict[str, str] = {}
    extras, groups = pyproject.project.table("optional-dependencies"), pyproject.top.table("dependency-groups")
    for kind, table in (("extra", extras), ("group", groups)):
        for key, values in table.values.items():
            for value in values if isinstance(values, list) else ():
                # A group may include another, which is a table and listed by itself.
                if isinstance(value, str) and (name := requirement_name(value)):
                    found.setdefault(name, f"{kind} {key!r:.60}")
    return found


class DeclaredDependencies(NamedTuple):
    """What a bundle depends on, and what its lock lists where that can be read."""

    dependencies: Dependencies
    lock: LockContent | None


def read_dependencies(
    root: Path, declared: Sequence[Requirement], names: tuple[str | None, str | None], problems: list[Finding]
) -> DeclaredDependencies:
    """Return the declared requirements, the lock beside them, and their lexical hash.

    `names` are the bundle's name and its requires-python.
    """
    project, requires_python = names
    files = {}
    for name in LOCK_NAMES:
        if is_file(root / name) and (data := read_document(root / name, name, "BK106", problems)) is not None:
            files[name] = data
    lock = choose_lock(files)
    values = tuple(requirement.value for requirement in declared)
    dependencies = Dependencies(
        values,
        None if lock is None else Lock(lock[0], Digest.of(lock[1])),
        Digest.parse(dependency_hash(lock=lock, declared=values, requires_python=requires_python)),
    )
    if lock is None:
        return DeclaredDependencies(dependencies, None)
    from bundlekit.read.locks import read_lock  # noqa: PLC0415 - most bundles have no lock

    return DeclaredDependencies(dependencies, read_lock(*lock, project, problems))


def _dynamic_requirements(root: Path, pyproject: Pyproject, problems: list[Finding]) -> tuple[Requirement, ...]:
    """Return what setuptools reads from files when `dependencies` is dynamic."""
    dynamic = pyproject.tool("setuptools").table("dynamic").table("dependencies")
    named = dynamic.values.get("file")
    names = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    inside = [name for name in names if isinstance(name, str) and ".." not in name and not name.startswith("/")]
    return tuple(requirement for name in inside for requirement in _requirements_file(root, name, problems))


def _requirements_file(root: Path, name: str, problems: list[Finding]) -> tuple[Requirement, ...]:
    def text_of(path: str) -> str | None:
        if ".." in path or path.startswith("/") or not is_file(root / path):
            return None
        data = read_document(root / path, path, "BK106", problems)
        if data is not None and data.count(b"\n") > _MAX_LINES:
            problems.append(finding_at("BK106", f"{path} has more than {_MAX_LINES:,} lines", Place(path)))
            return None
        if data is not None and data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            hint = "save it as UTF-8: `>` of PowerShell writes UTF-16"
            problems.append(
                finding_at("BK106", f"{path} is UTF-16, which installers do not read", Place(path), hint=hint)
            )
            # What it requires is known all the same: nobody is helped by a finding for each import.
            return data.decode("utf-16", "replace")
        return None if data is None else data.decode("utf-8-sig", "replace")

    text = text_of(name)
    if text is None:
        return ()
    places = _places(name, text)
    return tuple(
        Requirement(value, places.get(value.split(maxsplit=1)[0], Place(name)))
        for value in parse_requirements(text, text_of)
    )


def _places(name: str, text: str) -> dict[str, Place]:
    """Return where each word stands first outside of comments."""
    found: dict[str, Place] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("#"):
            for word in line.split():
                found.setdefault(word, Place(name, number, line.find(word) + 1))
    return found
