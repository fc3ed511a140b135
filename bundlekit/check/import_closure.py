"""Which modules importing one certainly imports, and whether that fails for certain: not run, but followed.

Only imports that run whenever their module does, with nothing to catch their failure, are followed.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from bundlekit.check.import_path import called_at_import, path_change
from bundlekit.check.module_index import MissingModule, ModuleFile, ModuleIndex, absolute_name
from bundlekit.check.namespace import ImportedModule, Names

__all__ = ["ImportClosure", "ImportFailure"]


class ImportFailure(NamedTuple):
    """Why importing a module certainly fails: the place of the import, or of the raise, and what is not there.

    `missing` is the module that does not exist, None where the module raises on purpose. `certain` is False where a
    function that is called on the way may change where modules are looked for.
    """

    path: str
    line: int
    column: int
    missing: str | None
    certain: bool = True


class _Change(Enum):
    NONE = 0
    POSSIBLE = 1
    MADE = 2


class ImportClosure:
    """Follows imports through an index; what was found to be sound is not looked at again."""

    def __init__(
        self,
        index: ModuleIndex,
        names_of: Callable[[ModuleFile], Names],
        tree_of: Callable[[str], ast.Module | None],
    ) -> None:
        self._index = index
        self._names_of = names_of
        self._tree_of = tree_of
        self._sound: set[str] = set()
        self._failed: dict[str, ImportFailure] = {}

    def failure(self, dotted: str) -> ImportFailure | None:
        """Return why importing the module `dotted` certainly fails, None where nothing says so."""
        if dotted in self._failed:
            return self._failed[dotted]
        reached: set[str] = set()
        pending = list(_with_parents(dotted))
        failure: ImportFailure | None = None
        while pending:
            name = pending.pop()
            if name in reached or name in self._sound:
                continue
            reached.add(name)
            module = self._index.find(name)
            if isinstance(module, ModuleFile) and not self._index.is_standard(module.path):
                failure = failure or self._own_failure(module)
                pending.extend(self._imports(module))
        change = None if failure is None else self._path_change(dotted)
        if failure is None or change is _Change.MADE:
            # What is not found now is found once the path has changed: nobody changes it for nothing.
            self._sound |= reached
            return None
        self._failed[dotted] = failure = failure._replace(certain=change is _Change.NONE)
        return failure

    def _path_change(self, dotted: str) -> "_Change":
        """Return whether something that importing `dotted` runs changes where modules are looked for."""
        changing: set[str] = set()
        called: set[str] = set()
        for module in self.reached(dotted):
            tree = self._tree_of(module.path)
            if tree is None:
                continue
            called |= called_at_import(tree)
            if self._index.may_change_the_path(module.path):
                change = path_change(tree)
                if change.at_import:
                    return _Change.MADE
                changing |= change.functions
        return _Change.POSSIBLE if changing & called else _Change.NONE

    def reached(self, dotted: str) -> Iterator[ModuleFile]:
        """Yield the modules with source that importing `dotted` certainly imports, itself and its parents first."""
        reached: set[str] = set()
        pending = list(_with_parents(dotted))
        while pending:
            name = pending.pop()
            module = self._index.find(name) if name not in reached else None
            reached.add(name)
            if isinstance(module, ModuleFile) and not self._index.is_standard(module.path):
                yield module
                pending.extend(self._imports(module))

    def reaches(self, dotted: str, wanted: str) -> bool:
        """Whether importing the module `dotted` certainly imports the module `wanted`."""
        return any(module.name == wanted for module in self.reached(dotted))

    def _own_failure(self, module: ModuleFile) -> ImportFailure | None:
        names = self._names_of(module)
        failure = self._missing(module, names.imports)
        for first, second in names.choices:
            failure = failure or (self._missing(module, first) and self._missing(module, second))
        if failure is None and names.raises is not None:
            return ImportFailure(module.path, names.raises, 1, None)
        return failure

    def _missing(self, module: ModuleFile, statements: Sequence[ImportedModule]) -> ImportFailure | None:
        for statement in statements:
            for name in self._named(module, statement):
                found = self._index.find(name)
                if isinstance(found, MissingModule):
                    return ImportFailure(module.path, statement.line, statement.column, found.name)
        return None

    def _imports(self, module: ModuleFile) -> Iterator[str]:
        for statement in self._names_of(module).imports:
            yield from self._named(module, statement)
            if statement.name is not None and statement.name != "*":
                submodule = self._submodule(module, statement)
                if submodule is not None:
                    yield submodule

    def _named(self, module: ModuleFile, statement: ImportedModule) -> Iterator[str]:
        absolute = absolute_name(module, statement.module, statement.level)
        yield from _with_parents(absolute) if absolute else ()

    def _submodule(self, module: ModuleFile, statement: ImportedModule) -> str | None:
        """Return the module that ``from package import name`` imports, None where `name` is bound in the package."""
        absolute = absolute_name(module, statement.module, statement.level)
        package = self._index.find(absolute) if absolute else None
        if isinstance(package, ModuleFile):
            # Submodules of the standard library are not followed, and plain modules have none.
            if package.directory is None or self._index.is_standard(package.path):
                return None
            if package != module and statement.name in self._names_of(package).by_name:
                return None
        name = f"{absolute}.{statement.name}"
        return name if isinstance(self._index.find(name), ModuleFile) else None


def _with_parents(dotted: str) -> Iterator[str]:
    parts = dotted.split(".")
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[:length])
