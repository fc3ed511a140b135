"""Reads what an environment holds from its files; its interpreter is not run.

See: "Recording installed projects" (dist-info), PEP 405 (pyvenv.cfg), site (``.pth`` files).
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner.dependency_hash import normalised_name
from bundlekit.model.installed import InstalledDistribution
from bundlekit.read.document import read_document
from bundlekit.read.library import DiskLibrary

__all__ = ["Environment", "read_environment"]

_REQUIRED = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_VERSIONED = re.compile(r"python(\d+)\.(\d+)", re.ASCII)
_HARMLESS = ("distutils-precedence.pth", "_virtualenv.pth")


class Environment(NamedTuple):
    """An environment: its distributions, and the directories in which modules are looked for."""

    distributions: tuple[InstalledDistribution, ...]
    library: DiskLibrary


def read_environment(python: str) -> Environment | None:
    """Return the environment of the interpreter at the path `python`, None where it is none of that layout.

    A virtual environment's own directory will do as well. Finders that are installed by ``.pth`` files (editable
    installs) leave it open what else can be imported.
    """
    path = Path(python)
    prefix = path if path.is_dir() else path.parent.parent
    for lib in sorted(prefix.glob("lib/python3.*")):
        version = _VERSIONED.fullmatch(lib.name)
        site = lib / "site-packages"
        if version is None or not site.is_dir():
            continue
        base = _base_prefix(prefix)
        stdlib = base / "lib" / lib.name
        extra, is_open = _path_files(site)
        library = DiskLibrary(
            [str(stdlib), str(stdlib / "lib-dynload")],
            [str(site), *extra],
            is_complete=not is_open and stdlib.is_dir(),
            version=(int(version[1]), int(version[2])),
        )
        return Environment(tuple(_distributions(site)), library)
    return None


def _base_prefix(prefix: Path) -> Path:
    config = prefix / "pyvenv.cfg"
    data = read_document(config, "pyvenv.cfg", "BK106", []) if config.is_file() else None
    for line in (data or b"").decode("utf-8", "replace").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home":
            return Path(value.strip()).parent
    return prefix


def _path_files(site: Path) -> tuple[list[str], bool]:
    """Return the directories that ``.pth`` files add, and whether one of them runs code that may add anything."""
    found: list[str] = []
    is_open = False
    for path in sorted(site.glob("*.pth")):
        data = read_document(path, path.name, "BK106", [])
        for line in (data or b"").decode("utf-8", "replace").splitlines():
            if line.startswith(("import ", "import\t")):
                is_open = is_open or path.name not in _HARMLESS
            elif line.strip() and not line.startswith("#"):
                found.append(os.path.normpath(site / line.strip()))
    return found, is_open


def _distributions(site: Path) -> Iterator[InstalledDistribution]:
    for directory in sorted(site.glob("*.dist-info")):
        data = read_document(directory / "METADATA", "METADATA", "BK106", [])
        if data is None:
            continue
        from email.parser import HeaderParser  # noqa: PLC0415 - only an environment that is named pays for it

        metadata = HeaderParser().parsestr(data.decode("utf-8", "replace"))
        name = metadata.get("Name")
        if name:
            yield InstalledDistribution(
                normalised_name(str(name)),
                str(metadata.get("Version", "")),
                frozenset(_modules(directory)),
                tuple(_requires(metadata.get_all("Requires-Dist") or [])),
            )


def _modules(directory: Path) -> Iterator[str]:
    record = read_document(directory / "RECORD", "RECORD", "BK106", [])
    for line in (record or b"").decode("utf-8", "replace").splitlines():
        path = line.partition(",")[0].strip('"')
        top, slash, _ = path.partition("/")
        name = top if slash else top.partition(".")[0]
        if name.isidentifier() and (slash or top.endswith((".py", ".so", ".pyd"))):
            yield name
    top_level = directory / "top_level.txt"
    if top_level.is_file():
        data = read_document(top_level, "top_level.txt", "BK106", [])
        yield from (line.strip() for line in (data or b"").decode("utf-8", "replace").splitlines() if line.strip())


def _requires(lines: list[str]) -> Iterator[str]:
    for line in lines:
        requirement, _, marker = line.partition(";")
        match = _REQUIRED.match(requirement)
        if match and "extra" not in marker:
            yield normalised_name(match[1])
