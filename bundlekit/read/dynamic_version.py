"""Reads a dynamic version from the file or attribute that a build backend would read, without running the backend."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from bundlekit.read.document import MAX_DOCUMENT_BYTES, regular_file
from bundlekit.read.pyproject import Pyproject

__all__ = ["DynamicVersion", "read_dynamic_version"]

_HATCH_PATTERN = r"(?im)^(?:__version__|VERSION)(?:[ \t]*:[ \t]*str)?[ \t]*=[ \t]*(['\"])v?(?P<version>.+?)\1"
_ATTRIBUTE = r"(?m)^{name}(?:[ \t]*:[^=\n]+)?[ \t]*=[ \t]*(['\"])(?P<version>[^'\"\n]+)\1[ \t]*(?:#.*)?\r?$"
_RE_EXPORT = (
    r"(?m)^from[ \t]+(?P<dots>\.*)(?P<module>[\w.]*)[ \t]+import[ \t]+(?:[^\n#]*[ \t,])?{name}[ \t]*(?:,|#|\r?$)"
)
_MOST_RE_EXPORTS = 5


class DynamicVersion(NamedTuple):
    """A version that a file of the bundle states."""

    value: str


def read_dynamic_version(root: Path, pyproject: Pyproject) -> DynamicVersion | str:
    """Return the version, or in words why it cannot be had statically."""
    backend = (pyproject.build_backend or "setuptools.build_meta").partition(".")[0]
    tool = pyproject.top.table("tool").values
    if backend == "setuptools" and ("setuptools_scm" in tool or "setuptools-scm" in tool):
        return "setuptools_scm takes it from git, which does not ship"
    reader = _BACKENDS.get(backend)
    if reader is None:
        return f"the build backend {backend} is not one whose version source is known"
    return reader(root, pyproject)


def _setuptools(root: Path, pyproject: Pyproject) -> DynamicVersion | str:
    table = pyproject.tool("setuptools").table("dynamic").table("version")
    attribute, file = table.values.get("attr"), table.values.get("file")
    if isinstance(file, list) and len(file) == 1:
        file = file[0]
    if isinstance(file, str):
        text = _text(root, file)
        return f"{file} cannot be read" if text is None else DynamicVersion(text.strip())
    if isinstance(attribute, str):
        return _attribute(root, attribute, _roots(pyproject))
    return "[tool.setuptools.dynamic] version names neither a file nor an attribute"


def _hatch(root: Path, pyproject: Pyproject) -> DynamicVersion | str:
    table = pyproject.tool("hatch").table("version")
    source = table.values.get("source", "regex")
    if source == "vcs":
        return "hatch-vcs takes it from git, which does not ship"
    path, pattern = table.values.get("path"), table.values.get("pattern")
    if source not in {"regex", "code"} or not isinstance(path, str):
        return f"[tool.hatch.version] has no path to read it from (source {source!r:.40})"
    text = _text(root, path)
    if text is None:
        return f"{path} cannot be read"
    return _search(pattern if isinstance(pattern, str) else _HATCH_PATTERN, text, path)


def _flit(root: Path, pyproject: Pyproject) -> DynamicVersion | str:
    module = pyproject.tool("flit").table("module").values.get("name", pyproject.project.values.get("name"))
    if not isinstance(module, str):
        return "flit reads it from the module, and [project] has no name"
    return _attribute(root, f"{module.replace('-', '_')}.__version__", ("", "src"))


def _pdm(root: Path, pyproject: Pyproject) -> DynamicVersion | str:
    table = pyproject.tool("pdm").table("version")
    path = table.values.get("path")
    if table.values.get("source") != "file" or not isinstance(path, str):
        return f"[tool.pdm.version] takes it from {table.values.get('source', 'nowhere')!r:.40}, which does not ship"
    text = _text(root, path)
    return f"{path} cannot be read" if text is None else _search(_HATCH_PATTERN, text, path)


_BACKENDS: Mapping[str, Callable[[Path, Pyproject], DynamicVersion | str]] = {
    "setuptools": _setuptools,
    "hatchling": _hatch,
    "flit_core": _flit,
    "pdm": _pdm,
}


def _attribute(root: Path, dotted: str, roots: tuple[str, ...], depth: int = 0) -> DynamicVersion | str:
    module, _, name = dotted.rpartition(".")
    stem = module.replace(".", "/")
    for base in roots:
        for path, package in ((f"{stem}/__init__.py", module), (f"{stem}.py", module.rpartition(".")[0])):
            text = _text(root, f"{base}/{path}" if base else path)
            if text is None:
                continue
            found = _search(_ATTRIBUTE.format(name=re.escape(name)), text, path)
            match = re.search(_RE_EXPORT.format(name=re.escape(name)), text)
            if isinstance(found, DynamicVersion) or match is None or depth >= _MOST_RE_EXPORTS:
                return found
            parent = package.split(".")[: len(package.split(".")) + 1 - len(match["dots"])] if match["dots"] else []
            origin = ".".join([*parent, *([match["module"]] if match["module"] else [])])
            return _attribute(root, f"{origin}.{name}", roots, depth + 1)
    return f"there is no module {module!r:.80} to read {name!r:.40} from"


def _search(pattern: str, text: str, path: str) -> DynamicVersion | str:
    try:
        match = re.search(pattern, text, re.MULTILINE)
    except re.error as error:
        return f"the pattern for {path} is no regular expression: {error}"
    if match is None or "version" not in match.groupdict():
        return f"{path} holds no plain string for it"
    return DynamicVersion(match["version"])


def _roots(pyproject: Pyproject) -> tuple[str, ...]:
    tool = pyproject.tool("setuptools")
    directories, packages = tool.values.get("package-dir"), tool.values.get("packages")
    roots = ["", "src"]
    if isinstance(directories, dict) and isinstance(directories.get(""), str):
        roots.insert(0, directories[""])
    if isinstance(packages, dict):
        where = tool.table("packages").table("find")
        roots[:0] = [text.value for text in where.texts("where")]
    return tuple(roots)


def _text(root: Path, relative: str) -> str | None:
    path = root / relative
    try:
        file = regular_file(path) if path.resolve().is_relative_to(root.resolve()) else None
        if file is None:
            return None
        with file:
            data = file.read(MAX_DOCUMENT_BYTES + 1)
        return None if len(data) > MAX_DOCUMENT_BYTES else data.decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, ValueError):
        return None
