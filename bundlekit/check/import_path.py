"""Whether importing a module changes where the modules after it are looked for."""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["PathChange", "called_at_import", "path_change"]

_CHANGERS = frozenset({"insert", "append", "extend", "remove", "pop", "clear"})
_FUNCTIONS = frozenset({"addsitedir", "extend_path"})
_LISTS = frozenset({"path", "meta_path", "path_hooks"})


class PathChange(NamedTuple):
    """Whether a module's own statements change the path, and the names of its functions that do when called."""

    at_import: bool
    functions: frozenset[str]


def path_change(tree: ast.Module) -> PathChange:
    """Return how the module changes the import path."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    changing = {each.name for each in functions if any(_changes(node) for node in _run(each.body))}
    return PathChange(any(_changes(node) for node in _run(tree.body)), frozenset(changing))


def called_at_import(tree: ast.Module) -> frozenset[str]:
    """Return the names of what the module's own statements call, without what they are attributes of."""
    called = [node.func for node in _run(tree.body) if isinstance(node, ast.Call)]
    return frozenset(
        each.attr if isinstance(each, ast.Attribute) else each.id
        for each in called
        if isinstance(each, ast.Attribute | ast.Name)
    )


def _run(body: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """Yield what runs when `body` does: all but the bodies of functions that are only defined there."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def _changes(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=attribute)):
            return attribute in _FUNCTIONS or (attribute in _CHANGERS and _is_path(owner))
        case ast.Call(func=ast.Name(id=name)):
            return name in _FUNCTIONS
        case ast.Assign(targets=targets):
            return any(_is_path(target) for target in targets)
        case ast.AugAssign(target=target):
            return _is_path(target)
        case ast.ImportFrom(module="sys", names=names):
            return any(alias.name in _LISTS for alias in names)
        case _:
            return False


def _is_path(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="sys"), attr=attribute):
            return attribute in _LISTS
        case ast.Subscript(value=owner):
            return _is_path(owner)
        case _:
            return False
