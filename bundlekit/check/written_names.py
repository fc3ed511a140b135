"""Tells what a name in a function or its annotation stands for, where the source leaves no doubt about it.

Only names that one import binds, and builtins that nothing binds, have an answer; any other may be anything.
"""

import ast
import builtins
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache

from bundlekit.check.namespace import Imported, Names
from bundlekit.check.signatures import FunctionNode

__all__ = ["WrittenNames", "bound_names"]

_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


class WrittenNames:
    """The names around one function of a module; `names` are those of the module."""

    def __init__(self, names: Names, tree: ast.Module, node: FunctionNode) -> None:
        self._names = names
        self._tree = tree
        self._node = node

    def of_annotation(self, node: ast.expr) -> str:
        """Return the dotted name that an expression outside of the body stands for, "" if that is not certain."""
        match node:
            case ast.Name(id=name):
                return self._outside(name)
            case ast.Attribute(value=owner, attr=attribute):
                return _attribute(self.of_annotation(owner), attribute)
            case _:
                return ""

    def in_body(self, node: ast.expr) -> str:
        """Return the dotted name that an expression in the body stands for, "" if that is not certain."""
        match node:
            case ast.Name(id=name) if name in self._inside:
                return _one(self._inside[name])
            case ast.Name(id=name):
                return self._outside(name)
            case ast.Attribute(value=owner, attr=attribute):
                return _attribute(self.in_body(owner), attribute)
            case _:
                return ""

    @cached_property
    def _inside(self) -> dict[str, list[Imported | None]]:
        found: dict[str, list[Imported | None]] = {}
        for name, bound in bound_names(self._node):
            found.setdefault(name, []).append(bound)
        return found

    @cached_property
    def _around(self) -> frozenset[str]:
        return frozenset(name for scope in _around(self._tree, self._node) for name, _ in bound_names(scope))

    def _outside(self, name: str) -> str:
        bindings = self._names.by_name.get(name)
        if bindings is None:
            found = f"builtins.{name}" if hasattr(builtins, name) else ""
        else:
            found = _one([each.bound if isinstance(each.bound, Imported) else None for each in bindings])
        is_open = not found or "*" in self._names.by_name or name in self._around
        return "" if is_open or name in _bound_behind(self._tree) else found


@lru_cache(maxsize=4)
def _bound_behind(tree: ast.Module) -> frozenset[str]:
    """Return the names of a module that functions and expressions bind; several targets ask about one module."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            found.update(node.names)
        elif isinstance(node, ast.NamedExpr):
            found.add(node.target.id)
    return frozenset(found)


def _attribute(owner: str, name: str) -> str:
    return f"{owner}.{name}" if owner else ""


def _one(bound: list[Imported | None]) -> str:
    """Return what all of these bind, "" where they differ or one is no import of a module by its full name."""
    found = {each for each in bound if each is not None and not each.level}
    if len(found) != 1 or None in bound:
        return ""
    imported = found.pop()
    return imported.module if imported.name is None else f"{imported.module}.{imported.name}"


def _around(tree: ast.Module, node: FunctionNode) -> Iterator[ast.AST]:
    """Yield the functions and classes around `node`."""
    if any(each is node for each in tree.body):
        return
    pending: list[tuple[ast.AST, tuple[ast.AST, ...]]] = [(tree, ())]
    while pending:  # pragma: no branch - the function is one of the module
        each, scopes = pending.pop()
        if each is node:
            yield from scopes
            return
        inner = (*scopes, each) if isinstance(each, _SCOPES) else scopes
        pending.extend((child, inner) for child in ast.iter_child_nodes(each))


def bound_names(scope: ast.AST) -> Iterable[tuple[str, Imported | None]]:
    """Yield each name that something in a function or class binds, once each time; with the import if it is one."""
    for node in ast.walk(scope):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                yield name, None
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if node is not scope:
                    yield name, None
            case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name):
                yield name, None
            case ast.MatchStar(name=str() as name) | ast.MatchMapping(rest=str() as name):
                yield name, None
            case ast.Import():
                for alias in node.names:
                    whole = alias.name if alias.asname else alias.name.partition(".")[0]
                    yield alias.asname or whole, Imported(whole, 0, None)
            case ast.ImportFrom():
                for alias in node.names:
                    yield alias.asname or alias.name, Imported(node.module or "", node.level, alias.name)
            case _:
                continue
