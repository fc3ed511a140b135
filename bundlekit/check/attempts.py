"""Attempts to get an attribute, ``try: return getattr(module, name)``: whether they fail, and who handles that."""

import ast
from collections.abc import Sequence

from bundlekit.check.values import External, Value, is_broken
from bundlekit.model.signature import Unknown

__all__ = ["handler_of_absence", "is_certain", "only_asks"]


def only_asks(node: ast.expr) -> bool:
    """Whether an expression does nothing but ask for an attribute, so that it fails only where that is missing."""
    match node:
        case ast.Attribute(value=owner):
            return only_asks(owner)
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, name], keywords=[]):
            return only_asks(owner) and only_asks(name)
        case ast.Call(
            func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"), args=[name], keywords=[]
        ):
            return only_asks(name)
        case _:
            return isinstance(node, ast.Name | ast.Constant | ast.JoinedStr)


def is_certain(value: Value) -> bool:
    """Whether a value is certainly there, whatever it is."""
    return not is_broken(value) and (not isinstance(value, Unknown | External) or value.is_there)


def handler_of_absence(handlers: Sequence[ast.ExceptHandler]) -> ast.ExceptHandler | None:
    """Return the handler of an AttributeError, None where another one may come first."""
    if not handlers:
        return None
    kind = handlers[0].type
    catches = kind is None or (isinstance(kind, ast.Name) and kind.id in {"AttributeError", "Exception"})
    return handlers[0] if catches else None
