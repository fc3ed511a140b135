"""Finds modules by name, and what import statements give: modules, submodules, names that stubs tell of."""

import ast
import re
from abc import abstractmethod
from collections.abc import Iterator

from bundlekit.check.absent import Absence
from bundlekit.check.conditions import Runtime
from bundlekit.check.files import Files, is_outside
from bundlekit.check.import_closure import ImportClosure
from bundlekit.check.module_index import MissingModule, ModuleFile, ModuleIndex, Namespace, Outside, absolute_name
from bundlekit.check.namespace import (
    Imported,
    ImportedModule,
    Names,
    names,
)
from bundlekit.check.stubs import is_stubbed
from bundlekit.check.syntax import SyntaxFailure
from bundlekit.check.trees import Trees
from bundlekit.check.values import External, ImportFails, ModuleValue, Unparsable, Value
from bundlekit.check.world import World
from bundlekit.model.project import Project
from bundlekit.model.signature import Unknown

__all__ = ["ImportedModules"]


class ImportedModules(World):
    """Modules by name, and their bindings. Answers are kept, so each question costs once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.files = Files(project)
        self.trees = Trees(self.files)
        self.index = ModuleIndex(project, self.files)
        self.closure = ImportClosure(self.index, self.names_of, self._tree_of)
        self._absence = Absence(project, self.files, self.trees)
        self._runtime = Runtime(project.library.version)
        self._names: dict[str, Names] = {}
        self._cycles = 0

    @abstractmethod
    def _looked_up(self, module: ModuleFile, name: str, before: int | None) -> Value | None:
        """Return what the bindings of a module give `name`, None if it is unbound."""

    def module(self, dotted: str) -> Value:
        """Return the module `dotted` after importing its parents."""
        parts = dotted.split(".")
        for length in range(1, len(parts)):
            parent = self.index.find(".".join(parts[:length]))
            if isinstance(parent, ModuleFile) and isinstance(self.trees.tree(parent.path), SyntaxFailure):
                return Unparsable(parent.path)
        match self.index.find(dotted):
            case ModuleFile() | Namespace() as found:
                return ModuleValue(found)
            case Outside(name=name, why=why):
                return External(name, why)
            case MissingModule() as missing:  # pragma: no branch - mypy holds the match to be exhaustive
                package = self.index.find(parts[0])
                hook = self._hook_of(package) if isinstance(package, ModuleFile) else None
                return Unknown(f"{hook} brings an import hook that may make {dotted}") if hook else missing

    def _hook_of(self, package: ModuleFile) -> str | None:
        """Return the source of an import hook that importing the package certainly runs."""
        for path in self._absence.hooks(package):
            inside = path.removeprefix(f"{package.directory}/").removesuffix(".py").removesuffix("/__init__")
            if self.closure.reaches(package.name, f"{package.name}.{inside.replace('/', '.')}"):
                return path
        return None

    def imported_module(self, dotted: str) -> Value:
        """Return the module `dotted`, unless importing it certainly fails."""
        found = self.module(dotted)
        failure = self.closure.failure(dotted) if isinstance(found, ModuleValue) else None
        if failure is None:
            return found
        if not failure.certain:
            reason = f"it needs {failure.missing!r} (line {failure.line} of {failure.path})"
            return Unknown(f"{reason}, and something on the way may change where modules are looked for")
        return ImportFails(*failure[:4])

    def names_of(self, module: ModuleFile) -> Names:
        """Return the bindings of a module; none of one that does not parse."""
        if module.path not in self._names:
            tree = self.trees.tree(module.path)
            self._names[module.path] = names(tree.body if isinstance(tree, ast.Module) else [], self._runtime)
        return self._names[module.path]

    def _tree_of(self, path: str) -> ast.Module | None:
        tree = self.trees.tree(path)
        return tree if isinstance(tree, ast.Module) else None

    def imports_of(self, dotted: str) -> Iterator[tuple[ModuleFile, ImportedModule, Value]]:
        """Yield each import of the bundle's own modules that importing `dotted` certainly runs, and what it gives."""
        for module in self.closure.reached(dotted):
            if not is_outside(module.path):
                for each in self.names_of(module).imports:
                    absolute = absolute_name(module, each.module, each.level)
                    found = self.index.find(absolute) if absolute else None
                    # What a standard library lacks that may be another Python's than the worker's is no evidence.
                    is_known = self.project.library.version is not None
                    if is_known or not (isinstance(found, ModuleFile) and is_outside(found.path)):
                        name = None if each.name == "*" else each.name
                        if name and isinstance(found, ModuleFile) and self._plainly_defines(found, name):
                            continue
                        yield module, each, self._imported(module, each.module, each.level, name)

    def _plainly_defines(self, module: ModuleFile, name: str) -> bool:
        """Whether a module of the standard library defines `name` by the look of its bytes: parsing it costs more."""
        if not self.index.is_standard(module.path):
            return False
        source, word = self.files.source(module.path) or b"", re.escape(name.encode())
        defines = rb"^(?:(?:class|def|async def) %s\b|%s *[:=])" % (word, word)
        return re.search(defines, source, re.MULTILINE) is not None and not re.search(
            rb"\bdel\b.*\b%s\b" % word, source
        )

    def _imported(
        self, importer: ModuleFile, origin: str, level: int, name: str | None, before: int | None = None
    ) -> Value:
        absolute = absolute_name(importer, origin, level)
        if absolute is None:
            return MissingModule("." * level + origin, importer.path, ())
        value = self.module(absolute)
        if name is None:
            return value
        if isinstance(value, External):
            return External(f"{value.dotted}.{name}", value.why, is_there=True)
        if not isinstance(value, ModuleValue):
            return value
        if value.module == importer and before is not None:
            # A package that imports from itself: what it has not bound by then is a submodule.
            found = (
                self._looked_up(importer, name, before)
                or self._submodule(importer, name)
                or Unknown(f"{name!r} is defined through a circular import")
            )
        else:
            cycles = self._cycles
            found = self.attribute(value, name)
            if isinstance(found, Unknown) and cycles < self._cycles:
                # On the way round a circle of imports nothing has taken the place of the submodule yet.
                found = self._own_submodule(value.module, name) or found
        if isinstance(found, Unknown) and not found.is_there and not isinstance(value.module, Namespace):
            # It is the submodule, or what a star import has put in its place.
            found = found._replace(is_there=self._submodule(value.module, name) is not None)
        return found._replace(imported=True) if isinstance(found, ModuleValue) else found

    def _is_stubbed(self, dotted: str) -> bool:
        """Whether the stub beside a compiled module says that it has what that name means."""
        parts = dotted.split(".")
        for length in range(len(parts) - 1, 1, -1):
            package = self.index.find(".".join(parts[: length - 1]))
            if isinstance(package, ModuleFile):
                stub = self.trees.tree(f"{package.directory}/{parts[length - 1]}.pyi") if package.directory else None
                return isinstance(stub, ast.Module) and is_stubbed(stub, parts[length:])
        return False

    def _own_submodule(self, package: ModuleFile | Namespace, name: str) -> Value | None:
        """Return the submodule of a package that itself binds nothing else to that name."""
        bound = self.names_of(package).by_name.get(name, ()) if isinstance(package, ModuleFile) else ()
        return self._submodule(package, name) if all(each.bound == Imported("", 1, name) for each in bound) else None

    def _submodule(self, package: ModuleFile | Namespace, name: str) -> Value | None:
        if isinstance(package, ModuleFile) and package.directory is None:
            return None
        match self.index.find(f"{package.name}.{name}"):
            case ModuleFile() | Namespace() as found:
                return ModuleValue(found, imported=False)
            case Outside(name=dotted, why=why):
                return External(dotted, why)
            case MissingModule():  # pragma: no branch - mypy holds the match to be exhaustive
                return None

    def _submodules(self, namespace: Namespace) -> tuple[tuple[str, int], ...]:
        missing = self.index.find(f"{namespace.name}. ")
        return tuple((name, 1) for name in missing.siblings) if isinstance(missing, MissingModule) else ()

    def _siblings(self, module: ModuleFile) -> tuple[tuple[str, int], ...]:
        bindings = self.names_of(module).by_name.items()
        return tuple((name, found[-1].line) for name, found in bindings if name != "*" and not name.startswith("__"))
