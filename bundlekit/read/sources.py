"""Reads the Python, C and C++ sources that ship, as bytes, and looks below excluded directories for what does not."""

import os
from collections.abc import Iterable
from pathlib import Path

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place
from bundlekit.model.project import Excluded, Member, SourceFile
from bundlekit.read.costly_sources import Trial, may_be_costly
from bundlekit.read.document import MAX_DOCUMENT_BYTES, finding_at, open_without_waiting, place_of
from bundlekit.read.tree_state import NEVER_READ

__all__ = ["MAX_UNSHIPPED", "list_unshipped", "read_native_sources", "read_sources"]

MAX_UNSHIPPED = 2000
_MAX_NATIVE_FILE, _MAX_NATIVE = 1 << 20, 8 << 20
_NATIVE = (".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx", ".cu")
_VENDORED = frozenset({"vendor", "third_party", "extern", "external"})
_TOOLS_OWN = NEVER_READ | {".modelops-bundle"}


def read_sources(
    root: Path, members: Iterable[Member], problems: list[Finding], *, trial: Trial | None = None
) -> dict[str, SourceFile]:
    """Return the sources among `members` by path; one that is too large, too costly or unreadable is a finding instead.

    A source that may be costly to parse is one of them only if `trial` finds that it is not.
    """
    sources = {}
    for member in members:
        if not member.path.endswith(".py"):
            continue
        if member.size > MAX_DOCUMENT_BYTES:
            why = f"it has {member.size:,} bytes, more than {MAX_DOCUMENT_BYTES:,}"
            problems.append(_not_looked_at(member.path, why))
            continue
        try:
            with open(place_of(root, member.path), "rb", buffering=0, opener=open_without_waiting) as file:
                data = file.read()
        except OSError as error:
            message = f"{member.path} cannot be read: {error.strerror or error}"
            problems.append(finding_at("BK311", message, Place(member.path)))
            continue
        why_not = _why_too_costly(data, trial) if may_be_costly(data) else None
        if why_not is None:
            sources[member.path] = SourceFile(member.path, data)
        else:
            problems.append(_not_looked_at(member.path, why_not))
    return sources


def read_native_sources(root: Path, members: Iterable[Member], problems: list[Finding]) -> dict[str, SourceFile]:
    """Return the C and C++ sources among `members` by path; what is too large, alone or in sum, is a finding."""
    sources: dict[str, SourceFile] = {}
    left = _MAX_NATIVE
    for member in members:
        if not member.path.endswith(_NATIVE) or not _VENDORED.isdisjoint(member.path.split("/")):
            continue
        if member.size > min(left, _MAX_NATIVE_FILE):
            message = f"{member.path} was not searched for C++ static state: it has {member.size:,} bytes"
            hint = f"files above {_MAX_NATIVE_FILE:,} bytes are not looked at, nor more than {_MAX_NATIVE:,} in all"
            problems.append(finding_at("BK811", message, Place(member.path), severity=Severity.INFO, hint=hint))
            continue
        left -= member.size
        try:
            with open(place_of(root, member.path), "rb", buffering=0, opener=open_without_waiting) as file:
                sources[member.path] = SourceFile(member.path, file.read())
        except OSError as error:
            message = f"{member.path} cannot be read: {error.strerror or error}"
            problems.append(finding_at("BK811", message, Place(member.path), severity=Severity.INFO))
    return sources


def _why_too_costly(data: bytes, trial: Trial | None) -> str | None:
    return "parsing it may take too much memory or time" if trial is None else trial(data)


def _not_looked_at(path: str, why: str) -> Finding:
    hint = "if it holds data, ship it as a data file; what it defines is unknown until the import stage"
    return finding_at("BK311", f"{path} is not looked at: {why}", Place(path), severity=Severity.WARNING, hint=hint)


def list_unshipped(root: Path, excluded: Iterable[Excluded]) -> frozenset[str]:
    """Return excluded files, and those below excluded directories that are not a tool's own, up to a limit."""
    found: set[str] = set()
    for entry in excluded:
        if not entry.path.endswith("/"):
            found.add(entry.path)
        elif entry.path.rstrip("/").rpartition("/")[2] not in _TOOLS_OWN:
            for directory, names, files in os.walk(root / entry.path):
                names[:] = [name for name in names if name not in _TOOLS_OWN]
                relative = os.path.relpath(directory, root).replace(os.sep, "/")
                found.update(f"{relative}/{name}" for name in files)
                if len(found) > MAX_UNSHIPPED:
                    break
    return frozenset(found)
