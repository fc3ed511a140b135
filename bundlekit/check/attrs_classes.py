"""The constructors of classes that attrs makes: ``attr.s``, ``attrs.define`` and their kin.

What is computed is unknown, and so is what differs between versions of attrs: which inherited fields ``kw_only`` of a
class means, and the order of fields that come from several bases. See: attrs' documentation, "attrs by Example".
"""

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bundlekit.check.known import dotted_name
from bundlekit.check.values import AttrsClass, Class, Constant, Frame, Function, Value
from bundlekit.check.world import World
from bundlekit.model.signature import Parameter, ParameterKind, Signature, Unknown

__all__ = ["attrs_decorator", "attrs_signature"]

_OLD = frozenset({"attr.s", "attr.attrs", "attr.attributes", "attr._make.attrs"})
_NEW = frozenset(
    {f"{package}.{name}" for package in ("attr", "attrs") for name in ("define", "mutable", "frozen")}
    | {"attr._next_gen.define"}
)
_FIELDS = frozenset(
    {"attr.ib", "attr.attr", "attr.attrib", "attr._make.attrib"} | {"attr.field", "attrs.field", "attr._next_gen.field"}
)
_UNTOLD = frozenset({"these", "field_transformer", "force_kw_only"})


class _Field(NamedTuple):
    parameter: str
    has_default: bool
    in_init: bool
    keyword_only: bool


def attrs_decorator(factory: Value, decorator: ast.expr) -> AttrsClass | None:
    """Return how attrs makes a class, None where the decorator is none of attrs'."""
    dotted = dotted_name(factory)
    if dotted == "attr.dataclass":
        return AttrsClass(decorator, is_new=False, presets=(("auto_attribs", ast.Constant(value=True)),))
    if dotted not in _OLD | _NEW:
        return None
    given = factory.given.keywords if isinstance(factory, Function) and factory.given else ()
    presets = tuple((name, value.literal if isinstance(value, Constant) else None) for name, value in given)
    return AttrsClass(decorator, dotted in _NEW, presets)


def attrs_signature(world: World, owner: Class, above: Sequence[object]) -> Signature | Unknown | None:
    """Return the signature of the ``__init__`` that attrs gives a class, None where it gives none.

    `above` are its bases in the order in which attributes are looked up.
    """
    unknown = Unknown(f"the fields of {owner.node.name!r} cannot be told", is_there=True)
    if owner.attrs is None:
        return None
    init = _flag(owner.attrs, "init", default=None)
    detects = _flag(owner.attrs, "auto_detect", default=owner.attrs.is_new)
    if init is _UNKNOWN or detects is _UNKNOWN:
        return unknown
    has_own = "__init__" in world.members(owner).by_name
    if init is False or (init is None and detects and has_own):
        return None
    classes = [each for each in above if isinstance(each, Class)]
    if any(isinstance(each, Unknown) for each in above) or any(len(each.node.bases) > 1 for each in (owner, *classes)):
        return unknown
    fields: dict[str, _Field] = {}
    for each in (*reversed(classes), owner):
        if each.attrs is not None:
            own = _fields(world, each, has_inherited=bool(fields))
            if own is None:
                return unknown
            fields = {name: field for name, field in fields.items() if name not in own} | own
    return _signature([field for field in fields.values() if field.in_init])


def _signature(fields: Sequence[_Field]) -> Signature:
    kinds = ((False, ParameterKind.POSITIONAL_OR_KEYWORD), (True, ParameterKind.KEYWORD_ONLY))
    return Signature(
        tuple(
            Parameter(each.parameter, kind, each.has_default)
            for keyword_only, kind in kinds
            for each in fields
            if each.keyword_only is keyword_only
        )
    )


def _fields(world: World, owner: Class, *, has_inherited: bool) -> dict[str, _Field] | None:
    """Return the fields of the class's own body, None where they are not told."""
    made = owner.attrs
    if made is None or any(isinstance(each, ast.If | ast.Try | ast.For | ast.With) for each in owner.node.body):
        return None
    annotates, keyword_only = _flag(made, "auto_attribs", default=None), _flag(made, "kw_only", default=False)
    if annotates is _UNKNOWN or keyword_only is _UNKNOWN or (keyword_only and has_inherited):
        return None
    declared = list(_declared(owner.node.body))
    named = [name for name, _, _ in declared]
    calls = {name: value for name, _, value in declared if _is_field(world, value, owner)}
    if len(set(named)) < len(named):
        return None
    if annotates is None:
        annotates = made.is_new and all(annotated for name, annotated, _ in declared if name in calls)
    defaults = set(_defaults(owner.node.body))
    fields = {}
    for name, annotated, value in declared:
        if annotated if annotates else name in calls:
            found = _field(name, value, is_call=name in calls, keyword_only=bool(keyword_only))
            if found is None:
                return None
            fields[name] = found._replace(has_default=found.has_default or name in defaults)
    return fields


def _declared(body: Sequence[ast.stmt]) -> Iterator[tuple[str, bool, ast.expr | None]]:
    """Yield each name that a class body assigns or annotates, whether it is annotated, and its value."""
    for node in body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                if not ast.unparse(annotation).strip("'\"").partition("[")[0].endswith("ClassVar"):
                    yield name, True, value
            case ast.Assign(targets=targets, value=value):
                yield from ((target.id, False, value) for target in targets if isinstance(target, ast.Name))
            case _:
                continue


def _defaults(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield the fields that get a default from a method: ``@name.default``."""
    for node in body:
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(decorator, ast.Attribute) and decorator.attr == "default":
                yield ast.unparse(decorator.value)


def _is_field(world: World, value: ast.expr | None, owner: Class) -> bool:
    return isinstance(value, ast.Call) and dotted_name(world.evaluate(value.func, Frame(owner.module))) in _FIELDS


def _field(name: str, value: ast.expr | None, *, is_call: bool, keyword_only: bool) -> _Field | None:
    parameter = name.lstrip("_")
    if not is_call or not isinstance(value, ast.Call):
        return _Field(parameter, value is not None, in_init=True, keyword_only=keyword_only)
    given = {item.arg: item.value for item in value.keywords}
    positional = value.args[0] if value.args else None
    default = given.get("default", positional)
    in_init, own = (_literal(given[key]) if key in given else None for key in ("init", "kw_only"))
    alias = _literal(given["alias"]) if "alias" in given else None
    is_told = in_init in {None, True, False} and own in {None, True, False} and isinstance(alias, str | None)
    if None in given or not is_told or (keyword_only and own is not None) or isinstance(positional, ast.Starred):
        return None
    has_default = "factory" in given or (default is not None and not ast.unparse(default).endswith("NOTHING"))
    is_keyword_only = keyword_only or own is True
    return _Field(str(alias or parameter), has_default, in_init=in_init is not False, keyword_only=is_keyword_only)


_UNKNOWN = object()


def _literal(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else _UNKNOWN


def _flag(made: AttrsClass, name: str, *, default: bool | None) -> object:
    """Return a setting of the decorator, `_UNKNOWN` where it is computed."""
    keywords = made.decorator.keywords if isinstance(made.decorator, ast.Call) else []
    positional = made.decorator.args if isinstance(made.decorator, ast.Call) else []
    given: dict[str | None, ast.expr | None] = {**dict(made.presets), **{item.arg: item.value for item in keywords}}
    if positional or None in given or _UNTOLD & given.keys():
        return _UNKNOWN
    value = given[name] if name in given else ast.Constant(default)
    found = _UNKNOWN if value is None else _literal(value)
    return found if found in (None, True, False) else _UNKNOWN
