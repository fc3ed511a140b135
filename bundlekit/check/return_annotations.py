"""Judges return annotations: whether what they promise can be what a runner takes.

Only types that are known by name are judged; of any other, the answer is that it may do.
"""

import ast
from collections.abc import Callable
from enum import Enum

from bundlekit.check.bases import unsubscripted

__all__ = ["Fit", "fit_of_evaluator", "fit_of_loss", "fit_of_outputs"]


class Fit(Enum):
    """Whether a type may be what runners take."""

    MAY_FIT = "may fit"
    OR_NONE = "may fit, or be None"
    CONTRADICTS = "contradicts"


Dotted = Callable[[ast.expr], str]
"""What a name stands for, as a dotted name; "" where that is not certain."""

_TYPING_ALIASES = {"List": "list", "Set": "set", "FrozenSet": "frozenset", "Text": "str", "Dict": "dict"}
_NUMBERS = frozenset({"int", "float"})
_NO_RESULT = frozenset(
    {"None", "str", "bytes", "bytearray", "bool", "complex", "list", "set", "frozenset", "range", "memoryview"}
    | {"NoReturn", "Never", "Iterator", "Generator", "Coroutine"}
)
_NO_OUTPUTS = _NO_RESULT | _NUMBERS | {"tuple", "Tuple", "Sequence", "MutableSequence"}
_NO_OUTPUT = frozenset(
    {"None", "str", "bool", "int", "float", "complex", "list", "dict", "set", "frozenset", "tuple", "Tuple", "range"}
)
_NO_KEY = frozenset({"None", "int", "float", "bool", "bytes", "complex", "tuple", "Tuple", "frozenset"})
_NO_LOSS = _NO_OUTPUT - _NUMBERS | {"bytes", "bytearray"}
_MAPPINGS = frozenset({"dict", "Mapping", "MutableMapping", "OrderedDict", "DefaultDict", "defaultdict"})
_TUPLES = frozenset({"tuple", "Tuple"})
_MODULES = frozenset({"builtins", "typing", "typing_extensions", "collections", "collections.abc"})


def fit_of_outputs(annotation: ast.expr, dotted: Dotted) -> Fit:
    """Return whether the type may be a wire's: a mapping from names to bytes."""
    return _fit(annotation, dotted, lambda node: _is_no_mapping(node, dotted, _NO_OUTPUTS, _NO_OUTPUT))


def fit_of_loss(annotation: ast.expr, dotted: Dotted) -> Fit:
    """Return whether the type may be a target's: a dict with a loss, or an object that has one."""
    return _fit(annotation, dotted, lambda node: _is_no_mapping(node, dotted, _NO_RESULT | _NUMBERS, _NO_LOSS))


def fit_of_evaluator(annotation: ast.expr, dotted: Dotted) -> Fit:
    """Return whether the type may be what a target of Calabaria's style returns: an object with evaluate()."""
    refused = _NO_RESULT | _NUMBERS | {"dict"}
    return _fit(annotation, dotted, lambda node: _name(unsubscripted(node), dotted) in refused)


def _fit(annotation: ast.expr, dotted: Dotted, contradicts: Callable[[ast.expr], bool]) -> Fit:
    members = _members(annotation, dotted)
    refused = [member for member in members if contradicts(member)]
    if len(refused) == len(members):
        return Fit.CONTRADICTS
    return Fit.OR_NONE if any(_name(member, dotted) == "None" for member in refused) else Fit.MAY_FIT


def _members(node: ast.expr, dotted: Dotted) -> list[ast.expr]:
    """Return the alternatives of a type, with strings parsed and what only annotates taken off."""
    match node:
        case ast.Constant(value=str() as text):
            try:
                return _members(ast.parse(text.strip(), mode="eval").body, dotted)
            except SyntaxError:
                return [node]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return [*_members(left, dotted), *_members(right, dotted)]
        case ast.Subscript(value=origin, slice=inside):
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            match _name(origin, dotted):
                case "Optional":
                    return [*_members(inside, dotted), ast.Constant(None)]
                case "Union":
                    return [member for part in parts for member in _members(part, dotted)]
                case "Annotated":
                    return _members(parts[0], dotted)
                case _:
                    return [node]
        case _:
            return [node]


def _is_no_mapping(node: ast.expr, dotted: Dotted, refused: frozenset[str], refused_values: frozenset[str]) -> bool:
    name = _name(unsubscripted(node), dotted)
    if isinstance(node, ast.Subscript) and name in _TUPLES:
        return True
    if name in refused:
        return True
    match node:
        case ast.Subscript(slice=ast.Tuple(elts=[key, value])) if name in _MAPPINGS:
            return _all_in(_NO_KEY, key, dotted) or _all_in(refused_values, value, dotted)
        case _:
            return False


def _all_in(refused: frozenset[str], node: ast.expr, dotted: Dotted) -> bool:
    return all(_name(unsubscripted(member), dotted) in refused for member in _members(node, dotted))


def _name(node: ast.expr, dotted: Dotted) -> str:
    """Return the plain name of a type that Python itself has, "" for any other."""
    if isinstance(node, ast.Constant):
        return "None" if node.value is None else ""
    module, _, name = dotted(node).rpartition(".")
    if module == "typing":
        name = _TYPING_ALIASES.get(name, name)
    return name if module in _MODULES else ""
