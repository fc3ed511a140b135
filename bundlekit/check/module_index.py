"""Finds modules as the import system would: in the standard library, the bundle, and an environment where one is known.

Roots are searched in order, in each a package before a module; portions of namespace packages count only where no root
has either. What is not found is only called missing where nothing else could bring it: a declared dependency that
nobody has installed, a build that adds modules, or code that changes the import path leaves the answer open.

See: importlib, "FileFinder"; PEP 420 (namespace packages); DESIGN decision 4 for the order of the import path.
"""

import re
import sys
from typing import NamedTuple

from bundlekit.check.files import Files, is_outside
from bundlekit.cold_runner.dependency_hash import normalised_name
from bundlekit.model.project import Project, ProjectTable

__all__ = ["INSTALLERS", "Found", "MissingModule", "ModuleFile", "ModuleIndex", "Namespace", "Outside", "absolute_name"]

_EXTENSION_SUFFIXES = (".so", ".pyd")
CHANGES_THE_PATH = re.compile(rb"\bsys\s*\.\s*path\b|\bmeta_path\b|\baddsitedir\b|\bpath_hooks\b|from sys import")
_MUTATES_THE_PATH = re.compile(
    rb"\bsys\s*\.\s*path\s*(?:\.\s*(?:insert|append|extend)\b|\[|\+?=(?!=))"
    rb"|\bmeta_path\b|\baddsitedir\b|\bpath_hooks\b|from sys import"
)
_CHANGES_THE_PACKAGE = re.compile(rb"__path__|\bsys\s*\.\s*modules\b|\bextend_path\b|\bmeta_path\b")
INSTALLERS = frozenset({"pip", "setuptools", "pkg_resources", "wheel", "_distutils_hack", "uv"})


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

    def __init__(self, project: Project, files: Files) -> None:
        self._project = project
        self._library = project.library
        self._files = files
        self._cache: dict[str, Found] = {}
        self._changing: dict[str, bool] = {}
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
        return ModuleFile("bundle_wire", path, None) if name in self._files.entries(directory).files else None

    def may_change_the_path(self, path: str) -> bool:
        """Whether the source at `path`, not of the standard library, looks as if it changed where modules are found."""
        if path not in self._changing:
            self._changing[path] = self._matches(path, _MUTATES_THE_PATH)
        return self._changing[path]

    def is_standard(self, path: str) -> bool:
        """Whether the source at `path` is the standard library's, whose own imports need not be followed."""
        if any(path.startswith(f"{root}/") for root in self._library.site_roots):
            return False
        return any(path.startswith(f"{root}/") for root in self._library.stdlib_roots)

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
        if name in sys.builtin_module_names:
            return Outside(name, f"{name!r} is compiled into Python")
        if name == "distutils" and any(
            "setuptools" in self._files.entries(root).directories for root in self._library.site_roots
        ):
            return Outside(name, "setuptools puts its own in the place of 'distutils'")
        if name in sys.stdlib_module_names:
            found = self._search(name, name, self._library.stdlib_roots)
            return found or Outside(name, f"{name!r} is a module of Python's standard library")
        found = self._mapped(name) or self._search(name, name, self._project.source_roots)
        found = found or self._search(name, name, self._library.site_roots)
        if found is not None:
            return found
        why = self._why_it_may_be_outside(name)
        return Outside(name, why) if why else MissingModule(name, "", self.top_level_names())

    def _mapped(self, dotted: str) -> Found | None:
        directory = self._project.build.packages.get(dotted)
        if directory is None:
            return None
        files = self._files.entries(directory).files
        if "__init__.py" in files:
            return ModuleFile(dotted, f"{directory}/__init__.py", directory)
        return Namespace(dotted, (directory,)) if files else None

    def _search(self, dotted: str, name: str, directories: tuple[str, ...]) -> Found | None:
        portions = []
        for base in directories:
            prefix = f"{base}/" if base else ""
            package, entries = f"{prefix}{name}", self._files.entries(base)
            if name in entries.directories:
                inside = self._files.entries(package).files
                if "__init__.py" in inside:
                    return ModuleFile(dotted, f"{package}/__init__.py", package)
                if _extension_among(inside, "__init__"):
                    return Outside(dotted, f"{package} is a compiled package")
            if _extension_among(entries.files, name):
                return Outside(dotted, f"{prefix}{name} is a compiled extension module")
            if f"{name}.py" in entries.files:
                return ModuleFile(dotted, f"{prefix}{name}.py", None)
            if f"{name}.pyc" in entries.files:
                return Outside(dotted, f"{prefix}{name}.pyc has no source beside it")
            if name in entries.directories:
                portions.append(package)
        return Namespace(dotted, tuple(portions)) if portions else None

    def _missing_submodule(
        self, dotted: str, name: str, parent: ModuleFile | Namespace, directories: tuple[str, ...]
    ) -> Found:
        if self._project.build.generates and not is_outside(directories[0]):
            return Outside(dotted, self._project.build.generates)
        if isinstance(parent, ModuleFile) and self._matches(parent.path, _CHANGES_THE_PACKAGE):
            return Outside(dotted, f"{parent.path} changes where its submodules are looked for")
        if isinstance(parent, Namespace) and not self._library.is_complete:
            top = normalised_name(dotted.partition(".")[0])
            if any(other == top or other.startswith(f"{top}-") for other in self._dependency_names):
                return Outside(dotted, f"a dependency may continue the namespace package {parent.name!r}")
        if any(self._stem_is_source(directory, name) for directory in directories):
            return Outside(dotted, f"{directories[0]} holds a source that may be compiled to {name!r}")
        siblings = sorted({child for directory in directories for child in self._children(directory)})
        return MissingModule(dotted, directories[0], tuple(siblings))

    def _why_it_may_be_outside(self, name: str) -> str | None:
        project = self._project
        if name in INSTALLERS:
            return f"{name!r} belongs to the installer, which some environments hold"
        if self._library.is_complete:
            return None
        if project.dependencies.declared or project.dependencies.lock:
            return f"{name!r} is not in the bundle, so one of its dependencies would have to bring it"
        if "dependencies" in project.build.dynamic or project.table is ProjectTable.UNREADABLE:
            return f"{name!r} is not in the bundle, and its dependencies cannot be told from what was read"
        if project.build.generates:
            return project.build.generates
        for source in project.sources.values():
            if CHANGES_THE_PATH.search(source.data):
                return f"{name!r} is not in the bundle, but {source.path} may change the import path"
        return None

    def _children(self, directory: str) -> set[str]:
        entries = self._files.entries(directory)
        found = {name.removesuffix(".py") for name in entries.files if name.endswith(".py")} | entries.directories
        return {name for name in found if name.isidentifier() and name != "__init__"}

    def _stem_is_source(self, directory: str, name: str) -> bool:
        # What is installed is built already.
        files = () if is_outside(directory) else self._files.entries(directory).files
        stems = (other.partition(".") for other in files)
        return any(stem == name and suffix not in {"pyi", "txt", "md"} for stem, _, suffix in stems)

    def _matches(self, path: str, pattern: re.Pattern[bytes]) -> bool:
        data = self._files.source(path)
        return data is None or pattern.search(data) is not None


def _extension_among(names: frozenset[str], stem: str) -> bool:
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
