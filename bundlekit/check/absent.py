"""Tells whether a name that no statement binds may be there all the same once its module has run."""

import ast
import re
from collections.abc import Mapping

from bundlekit.check.files import Files, is_outside
from bundlekit.check.module_index import ModuleFile
from bundlekit.check.runtime_names import Appearances, appearances, assigned_elsewhere, nested_definition
from bundlekit.model.project import Project, SourceFile

__all__ = ["Absence"]

_SETS_ON_CLASSES = re.compile(
    rb"\bsetattr\(\s*(?:cls|klass|type\(self\)|self\.__class__|[A-Z]\w*)\s*,\s*(?![rbf]?[\"'])"
)


class Absence:
    """Looks for what could bind a name behind the resolver's back, in the bundle or in the package around a module."""

    def __init__(self, project: Project, files: Files) -> None:
        self._project = project
        self._files = files
        self._packages: dict[str, dict[str, SourceFile]] = {}
        self._set_by_name: dict[str, str | None] = {}
        self._appearances: dict[str, Appearances] = {}

    def reason(self, name: str, module: ModuleFile, tree: ast.Module) -> str | None:
        """Return why `name` may be in `module`, None where nothing could put it there."""
        if module.path not in self._appearances:
            self._appearances[module.path] = appearances(module.path, tree)
        return self._appearances[module.path].reason(name) or self.assigned(name, module) or self._loaded(module)

    def _loaded(self, module: ModuleFile) -> str | None:
        """Return which source near `module` brings an import hook, which may fill modules as it likes."""
        hooks = (each.path for each in self._sources(module).values() if b"meta_path" in each.data)
        found = next(hooks, None)
        return f"{found} brings an import hook that may fill {module.name}" if found else None

    def assigned(self, name: str, module: ModuleFile, *, by_itself: bool = False) -> str | None:
        """Return which source near `module` assigns an attribute of that name, None if none does."""
        return assigned_elsewhere(name, self._sources(module), by_itself=by_itself)

    def of_class(self, name: str, module: ModuleFile) -> str | None:
        """Return why a class of `module` may have an attribute that its body and its bases do not bind."""
        top = module.name.partition(".")[0]
        if top not in self._set_by_name:
            sources = self._sources(module).values()
            self._set_by_name[top] = next((each.path for each in sources if _SETS_ON_CLASSES.search(each.data)), None)
        path = self._set_by_name[top]
        set_by_name = f"{path} sets attributes of classes by name" if path else None
        return self.assigned(name, module, by_itself=True) or set_by_name

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
