"""Texts and displays that are put together from literals: what they are, or which texts they may be.

A regular expression says what is told of a text: the literal parts, and anything where only running tells.
"""

import ast
import re
from collections.abc import Sequence

from bundlekit.check.values import Constant, Value
from bundlekit.model.signature import Unknown

__all__ = ["ANYTHING", "exact", "folded", "is_mutable", "item", "items", "joined", "pairs", "pattern"]

ANYTHING = ".*"


def exact(value: Value | None) -> str | None:
    """Return the text that a value is, None where it is another object or not told."""
    literal = value.literal if isinstance(value, Constant) else None
    return literal.value if isinstance(literal, ast.Constant) and isinstance(literal.value, str) else None


def pattern(value: Value | None) -> str:
    """Return a regular expression of the texts that a value may be."""
    text = exact(value)
    if text is not None:
        return re.escape(text)
    return value.texts or ANYTHING if isinstance(value, Constant) else ANYTHING


def joined(parts: Sequence[str | Value], path: str, line: int) -> Constant:
    """Return the text that `parts` make, one after the other."""
    texts = [part if isinstance(part, str) else exact(part) for part in parts]
    known = [text for text in texts if text is not None]
    if len(known) == len(parts):
        return Constant("a literal str", path, line, ast.Constant("".join(known)))
    patterns = [re.escape(part) if isinstance(part, str) else f"(?:{pattern(part)})" for part in parts]
    return Constant("a string", path, line, texts="".join(patterns))


def folded(left: Value, right: Value, path: str, line: int) -> Constant | None:
    """Return what ``left + right`` is, where one of them is a text or both are literal lists or tuples."""
    first, second = (each.literal if isinstance(each, Constant) else None for each in (left, right))
    match first, second:
        case (ast.List(elts=one), ast.List(elts=other)) | (ast.Tuple(elts=one), ast.Tuple(elts=other)):
            is_list = isinstance(first, ast.List)
            made = ast.List([*one, *other], ast.Load()) if is_list else ast.Tuple([*one, *other], ast.Load())
            return Constant("a list" if is_list else "a tuple", path, line, made)
        case _ if _is_text(left) and _is_text(right):
            return joined([left, right], path, line)
        case _:
            return None


def is_mutable(value: Value) -> bool:
    """Whether a value is a literal list, dictionary or set, which may be changed after it is made."""
    return isinstance(value, Constant) and isinstance(value.literal, ast.List | ast.Dict | ast.Set)


def _is_text(value: Value) -> bool:
    return exact(value) is not None or (isinstance(value, Constant) and bool(value.texts))


def items(value: Value) -> list[Value] | None:
    """Return what iterating over a literal list, tuple or dictionary gives, None for anything else."""
    match value:
        case Constant(literal=ast.List(elts=found) | ast.Tuple(elts=found)):
            starred = any(isinstance(each, ast.Starred) for each in found)
            return None if starred else [literal(each, value) for each in found]
        case Constant(literal=ast.Dict(keys=keys)):
            given = [literal(key, value) for key in keys if key is not None]
            return given if len(given) == len(keys) else None
        case _:
            return None


def pairs(value: Value) -> list[tuple[Value, ...]] | None:
    """Return the items of a literal dictionary, None for anything else."""
    match value:
        case Constant(literal=ast.Dict(keys=keys, values=values)):
            found = zip(keys, values, strict=True)
            return None if None in keys else [(literal(key, value), literal(each, value)) for key, each in found if key]
        case _:
            return None


def item(value: Value, index: int) -> Value | None:
    """Return that item of a literal list or tuple, None where there is none."""
    is_ordered = isinstance(value, Constant) and not isinstance(value.literal, ast.Dict)
    found = items(value) if is_ordered else None
    return found[index] if found is not None and -len(found) <= index < len(found) else None


def literal(node: ast.expr, around: Constant) -> Value:
    """Return a literal in a display as a value; names in it would be looked for elsewhere than where they stand."""
    kinds = {ast.List: "a list", ast.Tuple: "a tuple", ast.Dict: "a dictionary"}
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        return Unknown(f"it is an item of a value (line {around.line} of {around.path})", is_there=True)
    what = "None" if value is None else kinds.get(type(node), f"a literal {type(value).__name__}")
    return Constant(what, around.path, around.line, node)
