"""Judges the literals that a function returns, as the runners would their values (CONTRACT sections 3 and 4)."""

import ast
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bundlekit.check.returns import own_nodes
from bundlekit.check.signatures import FunctionNode
from bundlekit.check.written_names import bound_names

__all__ = ["Misfit", "literal_behind", "misfits_of_evaluator", "misfits_of_loss", "misfits_of_outputs"]

Dotted = Callable[[ast.expr], str]
"""What a name in the body stands for, as a dotted name; "" where that is not certain."""

_DISPLAYS: dict[type[ast.expr], str] = {
    ast.JoinedStr: "a str",
    ast.List: "a list",
    ast.ListComp: "a list",
    ast.Dict: "a dict",
    ast.DictComp: "a dict",
    ast.Set: "a set",
    ast.SetComp: "a set",
    ast.Tuple: "a tuple",
    ast.GeneratorExp: "a generator",
    ast.Lambda: "a function",
}
_MAKES_TEXT = frozenset({"json.dumps", "builtins.str", "builtins.repr", "builtins.format"})
_MAKES = {f"builtins.{name}": f"a {name}" for name in ("list", "dict", "set", "tuple", "bool")}
_MAKES_NUMBERS = {"builtins.len": "an int", "builtins.int": "an int", "builtins.float": "a float"}
_NOT_FINITE = frozenset(
    {f"{module}.{name}" for module in ("math", "numpy") for name in ("nan", "inf", "NaN", "Inf", "NAN")}
)
_DICTS = {"a dict"}
_TEXT = "a str"
_TEXT_METHODS = frozenset({"format", "format_map", "join", "replace", "strip", "upper", "lower", "title"})
_METADATA = "metadata"


class Misfit(NamedTuple):
    """A returned expression that runners refuse: what was expected there, what it is, and what to do."""

    node: ast.expr
    expected: str
    found: str
    hint: str


def literal_behind(node: FunctionNode, value: ast.expr) -> ast.expr:
    """Return the expression that a local name is assigned, once, if nothing but its return uses it; else `value`."""
    if not isinstance(value, ast.Name):
        return value
    assigned = [
        each.value
        for each in own_nodes(node.body if isinstance(node.body, list) else [])
        if isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None and _is_target(each, value.id)
    ]
    bindings = sum(name == value.id for name, _ in bound_names(node))
    loads = sum(isinstance(each, ast.Name) and each.id == value.id for each in ast.walk(node)) - 1
    is_plain = len(assigned) == 1 and bindings == 1 and loads == 1
    is_named_otherwise = any(isinstance(each, ast.Global | ast.Nonlocal) for each in ast.walk(node))
    return assigned[0] if is_plain and not is_named_otherwise else value


def misfits_of_outputs(value: ast.expr, dotted: Dotted) -> Iterator[Misfit]:
    """Yield what is wrong with a wire's outputs."""
    expected, hint = "a dict of outputs", 'return {"name": data}, with bytes as data'
    found = _nothing(value, dotted)
    if found is not None:
        yield Misfit(value, "at least one output that is not empty", found, hint)
        return
    if not isinstance(value, ast.Dict):
        found = _kind(value, dotted)
        if found is not None and found not in _DICTS:
            yield Misfit(value, expected, found, hint)
        return
    for key, item in zip(value.keys, value.values, strict=True):
        yield from _misfits_of_key(key)
        found = _kind(item, dotted)
        if found is not None and not _is_replaced(value, item):
            advice = "encode it: append .encode()"
            if found != _TEXT:
                advice = "make bytes of it, for example json.dumps(...).encode()"
            yield Misfit(item, "bytes as an output", found, advice)


def misfits_of_loss(value: ast.expr, dotted: Dotted) -> Iterator[Misfit]:
    """Yield what is wrong with a target's result."""
    hint = 'return {"loss": loss}, with a finite number as loss'
    if not isinstance(value, ast.Dict):
        found = _kind(value, dotted) or _number(value, dotted)
        if found is not None and found not in _DICTS:
            yield Misfit(value, 'a dict with a "loss"', found, hint)
        return
    keys = [key.value if isinstance(key, ast.Constant) else None for key in value.keys]
    if "loss" not in keys and all(isinstance(key, ast.Constant) for key in value.keys):
        shown = ", ".join(repr(key) for key in keys)
        yield Misfit(value, 'a dict with a "loss"', f"one with {shown}" if keys else "an empty one", hint)
    for key, item in zip(keys, value.values, strict=True):
        if _is_replaced(value, item):
            continue
        found = _no_loss(item, dotted) if key == "loss" else None
        if found is not None:
            yield Misfit(item, "a finite number as the loss", found, "return a number, or raise where there is none")
        found = _kind(item, dotted) if key == "diagnostics" else None
        if found is not None and found not in {*_DICTS, "None"}:
            yield Misfit(item, "a dict as the diagnostics", found, 'give it a name: {"name": value}')


def misfits_of_evaluator(value: ast.expr, dotted: Dotted) -> Iterator[Misfit]:
    """Yield what is wrong with the result of a target without parameters."""
    found = _kind(value, dotted) or _number(value, dotted)
    if found is not None:
        hint = "take the simulation returns, (sim_returns, target_data=None), or return an evaluator"
        yield Misfit(value, "an object with evaluate()", found, hint)


def _is_target(node: ast.Assign | ast.AnnAssign, name: str) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return len(targets) == 1 and isinstance(targets[0], ast.Name) and targets[0].id == name


def _nothing(value: ast.expr, dotted: Dotted) -> str | None:
    """Return what outputs without any data are, None for all others; metadata alone may be what a wire has to give."""
    match value:
        case ast.Dict(keys=[]):
            return "an empty dict"
        case ast.Call(func=function, args=[], keywords=[]) if dotted(function) == "builtins.dict":
            return "an empty dict"
        case ast.Dict(keys=keys, values=values):
            data = [
                item
                for key, item in zip(keys, values, strict=True)
                if not (isinstance(key, ast.Constant) and key.value == _METADATA)
            ]
            is_empty = bool(data) and all(isinstance(item, ast.Constant) and item.value == b"" for item in data)
            return "empty bytes alone" if is_empty and all(isinstance(key, ast.Constant) for key in keys) else None
        case _:
            return None


def _misfits_of_key(key: ast.expr | None) -> Iterator[Misfit]:
    expected, hint = "a str that is not empty as an output's name", "name the output by a str"
    match key:
        case ast.Constant(value=str() as text) if text:
            return
        case ast.Constant(value=value):
            yield Misfit(key, expected, repr(value), hint)
        case ast.Tuple():
            yield Misfit(key, expected, "a tuple", hint)
        case _:
            return


def _is_replaced(display: ast.Dict, item: ast.expr) -> bool:
    """Whether something later in the display may replace that value."""
    position = next(index for index, value in enumerate(display.values) if value is item)
    key = display.keys[position]
    if key is None:
        return True
    return any(
        later is None or not isinstance(later, ast.Constant) or ast.dump(later) == ast.dump(key)
        for later in display.keys[position + 1 :]
    )


def _kind(node: ast.expr, dotted: Dotted) -> str | None:
    """Return what a literal is, None for bytes and for whatever only running tells."""
    match node:
        case ast.Constant(value=bytes()):
            return None
        case ast.Constant(value=None):
            return "None"
        case ast.Constant(value=value):
            kind = type(value).__name__
            return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant() as operand):
            return _kind(operand, dotted)
        case ast.IfExp(body=chosen, orelse=other):
            found = _kind(chosen, dotted)
            return found if found == _kind(other, dotted) else None
        case ast.BinOp(left=left, op=ast.Mod()) if _is_text(left):
            return _TEXT
        case ast.Call(func=ast.Attribute(value=owner, attr=method)) if _is_text(owner):
            return _TEXT if method in _TEXT_METHODS else None
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _TEXT if _kind(left, dotted) == _kind(right, dotted) == _TEXT else None
        case ast.Call(func=function):
            name = dotted(function)
            return _TEXT if name in _MAKES_TEXT else _MAKES.get(name) or _MAKES_NUMBERS.get(name)
        case _:
            return _DISPLAYS.get(type(node))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _number(node: ast.expr, dotted: Dotted) -> str | None:
    return "a number" if dotted(node) in _NOT_FINITE else None


def _no_loss(node: ast.expr, dotted: Dotted) -> str | None:
    """Return what a literal is that is no finite number, None for anything else."""
    match node:
        case ast.Constant(value=float() as number):
            return None if math.isfinite(number) else "infinity"
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return None
        case ast.Constant(value=bytes()):
            return "bytes"
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _no_loss(operand, dotted)
        case ast.IfExp(body=chosen, orelse=other):
            found = _no_loss(chosen, dotted)
            return found if _no_loss(other, dotted) else None
        case ast.Call(func=function, args=[ast.Constant(value=str() as text)]) if dotted(function) == "builtins.float":
            return _not_finite(text)
        case ast.Call(func=function) if dotted(function) in _MAKES_NUMBERS:
            return None
        case ast.Name() | ast.Attribute() if dotted(node) in _NOT_FINITE:
            return ast.unparse(node)
        case _:
            return _kind(node, dotted)


def _not_finite(text: str) -> str | None:
    try:
        return None if math.isfinite(float(text)) else f"float({text!r})"
    except ValueError:
        return None
