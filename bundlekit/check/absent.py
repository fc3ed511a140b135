"""Tells whether a name that no statement binds may be there all the same once its module has run."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping

from bundlekit.check.files import Files, is_outside
from bundlekit.check.module_index import ModuleFile
from bundlekit.check.runtime_names import (
    Appearances,
    AssignedAttributes,
    appearances,
    assigned_attributes,
    nested_definition,
)
from bundlekit.check.set_names import SetAttribute, set_attributes
from bundlekit.check.trees import Trees
from bundlekit.model.project import Project, SourceFile

__all__ = ["Absence"]

_SETS_ON_CLASSES = rb"\bsetattr\(\s*(?:cls|klass|type\(self\)|self\.__class__|[A-Z]\w*)\s*,"
_SETS_ON_MODULES = rb"\bsetattr\(\s*(?:(?:sys\.)?modules\[|(?:importlib\.)?import_module\()"
_CHANGES = rb"\s*(?:\.\s*(?!items|keys|values|get\b|copy|index|count)\w|[-+|&*]=|\[[^\]\n]*\]\s*[-+|]?=(?!=))"
"""What follows a name whose list or dictionary is changed: a method, an operator, an item."""


class Absence:
    """Looks for what could bind a name behind the resolver's back, in the bundle or in the package around a module."""

    def __init__(self, project: Project, files: Files, trees: Trees) -> None:
        self._project = project
        self._files = files
        self._trees = trees
        self._packages: dict[str, dict[str, SourceFile]] = {}
        self._set_on_modules: dict[str, list[tuple[str, SetAttribute]]] = {}
        self._set_by_name: dict[str, list[tuple[str, SetAttribute]]] = {}
        self._assigned: dict[str, AssignedAttributes] = {}
        self._hooks: dict[str, tuple[str, ...]] = {}
        self._appearances: dict[str, Appearances] = {}
        self._changed: dict[tuple[str, str], bool] = {}

    def reason(self, name: str, module: ModuleFile, tree: ast.Module) -> str | None:
        """Return why `name` may be in `module`, None where nothing could put it there."""
        if module.path not in self._appearances:
            self._appearances[module.path] = appearances(module.path, tree)
        own = self._appearances[module.path].reason(name)
        return own or self.assigned(name, module) or self._set_from_elsewhere(name, module) or self.loaded(module)

    def _set_from_elsewhere(self, name: str, module: ModuleFile) -> str | None:
        """Return which source near `module` may set an attribute of that name of modules, None if none does."""
        top = module.name.partition(".")[0]
        if top not in self._set_on_modules:
            self._set_on_modules[top] = list(self._sets(module, _SETS_ON_MODULES, _is_other_module))
        path = next((path for path, each in self._set_on_modules[top] if each.may_set(name)), None)
        return f"{path} sets attributes of modules by name" if path else None

    def loaded(self, module: ModuleFile) -> str | None:
        """Return which source near `module` brings an import hook, which may fill modules as it likes."""
        found = next(self.hooks(module), None)
        return f"{found} brings an import hook that may fill {module.name}" if found else None

    def hooks(self, module: ModuleFile) -> Iterator[str]:
        """Yield the paths of the sources near `module` that bring import hooks."""
        near = _near(module)
        if near not in self._hooks:
            sources = self._sources(module).values()
            self._hooks[near] = tuple(each.path for each in sources if b"meta_path" in each.data)
        return iter(self._hooks[near])

    def assigned(self, name: str, module: ModuleFile, *, by_itself: bool = False) -> str | None:
        """Return which source near `module` assigns an attribute of that name, None if none does."""
        near = _near(module)
        if near not in self._assigned:
            self._assigned[near] = assigned_attributes(self._sources(module))
        return self._assigned[near].reason(name, by_itself=by_itself)

    def changes(self, name: str, module: ModuleFile) -> bool:
        """Whether anything near `module` changes what is in a list or dictionary of that name."""
        top = module.name.partition(".")[0]
        if (top, name) not in self._changed:
            wanted = name.encode()
            pattern = re.compile(rb"\b" + re.escape(wanted) + _CHANGES)
            sources = (each.data for each in self._sources(module).values())
            self._changed[top, name] = any(wanted in data and pattern.search(data) for data in sources)
        return self._changed[top, name]

    def of_class(self, name: str, module: ModuleFile) -> str | None:
        """Return why a class of `module` may have an attribute that its body and its bases do not bind."""
        top = module.name.partition(".")[0]
        if top not in self._set_by_name:
            self._set_by_name[top] = list(self._sets(module, _SETS_ON_CLASSES, _is_class))
        path = next((path for path, each in self._set_by_name[top] if each.may_set(name)), None)
        set_by_name = f"{path} sets attributes of classes by name" if path else None
        return self.assigned(name, module, by_itself=True) or set_by_name

    def _sets(
        self, module: ModuleFile, look: bytes, is_owner: Callable[[ast.expr], bool]
    ) -> Iterator[tuple[str, SetAttribute]]:
        """Yield each ``setattr`` near `module` that sets attributes of such an owner, with the path of its source."""
        for source in self._sources(module).values():
            if b"setattr" not in source.data or not re.search(look, source.data):
                continue
            tree = self._trees.tree(source.path)
            if isinstance(tree, ast.Module):
                yield from ((source.path, each) for each in set_attributes(tree, ()) if is_owner(each.owner))

    def nested(self, tree: ast.Module, name: str) -> int | None:
        """Return the 1-based line of a definition of that name which no reference reaches."""
        return nested_definition(tree, name)

    def _sources(self, module: ModuleFile) -> Mapping[str, SourceFile]:
        if not is_outside(module.path):
            return self._project.sources
        top = module.name.partition(".")[0]
        if top not in self._packages:
            depth = module.name.count(".") + (module.directory is not None)
            root = module.path.rsplit("/", depth)[0] if depth else ""
            self._packages[top] = self._read(root) if root else self._single(module.path)
        return self._packages[top]

    def _single(self, path: str) -> dict[str, SourceFile]:
        data = self._files.source(path)
        return {} if data is None else {path: SourceFile(path, data)}

    def _read(self, root: str) -> dict[str, SourceFile]:
        found: dict[str, SourceFile] = {}
        pending = [root]
        while pending:
            directory = pending.pop()
            entries = self._files.entries(directory)
            pending.extend(
                f"{directory}/{name}" for name in entries.directories if name not in {"tests", "__pycache__"}
            )
            for name in entries.files:
                if name.endswith(".py"):
                    found |= self._single(f"{directory}/{name}")
        return found


def _is_class(owner: ast.expr) -> bool:
    """Whether an expression looks as if it were a class."""
    match owner:
        case ast.Name(id=name):
            return name in {"cls", "klass"} or name[:1].isupper()
        case _:
            return ast.unparse(owner) in {"type(self)", "self.__class__"}


def _is_other_module(owner: ast.expr) -> bool:
    """Whether an expression looks as if it were a module other than the one that it stands in."""
    shown = ast.unparse(owner)
    return ("modules[" in shown and "__name__" not in shown) or "import_module(" in shown


def _near(module: ModuleFile) -> str:
    """Return what stands for the sources near a module: its package's name, nothing for the bundle's own."""
    return module.name.partition(".")[0] if is_outside(module.path) else ""
