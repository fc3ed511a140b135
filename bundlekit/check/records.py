"""The constructors of classes that are declared by their fields: dataclasses, named tuples.

See: PEP 557, typing.NamedTuple, collections.namedtuple. What attrs and its kin declare is unknown (PEP 681).
"""

import ast
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bundlekit.check.known import dotted_name
from bundlekit.check.values import Arguments, Class, Frame, NamedTupleClass
from bundlekit.check.world import World
from bundlekit.model.signature import Parameter, ParameterKind, Signature, Unknown

__all__ = ["dataclass_signature", "makes_init", "named_tuple", "named_tuple_fields"]

_CLASS_VARIABLE = "ClassVar"
_KEYWORD_ONLY = "KW_ONLY"


class _Field(NamedTuple):
    has_default: bool
    keyword_only: bool


def dataclass_signature(world: World, classes: Sequence[Class]) -> Signature | Unknown:
    """Return the signature of the ``__init__`` that a dataclass gets; `classes` are its dataclasses, the base first."""
    fields: dict[str, _Field] = {}
    for each in classes:
        decorator = each.is_dataclass
        keyword_only = _flag(decorator, "kw_only", default=False) if decorator else False
        if keyword_only is None:
            return Unknown(f"what the dataclass decorator of {each.node.name!r} is given is computed")
        for statement in each.node.body:
            if isinstance(statement, ast.If | ast.Try | ast.For | ast.With):
                return Unknown(f"the fields of the dataclass {each.node.name!r} depend on a condition")
            if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
                continue
            annotation = _annotation(statement)
            if annotation == _KEYWORD_ONLY:
                keyword_only = True
            elif annotation != _CLASS_VARIABLE:
                found = _field(world, each, statement.value, keyword_only=keyword_only)
                if isinstance(found, Unknown):
                    return found
                fields.pop(statement.target.id, None) if found is None else fields.update({statement.target.id: found})
    positional = ParameterKind.POSITIONAL_OR_KEYWORD
    found_parameters = [
        *(Parameter(name, positional, each.has_default) for name, each in fields.items() if not each.keyword_only),
        *(
            Parameter(name, ParameterKind.KEYWORD_ONLY, each.has_default)
            for name, each in fields.items()
            if each.keyword_only
        ),
    ]
    return Signature(tuple(found_parameters))


def makes_init(decorator: ast.expr) -> bool | None:
    """Return whether the dataclass decorator adds an ``__init__``, None where that is computed."""
    return _flag(decorator, "init", default=True)


def named_tuple_fields(node: ast.ClassDef) -> Signature:
    """Return the constructor's signature of a class that is written with ``typing.NamedTuple`` as its base."""
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
    return _positional((each.target.id, each.value is not None) for each in fields if isinstance(each.target, ast.Name))


def named_tuple(node: ast.Call, arguments: Arguments, path: str) -> NamedTupleClass | Unknown:
    """Return the class that a call of ``namedtuple()`` or ``NamedTuple()`` makes."""
    unknown = Unknown(f"the fields of a named tuple are computed (line {node.lineno} of {path})", is_there=True)
    names = _field_names(node.args[1]) if len(node.args) > 1 else None
    keywords = {item.arg: item.value for item in node.keywords}
    if names is None or arguments.is_open or "rename" in keywords:
        return unknown
    defaults = keywords.get("defaults")
    if defaults is not None and not isinstance(defaults, ast.Tuple | ast.List):
        if not (isinstance(defaults, ast.BinOp) and isinstance(defaults.op, ast.Mult)):
            return unknown
        try:
            count = len(ast.literal_eval(defaults.left)) * ast.literal_eval(defaults.right)
        except (ValueError, TypeError):
            return unknown
    else:
        count = len(defaults.elts) if defaults else 0
    first = len(names) - count
    signature = _positional((name, index >= first) for index, name in enumerate(names))
    shown = node.args[0].value if isinstance(node.args[0], ast.Constant) else "namedtuple"
    return NamedTupleClass(str(shown), signature, path, node.lineno)


def _positional(fields: Iterable[tuple[str, bool]]) -> Signature:
    kind = ParameterKind.POSITIONAL_OR_KEYWORD
    return Signature(tuple(Parameter(name, kind, has_default) for name, has_default in fields))


def _field_names(node: ast.expr) -> list[str] | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        items = node.elts if isinstance(node, ast.List | ast.Tuple) else []
        # NamedTuple("X", [("a", int)]): the types are no literals.
        pairs = [item.elts[0] for item in items if isinstance(item, ast.Tuple) and item.elts]
        names = [item.value for item in pairs if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        return names if names and len(names) == len(items) else None
    if isinstance(value, str):
        return value.replace(",", " ").split()
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else None


def _annotation(statement: ast.AnnAssign) -> str:
    """Return the last part of an annotation's name, quoted or not: enough to know the two that are no fields."""
    text = ast.unparse(statement.annotation).strip("'\"").partition("[")[0]
    return text.rpartition(".")[2]


def _field(world: World, owner: Class, value: ast.expr | None, *, keyword_only: bool) -> _Field | Unknown | None:
    """Return the field with that default, None where it is no parameter of ``__init__``."""
    if value is None:
        return _Field(has_default=False, keyword_only=keyword_only)
    made = world.evaluate(value.func, Frame(owner.module)) if isinstance(value, ast.Call) else None
    if not isinstance(value, ast.Call) or dotted_name(made) != "dataclasses.field":
        return _Field(has_default=True, keyword_only=keyword_only)
    keywords = {item.arg: item.value for item in value.keywords}
    init, own = _flag(value, "init", default=True), _flag(value, "kw_only", default=keyword_only)
    if None in keywords or init is None or own is None:
        return Unknown(f"a field of the dataclass {owner.node.name!r} is computed (line {value.lineno})")
    if not init:
        return None
    return _Field(has_default=bool({"default", "default_factory"} & keywords.keys()), keyword_only=own)


def _flag(node: ast.expr, name: str, *, default: bool) -> bool | None:
    keywords = node.keywords if isinstance(node, ast.Call) else []
    if any(item.arg is None for item in keywords):
        return None
    given = next((item.value for item in keywords if item.arg == name), None)
    if given is None:
        return default
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, bool) else None
