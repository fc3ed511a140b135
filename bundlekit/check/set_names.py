"""The names that ``setattr(owner, name, value)`` may set, read from syntax: literal parts, and loops over literals."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

__all__ = ["SetAttribute", "may_change", "set_attributes"]

_ANYTHING = ".*"
_DEEPEST = 8
_READING = frozenset({"items", "keys", "values", "get", "copy", "index", "count", "join", "format"})
_SAME_ITEMS = frozenset({"sorted", "list", "tuple", "set", "frozenset", "reversed"})
_FIELD = r"%[sdr]|%%"
_FORMATTED = r"\{[^{}]*\}|\{\{|\}\}"

_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


class SetAttribute(NamedTuple):
    """One call of ``setattr``: of what, and a regular expression of the names.

    `is_new`: it is only done where the owner has no attribute of that name.
    """

    owner: ast.expr
    names: str
    is_new: bool

    def may_set(self, name: str) -> bool:
        """Whether it may set the attribute of that name."""
        return re.fullmatch(self.names, name, re.DOTALL) is not None


def set_attributes(root: ast.AST, around: Sequence[_Scope]) -> Iterator[SetAttribute]:
    """Yield the calls of ``setattr`` in `root`, which stands in the scopes `around`, the outermost first."""
    pending: list[tuple[ast.AST, tuple[_Scope, ...], tuple[str, ...]]] = [(root, tuple(around), ())]
    while pending:
        node, scopes, guards = pending.pop()
        match node:
            case ast.Call(func=ast.Name(id="setattr"), args=[owner, name, *_]):
                yield SetAttribute(owner, _Names(scopes).text(name), _shown(owner, name) in guards)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() | ast.ClassDef() | ast.Module():
                scopes, guards = (*scopes, node), ()
            case ast.If(test=test, body=body, orelse=orelse):
                pending.extend((child, scopes, (*guards, *_absent(test))) for child in body)
                pending.extend((child, scopes, guards) for child in (test, *orelse))
                continue
            case _:
                pass
        pending.extend((child, scopes, guards) for child in ast.iter_child_nodes(node))


def _shown(owner: ast.expr, name: ast.expr) -> str:
    return f"{ast.unparse(owner)}, {ast.unparse(name)}"


def _absent(test: ast.expr) -> Iterator[str]:
    """Yield the attributes that are not there where the condition holds."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id="hasattr"), args=[owner, name])):
            yield _shown(owner, name)
        case ast.BoolOp(op=ast.And(), values=values):
            for value in values:
                yield from _absent(value)
        case _:
            return


class _Names:
    """The texts of expressions in nested scopes, as regular expressions."""

    def __init__(self, scopes: Sequence[_Scope], depth: int = 0) -> None:
        self._scopes = scopes
        self._depth = depth

    def text(self, node: ast.expr) -> str:
        """Return a regular expression of the texts that `node` may be."""
        match node:
            case ast.Constant(value=str() as value):
                return re.escape(value)
            case ast.JoinedStr(values=values):
                return "".join(self.text(value) for value in values)
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self.text(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.text(left) + self.text(right)
            case ast.BinOp(left=ast.Constant(value=str() as value), op=ast.Mod()):
                return _filled(value, _FIELD)
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as value), attr="format")):
                return _filled(value, _FORMATTED)
            case ast.IfExp(body=body, orelse=orelse):
                return _either([self.text(body), self.text(orelse)])
            case ast.Name(id=name):
                return self._bound(name)
            case _:
                return _ANYTHING

    def _bound(self, name: str) -> str:
        # A class body's names are not seen from the functions in it, and its own are few: it counts as unknown.
        if self._depth > _DEEPEST or isinstance(self._scopes[-1], ast.ClassDef):
            return _ANYTHING
        for index in range(len(self._scopes) - 1, -1, -1):
            scope = self._scopes[index]
            if isinstance(scope, ast.ClassDef):
                continue
            bindings = list(_bindings(scope, name))
            if bindings:
                inner = _Names(self._scopes[: index + 1], self._depth + 1)
                return _either(inner.given(each) for each in bindings)
        return _ANYTHING

    def given(self, binding: "_Binding") -> str:
        """Return the texts that one binding of a name gives it."""
        if binding.value is None:
            return _ANYTHING
        if not binding.is_item:
            return self.text(binding.value)
        found = self._items(binding.value, binding.place)
        return _ANYTHING if found is None else _either(self.text(each) for each in found)

    def _items(self, over: ast.expr, place: int | None) -> list[ast.expr] | None:
        """Return what iterating over `over` gives, or the part of it at `place`; None where that is not told."""
        match over:
            case ast.List(elts=found) | ast.Tuple(elts=found) | ast.Set(elts=found):
                return found if place is None else _parts(found, place)
            case ast.Dict(keys=keys) if place is None:
                return _whole(keys)
            case ast.Call(func=ast.Attribute(value=of, attr="items"), args=[]) if place is not None:
                display = self._display(of)
                if not isinstance(display, ast.Dict) or None in display.keys:
                    return None
                return _whole(display.keys) if place == 0 else display.values
            case ast.Call(func=ast.Attribute(value=of, attr=("keys" | "values") as part), args=[]) if place is None:
                display = self._display(of)
                if not isinstance(display, ast.Dict) or None in display.keys:
                    return None
                return _whole(display.keys) if part == "keys" else display.values
            case ast.Call(func=ast.Name(id=function), args=[inner]) if function in _SAME_ITEMS:
                return self._items(inner, place)
            case ast.Name():
                found_display = self._display(over)
                return None if found_display is None else self._items(found_display, place)
            case _:
                return None

    def _display(self, node: ast.expr) -> ast.expr | None:
        """Return the literal list, tuple or dictionary that `node` is, None where it may be or become another."""
        if not isinstance(node, ast.Name):
            return node if isinstance(node, ast.List | ast.Tuple | ast.Dict | ast.Set) else None
        for scope in reversed(self._scopes):
            bindings = [] if isinstance(scope, ast.ClassDef) else list(_bindings(scope, node.id))
            if bindings:
                value = bindings[0].value
                is_display = isinstance(value, ast.List | ast.Tuple | ast.Dict | ast.Set)
                is_only = len(bindings) == 1 and not bindings[0].is_item
                return value if is_display and is_only and not may_change(scope, node.id) else None
        return None


class _Binding(NamedTuple):
    """What a name is bound to: a value, or an item of one (`place`: which part of each); None where not told."""

    value: ast.expr | None
    is_item: bool = False
    place: int | None = None


def _bindings(scope: _Scope, name: str) -> Iterator[_Binding]:
    """Yield everything that binds `name` in the scope itself, and one that is not told where an inner scope does."""
    told: set[ast.AST] = set()
    for node in _own_nodes(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=found) as target], value=value) if found == name:
                told.add(target)
                yield _Binding(value)
            case ast.For(target=target, iter=over) | ast.comprehension(target=target, iter=over):
                parts = target.elts if isinstance(target, ast.Tuple) else [target]
                for index, part in enumerate(parts):
                    if isinstance(part, ast.Name) and part.id == name:
                        told.add(part)
                        yield _Binding(over, is_item=True, place=index if isinstance(target, ast.Tuple) else None)
            case _:
                continue
    is_open = any(node not in told and _binds(node, name) for node in _own_nodes(scope))
    if is_open or any(isinstance(node, ast.Global | ast.Nonlocal) and name in node.names for node in ast.walk(scope)):
        yield _Binding(None)


def _binds(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(id=found, ctx=ast.Store() | ast.Del()):
            return found == name
        case ast.arg(arg=found):
            return found == name
        case ast.ExceptHandler(name=found) | ast.MatchAs(name=found) | ast.MatchStar(name=found):
            return found == name
        case ast.MatchMapping(rest=found):
            return found == name
        case ast.alias(name=found, asname=renamed):
            return found == "*" or (renamed or found.partition(".")[0]) == name
        case ast.FunctionDef(name=found) | ast.AsyncFunctionDef(name=found) | ast.ClassDef(name=found):
            return found == name
        case _:
            return False


def _own_nodes(scope: _Scope) -> Iterator[ast.AST]:
    """Yield the nodes of a scope without those of the functions and classes in it, which have names of their own."""
    pending = list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(node))


def may_change(scope: ast.AST, name: str) -> bool:
    """Whether anything in the scope may change what is in the list or dictionary of that name."""
    for node in ast.walk(scope):
        match node:
            case ast.Attribute(value=ast.Name(id=owner), attr=method) if owner == name and method not in _READING:
                return True
            case ast.Subscript(value=ast.Name(id=owner), ctx=ast.Store() | ast.Del()) if owner == name:
                return True
            case ast.AugAssign(target=ast.Name(id=target)) if target == name:
                return True
            case ast.Expr(value=ast.Call(args=given, keywords=named)):
                # A function that is called for its effect may have it on what it is given.
                passed = (*given, *(keyword.value for keyword in named))
                if any(isinstance(each, ast.Name) and each.id == name for each in passed):
                    return True
            case _:
                continue
    return False


def _parts(items: Sequence[ast.expr], place: int) -> list[ast.expr] | None:
    """Return one part of each item of a display, None where an item is no tuple."""
    parts = [each.elts[place] for each in items if isinstance(each, ast.Tuple | ast.List) and place < len(each.elts)]
    is_plain = not any(isinstance(each, ast.Starred) for part in items for each in ast.iter_child_nodes(part))
    return parts if len(parts) == len(items) and is_plain else None


def _whole(keys: Sequence[ast.expr | None]) -> list[ast.expr] | None:
    found = [key for key in keys if key is not None]
    return found if len(found) == len(keys) else None


def _filled(text: str, field: str) -> str:
    """Return the regular expression of a template: its own text, and anything in its fields."""
    own = re.split(field, text)
    if any(mark in part for part in own for mark in ("%" if field is _FIELD else "{}")):
        return _ANYTHING
    return _ANYTHING.join(re.escape(part) for part in own)


def _either(patterns: Iterable[str]) -> str:
    found = sorted(set(patterns))
    return _ANYTHING if _ANYTHING in found else f"(?:{'|'.join(found)})"
