"""Conditions in code that is read as if it ran: what is told of the values in them, or of the interpreter."""

import ast
from collections.abc import Callable, Sequence

from bundlekit.check import texts
from bundlekit.check.known import dotted_name
from bundlekit.check.namespace import Deleted
from bundlekit.check.values import (
    Builtin,
    Class,
    Constant,
    External,
    Function,
    Instance,
    MissingName,
    ModuleValue,
    Packed,
    Value,
    is_broken,
)
from bundlekit.check.world import World
from bundlekit.model.signature import Unknown

__all__ = ["decided"]

Evaluate = Callable[[ast.expr], Value]


def decided(world: World, test: ast.expr, evaluate: Evaluate) -> bool | None:
    """Return what a condition is, None where only running tells."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            found = decided(world, operand, evaluate)
            return None if found is None else not found
        case ast.BoolOp(op=joint, values=values):
            parts, wanted = [decided(world, value, evaluate) for value in values], isinstance(joint, ast.And)
            if (not wanted) in parts:
                return not wanted
            return wanted if None not in parts else None
        case ast.Compare(left=left, ops=[(ast.Is() | ast.IsNot()) as same], comparators=[right]):
            found = _is_same(evaluate(left), evaluate(right))
            return None if found is None else found == isinstance(same, ast.Is)
        case ast.Compare(
            left=left,
            ops=[ast.In()],
            comparators=[ast.Call(func=ast.Name(id="vars"), args=[of]) | ast.Attribute(value=of, attr="__dict__")],
        ):
            return _brings(world, evaluate(left), evaluate(of))
        case ast.Compare(left=left, ops=[comparison], comparators=[right]):
            known = _compared(evaluate(left), comparison, evaluate(right))
            return world.truth(test) if known is None else known
        case ast.Call(func=function, args=[first, *rest]):
            asked = dotted_name(evaluate(function))
            others = [evaluate(each) for each in rest]
            if asked == "builtins.hasattr" and len(others) == 1:
                return _has(world, evaluate(first), others[0])
            return _is_kind(asked, evaluate(first), others)
        case _:
            known = _truth_of(evaluate(test))
            return world.truth(test) if known is None else known


def _has(world: World, owner: Value, name: Value) -> bool | None:
    """Return what ``hasattr(owner, name)`` says of a class or a module."""
    text = texts.exact(name)
    if text is None or not isinstance(owner, Class | ModuleValue):
        return None
    found = world.attribute(owner, text)
    if isinstance(found, MissingName):
        return False
    return None if is_broken(found) or not getattr(found, "is_there", True) else True


def _brings(world: World, name: Value, owner: Value) -> bool | None:
    """Return whether the body of a class binds a name."""
    text = texts.exact(name)
    if text is None or not isinstance(owner, Class) or owner.may_get(text):
        return None
    bound = world.members(owner).by_name.get(text)
    is_bound = bound is not None and bound[-1].certain and not isinstance(bound[-1].bound, Deleted)
    if is_bound or owner.brought(text) is not None:
        return True
    if bound or owner.node.keywords:
        return None
    # A hook of a base may have set it.
    asked = (text, "__init_subclass__")
    return False if any(isinstance(world.attribute(owner, each), MissingName) for each in asked) else None


def _is_same(left: Value, right: Value) -> bool | None:
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    nothing = [isinstance(each, Constant) and each.what == "None" for each in (left, right)]
    return all(nothing) if any(nothing) and not any(isinstance(each, External) for each in (left, right)) else None


def _compared(left: Value, comparison: ast.cmpop, right: Value) -> bool | None:
    if (
        not isinstance(left, Constant)
        or not isinstance(right, Constant)
        or left.literal is None
        or right.literal is None
    ):
        return None
    try:
        first, second = ast.literal_eval(left.literal), ast.literal_eval(right.literal)
        match comparison:
            case ast.Eq() | ast.NotEq():
                return bool((first == second) == isinstance(comparison, ast.Eq))
            case ast.In() | ast.NotIn():
                return bool((first in second) == isinstance(comparison, ast.In))
            case _:
                return None
    except (ValueError, TypeError):
        return None


def _is_kind(asked: str, first: Value, rest: Sequence[Value]) -> bool | None:
    """Return the answer of ``callable(x)``, ``isinstance(x, type)`` and their kin."""
    if isinstance(first, Unknown | External | Instance | Packed):
        return None
    match asked:
        case "builtins.callable":
            return not isinstance(first, Constant)
        case "inspect.isfunction" | "inspect.isroutine":
            return isinstance(first, Function) and first.node is not None
        case "inspect.isclass":
            return isinstance(first, Class | Builtin)
        case "builtins.isinstance" if rest == [Builtin("type")]:
            return isinstance(first, Class | Builtin)
        case "builtins.isinstance" if isinstance(first, Function | Class) and all(isinstance(x, Builtin) for x in rest):
            return isinstance(first, Class) and Builtin("type") in rest
        case "builtins.isinstance" if isinstance(first, Function) and first.node is not None:
            kinds = [dotted_name(each) for each in rest]
            return True if kinds == ["types.FunctionType"] else None
        case _:
            return None


def _truth_of(value: Value) -> bool | None:
    match value:
        case Function() | Class():
            return True
        case Constant(what="None"):
            return False
        case Packed(positional=positional, keywords=keywords):
            return bool(positional or keywords)
        case Constant(literal=ast.expr() as literal):
            try:
                return bool(ast.literal_eval(literal))
            except (ValueError, TypeError):
                return None
        case _:
            return None
