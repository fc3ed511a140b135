"""Paths that a module builds from literals alone: its constants, joined by os.path.join, Path, f-strings and "+"."""

import ast
import posixpath
from collections.abc import Mapping
from functools import cached_property

from bundlekit.check.namespace import Assigned, Binding, Imported, names

__all__ = ["ConstantPaths"]

_JOINS = frozenset({"os.path.join", "posixpath.join"})
_PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath"})
_TEXT = "str"
_DEEPEST = 20


class ConstantPaths:
    """The constants of one module: names that one certain assignment of its top level binds, and nothing else."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree

    def dictionary(self, node: ast.expr) -> ast.Dict | None:
        """Return the display that `node` is, or that the constant was given which it names."""
        value: ast.expr | None = node
        if isinstance(node, ast.Name):
            value = self._value(node.id)
            if value is None or any(_changes(each, node.id) for each in ast.walk(self._tree)):
                return None
        return value if isinstance(value, ast.Dict) else None

    def path(self, node: ast.expr, depth: int = 0) -> str | None:
        """Return the path or text that an expression is, None where only running tells."""
        if depth > _DEEPEST:
            return None
        match node:
            case ast.Constant(value=str() as text):
                return text
            case ast.Name(id=name):
                value = self._value(name)
                return None if value is None else self.path(value, depth + 1)
            case ast.JoinedStr(values=parts):
                return self._together([self._formatted(part, depth + 1) for part in parts])
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._together([self.path(left, depth + 1), self.path(right, depth + 1)])
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._joined([left, right], depth)
            case ast.Call(func=function, args=arguments, keywords=[]) if arguments:
                return self._called(self._dotted(function), arguments, depth)
            case _:
                return None

    def _called(self, function: str, arguments: list[ast.expr], depth: int) -> str | None:
        is_join = function in _JOINS or function in _PATHS
        return self._joined(arguments, depth) if is_join or (function == _TEXT and len(arguments) == 1) else None

    def _formatted(self, part: ast.expr, depth: int) -> str | None:
        if not isinstance(part, ast.FormattedValue):
            return self.path(part, depth)
        is_plain = part.conversion == -1 and part.format_spec is None
        return self.path(part.value, depth) if is_plain else None

    def _joined(self, parts: list[ast.expr], depth: int) -> str | None:
        found = [self.path(part, depth + 1) for part in parts]
        known = [part for part in found if part is not None]
        return posixpath.join(*known) if len(known) == len(found) else None

    def _together(self, parts: list[str | None]) -> str | None:
        known = [part for part in parts if part is not None]
        return "".join(known) if len(known) == len(parts) else None

    def _value(self, name: str) -> ast.expr | None:
        bindings = self._by_name.get(name, [])
        if len(bindings) != 1 or name in self._bound_inside or not bindings[0].certain:
            return None
        bound = bindings[0].bound
        return bound.value if isinstance(bound, Assigned) else None

    def _dotted(self, node: ast.expr) -> str:
        match node:
            case ast.Attribute(value=owner, attr=attribute):
                dotted = self._dotted(owner)
                return f"{dotted}.{attribute}" if dotted else ""
            case ast.Name(id=name) if name not in self._by_name and name not in self._bound_inside:
                return name if name == _TEXT else ""
            case ast.Name(id=name) if len(self._by_name.get(name, [])) == 1:
                bound = self._by_name[name][0].bound
                if not isinstance(bound, Imported) or bound.level:
                    return ""
                return bound.module if bound.name is None else f"{bound.module}.{bound.name}"
            case _:
                return ""

    @cached_property
    def _by_name(self) -> Mapping[str, list[Binding]]:
        return names(self._tree.body).by_name

    @cached_property
    def _bound_inside(self) -> frozenset[str]:
        """The names that functions and classes of the module bind, which may be meant there, or changed from there."""
        found: set[str] = set()
        for scope in ast.walk(self._tree):
            if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
                continue
            for node in ast.walk(scope):
                if isinstance(node, ast.arg):
                    found.add(node.arg)
                elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                    found.add(node.id)
        return frozenset(found)


def _changes(node: ast.AST, name: str) -> bool:
    """Whether `node` may change the dictionary of that name in place."""
    match node:
        case (
            ast.Subscript(value=ast.Name(id=owner), ctx=ast.Store() | ast.Del())
            | ast.Attribute(value=ast.Name(id=owner))
        ):
            return owner == name
        case _:
            return False
