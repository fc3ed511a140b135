"""What a module defines at its top that could be state: values, generators, class attributes, defaults, caches."""

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bundlekit.check.process_settings import GENERATORS
from bundlekit.check.scopes import CALLED, imported_names, is_mutable, name_chain
from bundlekit.model.place import Place

__all__ = ["ModuleHead", "TopClass"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class TopClass(NamedTuple):
    """A class of a module: the names its bases start with, its mutable attributes, and those that are constants."""

    bases: tuple[str, ...]
    attributes: dict[str, Place]
    constants: dict[str, Place]


class ModuleHead:
    """What a module defines at its top: values, generators, classes, imports, defaults; not what functions do."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.values: dict[str, Place] = {}
        self.generators: dict[str, Place] = {}
        self.imports: dict[str, str] = {}
        self.classes: dict[str, TopClass] = {}
        self.defaults: set[str] = set()
        self.decorators: set[str] = set()
        self._decorated: list[tuple[str, FunctionNode]] = []

    def read(self, body: Sequence[ast.stmt]) -> None:
        """Take in the statements of the module, those below conditions included."""
        pending = list(reversed(body))
        while pending:
            node = pending.pop()
            match node:
                case ast.Import() | ast.ImportFrom():
                    self.imports.update(imported_names(node))
                case ast.Assign() | ast.AnnAssign() if is_mutable(node.value):
                    self.values |= {name: self.place(node) for name in _assigned(node)}
                case ast.Assign(value=ast.Call() as made) | ast.AnnAssign(value=ast.Call() as made):
                    if self._dotted(made.func) in GENERATORS:
                        self.generators |= {name: self.place(node) for name in _assigned(node)}
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self._function(node, node.name)
                case ast.ClassDef():
                    self._class(node, node.name)
                case ast.If() | ast.Try() | ast.TryStar() | ast.With() | ast.For() | ast.While():
                    pending.extend(each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt))
                    pending.extend(each for handler in getattr(node, "handlers", ()) for each in handler.body)
                case _:
                    pass

    def _function(self, node: FunctionNode, name: str) -> None:
        args = node.args
        positional = [*args.posonlyargs, *args.args]
        named = [*positional[len(positional) - len(args.defaults) :], *args.kwonlyargs]
        for parameter, value in zip(named, [*args.defaults, *args.kw_defaults], strict=True):
            if is_mutable(value):
                self.defaults.add(parameter.arg)
        if node.decorator_list:
            self._decorated.append((name, node))
            self._decorators(node)

    def _class(self, node: ast.ClassDef, name: str) -> None:
        attributes: dict[str, Place] = {}
        constants: dict[str, Place] = {}
        self._decorators(node)
        for each in node.body:
            match each:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self._function(each, f"{name}.{each.name}")
                case ast.ClassDef():
                    self._class(each, f"{name}.{each.name}")
                case ast.Assign() | ast.AnnAssign() if is_mutable(each.value):
                    # Fields of data classes and of the like are copied for each instance.
                    is_field = isinstance(each, ast.AnnAssign) and "ClassVar" not in ast.dump(each.annotation)
                    if not (is_field and (node.bases or node.decorator_list)):
                        attributes |= {target: self.place(each) for target in _assigned(each)}
                case ast.Assign(value=ast.Constant()) | ast.AnnAssign(value=ast.Constant()):
                    constants |= {target: self.place(each) for target in _assigned(each)}
                case _:
                    pass
        self.classes[name] = TopClass(tuple(name_chain(base)[0] for base in node.bases), attributes, constants)

    def _decorators(self, node: FunctionNode | ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            name, trail = name_chain(decorator)
            self.decorators.update([each for each in (name, *trail) if each != CALLED][-1:])

    def place(self, node: ast.stmt | ast.expr) -> Place:
        """Return where a node stands."""
        return Place(self.path, node.lineno, node.col_offset + 1)

    @property
    def caches(self) -> Iterator[tuple[str, Place]]:
        """The functions whose results functools keeps, each with its decorator's place."""
        for name, node in self._decorated:
            for decorator in node.decorator_list:
                if self._dotted(decorator) in {"functools.cache", "functools.lru_cache"}:
                    yield name, self.place(decorator)

    def _dotted(self, node: ast.expr) -> str:
        """Return the full name of what starts at something imported, calls left out."""
        start, trail = name_chain(node)
        return ".".join([self.imports.get(start, ""), *(each for each in trail if each != CALLED)])

    def lineage(self, name: str) -> list[str]:
        """Return a class and those of its bases that the module defines."""
        found: list[str] = []
        pending = [name]
        while pending:
            each = pending.pop(0)
            if each in self.classes and each not in found:
                found.append(each)
                pending.extend(self.classes[each].bases)
        return found


def _assigned(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Name):
            yield target.id
