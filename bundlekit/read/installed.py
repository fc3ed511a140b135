"""Reads what an environment holds from its files; its interpreter is not run.

See: "Recording installed projects" (dist-info), PEP 405 (pyvenv.cfg), site (``.pth`` files).
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner.dependency_hash import normalised_name
from bundlekit.model.installed import InstalledDistribution
from bundlekit.read.document import read_document
from bundlekit.read.library import DiskLibrary

__all__ = ["Environment", "read_environment"]

_VERSION = re.compile(r"\d+(?:\.\d+)*", re.ASCII)
_MODULE = re.compile(r"(?P<stem>[^/.]+)(?:\.py|(?:\.[^/]+)?\.(?:so|pyd))")
_EDITABLE = re.compile(r"_{1,2}editable_")
_VERSIONED = re.compile(r"python(\d+)\.(\d+)", re.ASCII)
_MAX_FILE_BYTES = 4 * 1024 * 1024
_HARMLESS = ("distutils-precedence.pth", "_virtualenv.pth")


class Environment(NamedTuple):
    """An environment: its distributions, and the directories in which modules are looked for."""

    distributions: tuple[InstalledDistribution, ...]
    library: DiskLibrary


def read_environment(python: str, base: Path, needs: Iterable[str] = ()) -> Environment | None:
    """Return the environment of the interpreter at the path `python`, None where it is none of that layout.

    `base` is what a relative path counts from; a version, or the name of a command, leads to no environment. A virtual
    environment's own directory will do as well. Finders that are installed by ``.pth`` files (editable installs) leave
    it open what else can be imported, and so does an environment without one of the distributions `needs` (by their
    normal names): it is that of an interpreter, and not the bundle's.
    """
    path = (base / python).absolute()
    if _VERSION.fullmatch(python) or not path.exists():
        return None
    prefix = path if path.is_dir() else path.parent.parent
    for lib in sorted(prefix.glob("lib/python3.*")):
        version = _VERSIONED.fullmatch(lib.name)
        site = lib / "site-packages"
        if version is None or not site.is_dir():
            continue
        stdlib = _base_prefix(prefix) / "lib" / lib.name
        extra, is_open = _path_files(site)
        distributions = tuple(_distributions(site))
        lacks_some = not set(needs) <= {normalised_name(distribution.name) for distribution in distributions}
        library = DiskLibrary(
            [str(stdlib), str(stdlib / "lib-dynload")],
            [str(site), *extra],
            is_complete=not (is_open or lacks_some) and stdlib.is_dir(),
            version=(int(version[1]), int(version[2])),
        )
        return Environment(distributions, library)
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
    for path in sorted((*site.glob("*.dist-info"), *site.glob("*.egg-info"))):
        metadata = list(_header(_text(path / "METADATA") or _text(path / "PKG-INFO")))
        fields = dict(reversed(metadata))
        name = fields.get("name")
        if name:
            requires = tuple(value for key, value in metadata if key == "requires-dist")
            yield InstalledDistribution(name, fields.get("version", ""), _modules(path), requires)


def _header(text: str) -> Iterator[tuple[str, str]]:
    """Yield the fields of a metadata file, names in lower case, up to the description."""
    for line in text.splitlines():
        if not line:
            return
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            yield key.lower(), value.strip()


def _modules(path: Path) -> tuple[str, ...] | None:
    record = _text(path / "RECORD")
    files = [line.rpartition(",")[0].rpartition(",")[0].strip('"') for line in record.splitlines()]
    # What top_level.txt says of a namespace package is that it has all of it.
    told = _importable(file for file in files if not _EDITABLE.match(file))
    found = told or set(_text(path / "top_level.txt").split())
    links_elsewhere = not files or any(_EDITABLE.match(file) or file.endswith(".pth") for file in files)
    return None if links_elsewhere and not found else tuple(sorted(found))


def _importable(files: Iterable[str]) -> set[str]:
    """Return the modules among the installed `files`: top-level ones, and regular packages below namespaces."""
    files = tuple(files)
    packages = {file.rpartition("/")[0] for file in files if file.endswith("/__init__.py")}
    found = set()
    for file in files:
        directory, _, name = file.rpartition("/")
        match = _MODULE.fullmatch(name)
        parts = directory.split("/") if directory else []
        if match is None or not all(part.isidentifier() for part in parts):
            continue
        for length in range(1, len(parts) + 1):
            if "/".join(parts[:length]) in packages:
                found.add(".".join(parts[:length]))
                break
        else:
            found.add(".".join([*parts, match["stem"]]))
    return found


def _text(path: Path) -> str:
    """Return the text of a file of the environment, empty where there is none to be had."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
