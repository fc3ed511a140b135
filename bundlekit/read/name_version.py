"""Finds a bundle's name and version: from pyproject.toml, else from a root manifest.json, never from its directory.

See: DESIGN decision 1; PEP 508 "Names"; PEP 440.
"""

import re
from pathlib import Path
from typing import NamedTuple

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place
from bundlekit.model.project import ProjectTable
from bundlekit.read.document import finding_at, is_file
from bundlekit.read.dynamic_version import DynamicVersion, read_dynamic_version
from bundlekit.read.json_document import read_json
from bundlekit.read.pyproject import PYPROJECT, Pyproject
from bundlekit.read.typed_table import Text

__all__ = ["NameVersion", "read_name_version"]

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_PLAIN_VERSION = re.compile(r"\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.post\d+)?(?:\.dev\d+)?", re.ASCII)
_MANIFEST = "manifest.json"


class NameVersion(NamedTuple):
    """A bundle's name and version as declared; None where they are not."""

    name: str | None
    version: str | None


def read_name_version(root: Path, pyproject: Pyproject, problems: list[Finding]) -> NameVersion:
    """Return the bundle's name and version; what is missing or malformed is appended to `problems`."""
    if pyproject.state is ProjectTable.UNREADABLE:
        return NameVersion(None, None)
    if pyproject.state is ProjectTable.PRESENT:
        return _of_project(root, pyproject, problems)
    poetry = pyproject.tool("poetry")
    if "name" in poetry:
        return _checked(poetry.text("name"), poetry.text("version"), problems)
    return _of_manifest(root, problems)


def _of_project(root: Path, pyproject: Pyproject, problems: list[Finding]) -> NameVersion:
    table = pyproject.project
    name, version = table.text("name"), table.text("version")
    if "name" not in table:
        hint = 'add a line such as name = "my-model"'
        problems.append(finding_at("BK105", "[project] has no name", table.place(), hint=hint))
    if "version" in table:
        return _checked(name, version, problems)
    if "version" not in {text.value for text in table.texts("dynamic")}:
        hint = 'add a line such as version = "0.1.0"'
        message = "[project] has neither a version nor 'version' among its dynamic fields"
        problems.append(finding_at("BK105", message, table.place(), hint=hint))
        return _checked(name, None, problems)
    found = read_dynamic_version(root, pyproject)
    if isinstance(found, DynamicVersion):
        return _checked(name, Text(found.value, table.place("dynamic")), problems)
    problems.append(
        finding_at(
            "BK105",
            f"the dynamic version cannot be told from what ships: {found}",
            table.place("dynamic"),
            hint="write the version into [project], or into a file or attribute that the backend reads",
        )
    )
    return _checked(name, None, problems)


def _of_manifest(root: Path, problems: list[Finding]) -> NameVersion:
    path = root / _MANIFEST
    table = read_json(path, _MANIFEST, problems) if is_file(path) else None
    if table is None:
        place = Place(PYPROJECT) if is_file(root / PYPROJECT) else None
        message = "the bundle has no name and version: neither [project] in pyproject.toml nor a root manifest.json"
        hint = "packing it will ask for a name"
        problems.append(finding_at("BK105", message, place, severity=Severity.WARNING, hint=hint))
        return NameVersion(None, None)
    for key in ("name", "version"):
        if key not in table:
            message = f"{_MANIFEST} has no {key}"
            problems.append(finding_at("BK105", message, Place(_MANIFEST), severity=Severity.WARNING))
    return _checked(table.text("name"), table.text("version"), problems)


def _checked(name: Text | None, version: Text | None, problems: list[Finding]) -> NameVersion:
    if name is not None and not _NAME.fullmatch(name.value):
        message = f"the name {name.value!r:.80} is not valid: letters, digits, '.', '_' and '-', ends alphanumeric"
        problems.append(finding_at("BK105", message, name.place))
        name = None
    if version is not None and not _valid_version(version.value):
        message = f"the version {version.value!r:.80} is not valid (PEP 440)"
        problems.append(finding_at("BK105", message, version.place, hint='use one such as "1.0.2" or "2.0rc1"'))
        version = None
    return NameVersion(name.value if name else None, version.value if version else None)


def _valid_version(version: str) -> bool:
    if _PLAIN_VERSION.fullmatch(version):
        return True
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - unusual versions pay for it, plain ones do not

    try:
        Version(version)
    except InvalidVersion:
        return False
    return True
