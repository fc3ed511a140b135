"""What classes are made of, read from source: the order of their bases, attributes, and what calling them takes.

See: "The Python 2.3 Method Resolution Order" (C3); :func:`inspect.signature` for the order in which it looks at a
metaclass, ``__new__`` and ``__init__``.
"""

import builtins

from bundlekit.check import interpret
from bundlekit.check.attrs_classes import attrs_signature
from bundlekit.check.bases import Base, linearised, unsubscripted
from bundlekit.check.class_hooks import CONSTRUCTORS, may_bring, sets_constructors, shapes_subclasses
from bundlekit.check.known import dotted_name
from bundlekit.check.records import dataclass_signature, makes_init, named_tuple_fields
from bundlekit.check.signatures import bound
from bundlekit.check.values import (
    Arguments,
    Builtin,
    Class,
    Constant,
    External,
    Function,
    Instance,
    MissingName,
    NamedTupleClass,
    Property,
    SignatureOf,
    Value,
)
from bundlekit.check.world import World
from bundlekit.model.signature import Parameter, ParameterKind, Signature, Unknown

__all__ = ["attribute_of", "constructor", "instance_call", "method"]


def attribute_of(world: World, value: Class | Instance, name: str) -> Value:
    """Return an attribute of a class or of an instance, methods bound as access binds them."""
    owner = value if isinstance(value, Class) else value.of
    found = _lookup(world, owner, name)
    if isinstance(found, MissingName) and name.startswith("__"):
        is_made = owner.is_dataclass is not None or owner.attrs is not None
        if is_made or hasattr(type, name):
            return Unknown(f"every class has {name!r}, or one that is made", is_there=hasattr(type, name))
    if isinstance(value, Instance):
        if isinstance(found, MissingName):
            return Unknown(f"instances of {owner.node.name!r} may set {name!r} themselves")
        if isinstance(found, Property):
            return Unknown(f"{name!r} is a property of {owner.node.name!r}", is_there=True)
    if not isinstance(found, Function) or found.binding == "static":
        return found
    if found.binding == "plain" and isinstance(value, Class):
        return found
    return _bound(found, value if found.binding == "plain" else owner)


def instance_call(world: World, value: Instance) -> Value:
    """Return what calling an instance takes; an instance that cannot be called is a constant."""
    owner = value.of
    if value.wrapped is not None:
        return value.wrapped
    found = method(world, owner, "__call__")
    if isinstance(found, MissingName):
        what = f"an instance of {owner.node.name}, which has no __call__"
        return Constant(what, owner.module.path, owner.node.lineno)
    answers = any(not isinstance(_lookup(world, owner, name), MissingName) for name in ("__getattr__", "__wrapped__"))
    if answers or world.sets(owner.module.path, "__signature__"):
        return Unknown(f"instances of {owner.node.name!r} may answer for a signature themselves", is_there=True)
    return found


def method(world: World, owner: Class, name: str) -> Value:
    """Return a special method without `self`, a missing name where no class defines it."""
    found = _lookup(world, owner, name)
    if isinstance(found, Function):
        return found if found.binding == "static" else _bound(found, Instance(owner))
    return (
        found if isinstance(found, MissingName | Unknown) else Unknown(f"{name} of {owner.node.name!r} is no function")
    )


def constructor(world: World, owner: Class) -> Value:
    """Return what calling the class takes, as :func:`inspect.signature` has it."""
    order = linearised(world, owner)
    meta = _metaclass(world, order)
    if isinstance(meta, Unknown):
        return meta
    if isinstance(meta, Class):
        called = _lookup(world, meta, "__call__")
        given = _lookup(world, meta, "__signature__")
        if not isinstance(given, MissingName):
            unknown = Unknown(f"the metaclass of {owner.node.name!r} gives it a signature", is_there=True)
            return _as_class(_given_signature(world, owner, given) or unknown, owner)
        if isinstance(called, Function):
            return _as_class(_bound(called, owner), owner)
        if isinstance(called, Unknown) or world.sets(meta.module.path, "__signature__") or sets_constructors(meta):
            return Unknown(f"the metaclass of {owner.node.name!r} may decide what calling it takes", is_there=True)
    if any(isinstance(base, Class) and may_bring(world, base, "__signature__") for base in order):
        return Unknown(f"{owner.node.name!r} or a base of it may set a __signature__", is_there=True)
    if any(isinstance(base, Class) and shapes_subclasses(world, base) for base in order[1:]):
        return Unknown(f"__init_subclass__ of a base of {owner.node.name!r} may change its constructor", is_there=True)
    for base in order:
        found = _own_constructor(world, base, order)
        if found is not None:
            return _as_class(found, owner)
    return _builtin_constructor(owner, order)


def _given_signature(world: World, owner: Class, given: Value) -> Function | None:
    """Return the function whose signature a property of the metaclass gives the class, None where that is not told."""
    if not isinstance(given, Property) or given.getter is None or not world.enter():
        return None
    try:
        outcome = interpret.run(world, given.getter, Arguments((owner,)))
    finally:
        world.leave()
    match outcome.returned:
        case (SignatureOf(of=Function() as shown),) if not outcome.may_raise:
            return shown._replace(is_exact=False)
        case _:
            return None


def _as_class(found: Value, owner: Class) -> Value:
    if isinstance(found, Function):
        name, line, path = owner.node.name, owner.node.lineno, owner.module.path
        return found._replace(name=name, line=line, path=path, node=None, frame=None)
    return found


def _own_constructor(world: World, base: Base, order: list[Base]) -> Value | None:
    """Return the constructor that `base` itself brings, None where it brings none."""
    match base:
        case Unknown():
            return base
        case Builtin():
            return None
        case NamedTupleClass(name=name, signature=signature, path=path, line=line):
            return Function(name, signature, path, line)
        case Class():  # pragma: no branch - mypy holds the match to be exhaustive
            return _class_constructor(world, base, order)


def _class_constructor(world: World, base: Class, order: list[Base]) -> Value | None:
    members = world.members(base)
    if "__new__" not in members.by_name:
        made = attrs_signature(world, base, order[order.index(base) + 1 :])
        if made is not None:
            path, line = base.module.path, base.node.lineno
            return Function(base.node.name, made, path, line) if isinstance(made, Signature) else made
    for name in CONSTRUCTORS:
        if name in members.by_name or base.brought(name) is not None or base.may_get(name):
            found = world.member(base, name)
            if isinstance(found, Function):
                return _bound(found, base)
            return Unknown(f"{name} of {base.node.name!r} is no plain function", is_there=True)
        if name == "__new__" and _names_base(world, base, "typing.NamedTuple"):
            return Function(base.node.name, named_tuple_fields(base.node), base.module.path, base.node.lineno)
    if base.is_dataclass is not None and makes_init(base.is_dataclass) is not False:
        above = order[order.index(base) :]
        classes = [each for each in above if isinstance(each, Class) and each.is_dataclass is not None]
        unknown = next((each for each in above if isinstance(each, Unknown)), None)
        signature = unknown or dataclass_signature(world, classes[::-1])
        if isinstance(signature, Unknown) or makes_init(base.is_dataclass) is None:
            return Unknown(f"the fields of {base.node.name!r} cannot be told", is_there=True)
        return Function(base.node.name, signature, base.module.path, base.node.lineno)
    if _names_base(world, base, "typing.Protocol"):
        # typing gives protocols an __init__ that takes everything.
        parameters = (Parameter("args", ParameterKind.VAR_POSITIONAL), Parameter("kwargs", ParameterKind.VAR_KEYWORD))
        return Function(base.node.name, Signature(parameters), base.module.path, base.node.lineno)
    return None


def _names_base(world: World, owner: Class, dotted: str) -> bool:
    return any(dotted_name(world.evaluate(unsubscripted(node), owner.frame)) == dotted for node in owner.node.bases)


def _builtin_constructor(owner: Class, order: list[Base]) -> Value:
    """Return the constructor that a class inherits from what is built into Python."""
    path, line = owner.module.path, owner.node.lineno
    bases = [getattr(builtins, base.name) for base in order if isinstance(base, Builtin) and base.name != "object"]
    for base in bases:
        if getattr(base, "__text_signature__", None):
            return Function(owner.node.name, _signature_of(base), path, line)
    if all(base.__init__ is object.__init__ and base.__new__ is object.__new__ for base in bases):
        return Function(owner.node.name, Signature(()), path, line)
    return Unknown(f"{owner.node.name!r} is called as a class that is built into Python", is_there=True)


def _signature_of(base: type) -> Signature:
    import inspect  # noqa: PLC0415 - few classes derive from one that is built in and has a signature

    found = inspect.signature(base).parameters.values()
    return Signature(
        tuple(Parameter(each.name, ParameterKind(each.kind.name), each.default is not each.empty) for each in found)
    )


def _bound(found: Function, receiver: Value) -> Value:
    signature = bound(found.signature)
    if signature is None:
        return Unknown(f"{found.name!r} has no place for its first argument", is_there=True)
    given = found.given or Arguments()
    given = given._replace(positional=(receiver, *given.positional))
    return found._replace(signature=signature, binding="plain", given=given)


def _lookup(world: World, owner: Class, name: str) -> Value:
    """Return what `name` is in the class or its bases: Unknown where a base has no source to read."""
    order = linearised(world, owner)
    filled = next((base for base in order if isinstance(base, Class) and base.may_get(name)), None)
    if filled is not None and name not in world.members(filled).by_name:
        is_there = any(isinstance(base, Class) and name in world.members(base).by_name for base in order)
        return Unknown(f"a decorator may give {filled.node.name!r} another {name!r}", is_there=is_there)
    for base in order:
        match base:
            case Unknown():
                return base
            case Builtin(name=builtin) if builtin != "object" and name in dir(getattr(builtins, builtin)):
                return External(f"builtins.{builtin}.{name}", f"{builtin!r} is built into Python", is_there=True)
            case NamedTupleClass() if hasattr(tuple, name) or name.startswith("_"):
                return Unknown(f"{name!r} is made by namedtuple()", is_there=False)
            case NamedTupleClass(signature=signature, path=path, line=line) if name in {
                each.name for each in signature.parameters
            }:
                return Property(name, path, line)
            case Class() if name in world.members(base).by_name or base.brought(name) is not None:
                return world.member(base, name)
            case _:
                continue
    if owner.node.keywords and name not in {"__init__", "__new__", "__call__"}:
        return Unknown(f"the class {owner.node.name!r} has a metaclass or class keywords")
    members = world.members(owner).by_name.items()
    siblings = tuple((key, found[-1].line) for key, found in members if not key.startswith("__"))
    return MissingName(name, owner.node.name, owner.module.path, siblings)


def _metaclass(world: World, order: list[Base]) -> Class | Unknown | None:
    """Return the metaclass, None for :class:`type` and :class:`abc.ABCMeta`, which add nothing to a call."""
    for base in order:
        if isinstance(base, Unknown):
            return base
        keywords = base.node.keywords if isinstance(base, Class) else []
        for keyword in keywords:
            if keyword.arg is None:
                return Unknown(f"the class {base} unpacks keywords", is_there=True)
            if keyword.arg == "metaclass" and isinstance(base, Class):
                found = world.evaluate(keyword.value, base.frame)
                if dotted_name(found) in {"abc.ABCMeta", "_py_abc.ABCMeta", "builtins.type"}:
                    continue
                if isinstance(found, Class):
                    return found
                return Unknown(f"the metaclass of {base.node.name!r} has no source", is_there=True)
    return None
