"""What calling something gives, as far as source tells: known functions of Python's own, else the body that runs."""

import ast
from collections.abc import Sequence

from bundlekit.check import classes, interpret, texts
from bundlekit.check.agreement import agreed
from bundlekit.check.call_scope import bind_arguments
from bundlekit.check.known import SAME, dotted_name, is_known
from bundlekit.check.records import named_tuple
from bundlekit.check.signatures import partially_applied
from bundlekit.check.values import (
    Arguments,
    Builtin,
    Class,
    Constant,
    External,
    Frame,
    Function,
    Instance,
    MissingName,
    NamedTupleClass,
    Packed,
    Property,
    SignatureOf,
    Value,
    Wrapping,
    is_broken,
)
from bundlekit.check.world import World
from bundlekit.model.signature import Parameter, ParameterKind, Signature, Unknown

__all__ = ["call", "callable_form", "wrapped"]

_CALIBRATION = "calibration_target"
_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
_METHODS = {"builtins.staticmethod": "static", "builtins.classmethod": "class"}
_PROPERTIES = frozenset({"builtins.property", "functools.cached_property", "abc.abstractproperty"})


def call(world: World, function: Value, arguments: Arguments, node: ast.expr, frame: Frame) -> Value:
    """Return what calling `function` gives."""
    if is_broken(function):
        return function
    first = arguments.positional[0] if arguments.positional else None
    if first is not None and is_broken(first) and len(arguments.positional) == 1:
        return first
    known = _known(world, function, arguments, node, frame)
    if known is not None:
        return known
    unknown = Unknown(f"it is what {_shown(node)}() returns (line {node.lineno} of {frame.module.path})", is_there=True)
    match function:
        case Wrapping(of=of):
            return unknown if first is None else wrapped(first, of)
        case Function(node=ast.AST(), frame=Frame()) if world.enter():
            try:
                outcome = interpret.run(world, function, arguments)
            finally:
                world.leave()
            if outcome.may_raise:
                world.raised()
            return _certain(outcome, unknown)
        case Class():
            return _instance(world, function, arguments)
        case Instance():
            called = classes.method(world, function.of, "__call__")
            return call(world, called, arguments, node, frame) if isinstance(called, Function) else unknown
        case _:
            world.raised()
            return unknown


def _shown(node: ast.expr) -> str:
    return f"{ast.unparse(node.func if isinstance(node, ast.Call) else node):.60}"


def _certain(outcome: interpret.Outcome, unknown: Unknown) -> Value:
    """Return the one thing that a call returns; where it raises, whoever calls it is not there either."""
    if not outcome.returned:
        return unknown
    found = agreed(list(outcome.returned))
    return unknown if isinstance(found, Unknown) or is_broken(found) else found


def _known(world: World, function: Value, arguments: Arguments, node: ast.expr, frame: Frame) -> Value | None:
    """Return what a function gives whose effect is known by name, None for any other."""
    dotted = dotted_name(function)
    first = arguments.positional[0] if arguments.positional else None
    alone = first if len(arguments.positional) == 1 and not arguments.keywords and not arguments.is_open else None
    if dotted.rpartition(".")[2] == f"{_CALIBRATION}()":
        line, name = (first.line, first.name) if isinstance(first, Function) else (node.lineno, _CALIBRATION)
        return Function(name, Signature(()), frame.module.path, line, calibrated=True)
    if dotted.rpartition(".")[2] == _CALIBRATION and not arguments.positional:
        return External(f"{dotted}()", "it is Calabaria's", is_there=True)
    if dotted in SAME:
        return _same(function, alone)
    if dotted in _METHODS and alone is not None:
        return alone._replace(binding=_METHODS[dotted]) if isinstance(alone, Function) else _through(node, frame)
    if dotted in _PROPERTIES and first is not None:
        getter = first if isinstance(first, Function) else None
        return Property(getattr(first, "name", "property"), frame.module.path, node.lineno, getter)
    if dotted in _MANAGERS and alone is not None:
        if not isinstance(alone, Function):
            return _through(node, frame)
        return alone._replace(signature=Signature(alone.signature.parameters), node=None)
    return _known_function(world, dotted, arguments, node, frame)


def _known_function(world: World, dotted: str, arguments: Arguments, node: ast.expr, frame: Frame) -> Value | None:
    match dotted, arguments.positional:
        case "functools.wraps", (of,):
            return Wrapping(of)
        case "functools.update_wrapper", (wrapper, of, *_):
            return wrapped(wrapper, callable_form(world, of))
        case "functools.partial", (inner, *_):
            return _partial(world, inner, arguments, node, frame)
        case "functools.partialmethod", _:
            return Unknown("functools.partialmethod makes it", is_there=True)
        case "functools.partial", ():
            reason = f"functools.partial gets unpacked arguments (line {node.lineno} of {frame.module.path})"
            return Unknown(reason, is_there=True)
        case (("collections.namedtuple" | "typing.NamedTuple"), _) if isinstance(node, ast.Call) and node.args:
            return named_tuple(node, arguments, frame.module.path)
        case "inspect.signature", (of,):
            return SignatureOf(of)
        case "typing.cast", (_, value):
            return value
        case "builtins.len", (Packed(positional=items, keywords=named),):
            count = ast.Constant(len(items) + len(named))
            return Constant("a literal int", frame.module.path, node.lineno, count)
        case "typing.TypeVar" | "typing.NewType", _:
            return Unknown("it is a type", is_there=True)
        case _:
            return _asked(world, dotted, arguments)


def _asked(world: World, dotted: str, arguments: Arguments) -> Value | None:
    """Return what ``getattr`` and ``import_module`` give for a name that is told, None for anything else."""
    match dotted, arguments.positional:
        case "importlib.import_module", (name,) if not arguments.keywords and not arguments.is_open:
            module = texts.exact(name)
            return None if module is None or module.startswith(".") else world.imported_module(module)
        case "builtins.getattr", (owner, name, *default) if not arguments.is_open:
            attribute = texts.exact(name)
            return None if attribute is None else _attribute(world, owner, attribute, default)
        case _:
            return None


def _attribute(world: World, owner: Value, name: str, default: Sequence[Value]) -> Value:
    """Return what ``getattr(owner, name)`` gives, or its default."""
    found = world.attribute(owner, name)
    if isinstance(found, MissingName) and default:
        return default[0]
    return found if not default or not isinstance(found, Unknown) or found.is_there else Unknown(found.reason)


def _same(function: Value, alone: Value | None) -> Value:
    """Return what a decorator leaves as it is; called with settings, it returns itself once more."""
    return alone if isinstance(alone, Function | Class | Unknown | External) else function


def _through(node: ast.expr, frame: Frame) -> Unknown:
    return Unknown(f"it goes through {_shown(node)} (line {node.lineno} of {frame.module.path})", is_there=True)


def wrapped(wrapper: Value, of: Value) -> Value:
    """Return `wrapper` after :func:`functools.update_wrapper` made it look like `of`."""
    if isinstance(wrapper, Instance):
        return wrapper._replace(wrapped=of)
    if not isinstance(of, Function):
        return (
            of if isinstance(of, Unknown) else Unknown("it looks like something that was not looked at", is_there=True)
        )
    if not isinstance(wrapper, Function):
        return of._replace(is_exact=False, node=None, frame=None, given=None)
    own = wrapper.signature.parameters
    # A wrapper with parameters of its own takes those, whatever signature it shows.
    is_exact = of.is_exact and wrapper.is_exact and (own == of.signature.parameters or _passes_on(own))
    kind = wrapper.signature.kind
    return wrapper._replace(
        name=of.name, signature=of.signature._replace(kind=kind), path=of.path, line=of.line, is_exact=is_exact
    )


def _passes_on(parameters: tuple[Parameter, ...]) -> bool:
    variadic = {ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD}
    return any(each.kind is ParameterKind.VAR_POSITIONAL for each in parameters) and all(
        each.kind in variadic or each.has_default for each in parameters
    )


def _partial(world: World, inner: Value, arguments: Arguments, node: ast.expr, frame: Frame) -> Value:
    if arguments.is_open:
        reason = f"functools.partial gets unpacked arguments (line {node.lineno} of {frame.module.path})"
        return Unknown(reason, is_there=True)
    found = callable_form(world, inner)
    if not isinstance(found, Function):
        return Unknown(found.reason, is_there=True) if isinstance(found, Unknown) else found
    keywords = [name for name, _ in arguments.keywords]
    signature = partially_applied(found.signature, len(arguments.positional) - 1, keywords)
    if signature is None:
        return Unknown(f"functools.partial gets arguments that {found.name!r} does not take", is_there=True)
    given = found.given or Arguments()
    given = Arguments((*given.positional, *arguments.positional[1:]), (*given.keywords, *arguments.keywords))
    return found._replace(signature=signature, line=node.lineno, path=frame.module.path, given=given)


def _instance(world: World, function: Class, arguments: Arguments) -> Value:
    """Return the instance that a class makes, unless its ``__new__`` or its metaclass may make something else."""
    if not isinstance(classes.method(world, function, "__new__"), MissingName):
        return Unknown(f"__new__ of {function.node.name!r} or of a base of it makes the instance", is_there=True)
    instance = Instance(function)
    initialise = classes.method(world, function, "__init__")
    if not isinstance(initialise, Function) or initialise.node is None:
        return instance
    node = initialise.node
    if not any(
        isinstance(each, ast.Name | ast.Attribute) and "update_wrapper" in ast.dump(each) for each in ast.walk(node)
    ):
        return instance
    bound = bind_arguments(world, initialise, arguments)
    for inner in ast.walk(node):
        match inner:
            case ast.Call(func=ast.Name(id="update_wrapper") | ast.Attribute(attr="update_wrapper")):
                of = inner.args[1] if len(inner.args) > 1 else None
                found = bound.get(of.id) if isinstance(of, ast.Name) else None
                return instance._replace(wrapped=found or Unknown("it is made to look like something", is_there=True))
            case _:
                continue
    return instance


def callable_form(world: World, value: Value) -> Value:
    """Return `value` as a function with the signature of calling it; what cannot be called is a constant."""
    match value:
        case Class():
            return classes.constructor(world, value)
        case NamedTupleClass(name=name, signature=signature, path=path, line=line):
            return Function(name, signature, path, line)
        case Instance(wrapped=None):
            return classes.instance_call(world, value)
        case Instance(wrapped=of):
            return callable_form(world, of) if of is not None else value
        case Packed():
            return Constant("what a call was given", "", 1)
        case Property(path=path, line=line):
            return Constant("a property, which only instances have a value for", path, line)
        case External(dotted=dotted) if is_known(dotted):
            found = world.source_of(dotted)
            return (
                callable_form(world, found)
                if isinstance(found, Function | Class)
                else Unknown(f"{dotted} is compiled", is_there=True)
            )
        case External(dotted=dotted, why=why, is_there=is_there):
            return Unknown(f"{dotted} was not looked at: {why}", is_there=is_there)
        case Builtin(name=name):
            return Unknown(f"{name!r} is built into Python", is_there=True)
        case Wrapping():
            return Unknown("it is a decorator of functools", is_there=True)
        case SignatureOf():
            return Constant("a signature", "", 1)
        case _:
            return value
