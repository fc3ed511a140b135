"""Finds modules among a bundle's members as the import system would.

Roots are searched in order, in each a package before a module; portions of namespace packages count only where no root
has either. What is not found is only called missing where nothing else could bring it: a declared dependency, a build
that adds modules, or code that changes the import path leaves the answer open.

See: importlib, "FileFinder"; PEP 420 (namespace packages); DESIGN decision 4 for the order of the import path.
"""

import re
import sys
from collections import defaultdict
from typing import NamedTuple

from bundlekit.cold_runner.dependency_hash import normalised_name
from bundlekit.model.project import Project, ProjectTable

__all__ = ["Found", "MissingModule", "ModuleFile", "ModuleIndex", "Namespace", "Outside", "absolute_name"]

_EXTENSION_SUFFIXES = (".so", ".pyd")
_CHANGES_THE_PATH = re.compile(rb"\bsys\s*\.\s*path\b|\bmeta_path\b|\baddsitedir\b|\bpath_hooks\b|from sys import")
_CHANGES_THE_PACKAGE = re.compile(rb"__path__|\bsys\s*\.\s*modules\b|\bextend_path\b|\bmeta_path\b")
_INSTALLERS = frozenset({"pip", "setuptools", "pkg_resources", "wheel", "_distutils_hack", "uv"})


class ModuleFile(NamedTuple):
    """A module with source in the bundle; `directory` is where its submodules lie if it is a package."""

    name: str
    path: str
    directory: str | None


class Namespace(NamedTuple):
    """A package without ``__init__.py``, spread over one or more directories."""

    name: str
    directories: tuple[str, ...]


class Outside(NamedTuple):
    """A module that is not the bundle's own source, or may not be; `why` ends the sentence "cannot be told: ..."."""

    name: str
    why: str


class MissingModule(NamedTuple):
    """A module that importing would certainly not find.

    `where` is the file or directory that was searched for it, `siblings` what is there instead.
    """

    name: str
    where: str
    siblings: tuple[str, ...]


Found = ModuleFile | Namespace | Outside | MissingModule


class ModuleIndex:
    """Look-up of dotted module names in one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._names: dict[str, set[str]] = defaultdict(set)
        self._directories: dict[str, set[str]] = defaultdict(set)
        self._cache: dict[str, Found] = {}
        for member in project.members:
            directory, _, name = member.path.rpartition("/")
            self._names[directory].add(name)
            while directory and directory not in self._directories[directory.rpartition("/")[0]]:
                self._directories[directory.rpartition("/")[0]].add(directory)
                directory = directory.rpartition("/")[0]
        self._dependency_names = tuple(
            normalised_name(match[0])
            for requirement in project.dependencies.declared
            if (match := re.match(r"\s*[A-Za-z0-9][A-Za-z0-9._-]*", requirement))
        )

    def find(self, dotted: str) -> Found:
        """Return what importing `dotted` would find; a missing parent is what is missing."""
        if dotted not in self._cache:
            self._cache[dotted] = self._find(dotted)
        return self._cache[dotted]

    def file(self, path: str) -> ModuleFile | None:
        """Return the source at `path` as a module without a package, as runners load a file by its path."""
        directory, _, name = path.rpartition("/")
        return ModuleFile("bundle_wire", path, None) if name in self._names[directory] else None

    def top_level_names(self) -> tuple[str, ...]:
        """Return the importable names that the bundle's roots hold, for hints."""
        return tuple(sorted({name for root in self._project.source_roots for name in self._children(root)}))

    def _find(self, dotted: str) -> Found:
        parent_name, _, name = dotted.rpartition(".")
        if not parent_name:
            return self._find_top_level(name)
        parent = self.find(parent_name)
        if isinstance(parent, Outside):
            return Outside(dotted, parent.why)
        if isinstance(parent, MissingModule):
            return parent
        if isinstance(parent, ModuleFile) and parent.directory is None:
            if self._matches(parent.path, _CHANGES_THE_PACKAGE):
                return Outside(dotted, f"{parent.path} changes where its submodules are looked for")
            return MissingModule(dotted, parent.path, ())
        directories = parent.directories if isinstance(parent, Namespace) else (parent.directory or "",)
        found = self._search(dotted, name, directories) or self._mapped(dotted)
        return found or self._missing_submodule(dotted, name, parent, directories)

    def _find_top_level(self, name: str) -> Found:
        if name in sys.stdlib_module_names or name in sys.builtin_module_names:
            return Outside(name, f"{name!r} is a module of Python's standard library")
        found = self._mapped(name) or self._search(name, name, self._project.source_roots)
        if found is not None:
            return found
        why = self._why_it_may_be_outside(name)
        return Outside(name, why) if why else MissingModule(name, "", self.top_level_names())

    def _mapped(self, dotted: str) -> Found | None:
        directory = self._project.build.packages.get(dotted)
        if directory is None:
            return None
        if "__init__.py" in self._names[directory]:
            return ModuleFile(dotted, f"{directory}/__init__.py", directory)
        return Namespace(dotted, (directory,)) if self._names[directory] else None

    def _search(self, dotted: str, name: str, directories: tuple[str, ...]) -> Found | None:
        portions = []
        for base in directories:
            prefix = f"{base}/" if base else ""
            package, names = f"{prefix}{name}", self._names.get(base, set())
            if package in self._directories.get(base, set()):
                if "__init__.py" in self._names[package]:
                    return ModuleFile(dotted, f"{package}/__init__.py", package)
                if _extension_among(self._names[package], "__init__"):
                    return Outside(dotted, f"{package} is a compiled package")
            if _extension_among(names, name):
                return Outside(dotted, f"{prefix}{name} is a compiled extension module")
            if f"{name}.py" in names:
                return ModuleFile(dotted, f"{prefix}{name}.py", None)
            if package in self._directories.get(base, set()):
                portions.append(package)
        return Namespace(dotted, tuple(portions)) if portions else None

    def _missing_submodule(
        self, dotted: str, name: str, parent: ModuleFile | Namespace, directories: tuple[str, ...]
    ) -> Found:
        if self._project.build.generates:
            return Outside(dotted, self._project.build.generates)
        if isinstance(parent, ModuleFile) and self._matches(parent.path, _CHANGES_THE_PACKAGE):
            return Outside(dotted, f"{parent.path} changes where its submodules are looked for")
        if isinstance(parent, Namespace):
            top = normalised_name(dotted.partition(".")[0])
            if any(other == top or other.startswith(f"{top}-") for other in self._dependency_names):
                return Outside(dotted, f"a dependency may continue the namespace package {parent.name!r}")
        if any(self._stem_is_source(directory, name) for directory in directories):
            return Outside(dotted, f"{directories[0]} holds a source that may be compiled to {name!r}")
        siblings = sorted({child for directory in directories for child in self._children(directory)})
        return MissingModule(dotted, directories[0], tuple(siblings))

    def _why_it_may_be_outside(self, name: str) -> str | None:
        project = self._project
        if name in _INSTALLERS:
            return f"{name!r} belongs to the installer, which some environments hold"
        if project.dependencies.declared or project.dependencies.lock:
            return f"{name!r} is not in the bundle, so one of its dependencies would have to bring it"
        if "dependencies" in project.build.dynamic or project.table is ProjectTable.UNREADABLE:
            return f"{name!r} is not in the bundle, and its dependencies cannot be told from what was read"
        if project.build.generates:
            return project.build.generates
        for source in project.sources.values():
            if _CHANGES_THE_PATH.search(source.data):
                return f"{name!r} is not in the bundle, but {source.path} may change the import path"
        return None

    def _children(self, directory: str) -> set[str]:
        found = {name.removesuffix(".py") for name in self._names.get(directory, ()) if name.endswith(".py")}
        found |= {path.rpartition("/")[2] for path in self._directories.get(directory, ())}
        return {name for name in found if name.isidentifier() and name != "__init__"}

    def _stem_is_source(self, directory: str, name: str) -> bool:
        stems = (other.partition(".") for other in self._names.get(directory, ()))
        return any(stem == name and suffix not in {"pyi", "txt", "md"} for stem, _, suffix in stems)

    def _matches(self, path: str, pattern: re.Pattern[bytes]) -> bool:
        source = self._project.sources.get(path)
        return source is None or pattern.search(source.data) is not None


def _extension_among(names: set[str], stem: str) -> bool:
    return any(name.endswith(_EXTENSION_SUFFIXES) and name.partition(".")[0] == stem for name in names)


def absolute_name(importer: ModuleFile, origin: str, level: int) -> str | None:
    """Return the absolute name of what `importer` imports, None where a relative import leaves the top package."""
    if level == 0:
        return origin
    package = importer.name.split(".")
    if importer.directory is None:
        package.pop()
    if level > len(package):
        return None
    kept = package[: len(package) - level + 1]
    return ".".join([*kept, origin] if origin else kept)
