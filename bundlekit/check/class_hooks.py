"""What may give a class another constructor once its body has run: metaclasses, ``__init_subclass__``, decorators."""

import ast
from collections.abc import Iterable

from bundlekit.check.set_names import set_attributes
from bundlekit.check.values import (
    Class,
)
from bundlekit.check.world import World

__all__ = ["CONSTRUCTORS", "may_bring", "sets_constructors", "shapes_subclasses"]

CONSTRUCTORS = ("__new__", "__init__")
_SHAPING = frozenset({"dataclass", "__signature__", "__wrapped__", "update_wrapper", "wraps", "define"})


def may_bring(world: World, owner: Class, name: str) -> bool:
    """Whether the class itself, or a decorator of it, may bind the attribute."""
    return name in world.members(owner).by_name or owner.brought(name) is not None or owner.may_get(name)


def sets_constructors(meta: Class) -> bool:
    """Whether a metaclass gives its classes another constructor once they are made."""
    assigned = (node.attr for node in ast.walk(meta.node) if isinstance(node, ast.Attribute) and _is_stored(node))
    return any(name in CONSTRUCTORS for name in assigned) or _sets_by_name(meta.node, CONSTRUCTORS)


def _is_stored(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store)


def _sets_by_name(node: ast.AST, names: Iterable[str]) -> bool:
    """Whether ``setattr`` may replace one of the attributes, all of which every class has."""
    found = [each for each in set_attributes(node, ()) if not each.is_new]
    return any(each.may_set(name) for each in found for name in names)


def shapes_subclasses(world: World, base: Class) -> bool:
    """Whether the class gives those derived from it another constructor."""
    if not may_bring(world, base, "__init_subclass__"):
        return False
    hooks = [node for node in base.node.body if isinstance(node, ast.FunctionDef) and node.name == "__init_subclass__"]
    shapes = any(_makes_constructor(node) for hook in hooks for node in ast.walk(hook))
    return not hooks or shapes or any(_sets_by_name(hook, (*CONSTRUCTORS, "__signature__")) for hook in hooks)


def _makes_constructor(node: ast.AST) -> bool:
    """Whether a node of a hook's body looks as if it gave a class a constructor or the look of one."""
    match node:
        case ast.Attribute(attr=name) if name in CONSTRUCTORS:
            return _is_stored(node)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in _SHAPING
        case ast.Constant(value=str() as text):
            return text in CONSTRUCTORS or text == "__signature__"
        case _:
            return False
