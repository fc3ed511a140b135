"""What decorators, calls and classes make of functions: their signature, or why only running tells."""

import ast
from collections.abc import Callable, Sequence

from bundlekit.check.module_index import MissingModule, ModuleFile
from bundlekit.check.namespace import Assigned, Binding, Defined, names
from bundlekit.check.signatures import bound, function_signature, partially_applied
from bundlekit.check.values import Class, Constant, External, Function, Instance, MissingName, Unparsable, Value
from bundlekit.model.signature import CallableKind, Parameter, ParameterKind, Signature, Unknown

__all__ = [
    "Evaluate",
    "call_result",
    "called",
    "class_attribute",
    "decorated_class",
    "decorated_function",
]

Evaluate = Callable[[ast.expr, ModuleFile, int | None], Value]
"""Gives the value of an expression at the top level of a module before its binding of that number."""

_SAME_SIGNATURE = frozenset(
    {
        "functools.cache",
        "functools.lru_cache",
        "functools.singledispatch",
        "typing.final",
        "typing.override",
        "typing.no_type_check",
        "typing_extensions.final",
        "typing_extensions.override",
        "abc.abstractmethod",
    }
)
_SAME_CLASS = frozenset({"functools.total_ordering", "typing.final", "typing.runtime_checkable"})
_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
_CALIBRATION = "calibration_target"
_MOST_BASES = 200
"""A class may be its own base by way of names that are bound twice."""
_PLAIN_BASES = frozenset({"builtins.object", "typing.Generic", "abc.ABC"})


def decorated_function(
    evaluate: Evaluate, module: ModuleFile, node: ast.FunctionDef | ast.AsyncFunctionDef, order: int | None
) -> Value:
    """Return the function as its decorators leave it."""
    value: Value = Function(node.name, function_signature(node), module.path, node.lineno, node=node)
    for decorator in reversed(node.decorator_list):
        value = _decorated(evaluate, decorator, value, module, order)
    return value


def decorated_class(evaluate: Evaluate, module: ModuleFile, node: ast.ClassDef, order: int | None) -> Value:
    """Return the class, unless a decorator may have replaced it."""
    for decorator in node.decorator_list:
        found = evaluate(decorator, module, order)
        if not (isinstance(found, External) and found.dotted in _SAME_CLASS):
            return Unknown(f"the class {node.name!r} is decorated with {ast.unparse(decorator):.60}")
    return Class(module, node)


def call_result(evaluate: Evaluate, node: ast.Call, module: ModuleFile, before: int | None) -> Value:
    """Return what a call at the top level of a module gives, as far as it can be told."""
    function = evaluate(node.func, module, before)
    match function:
        case External(dotted="functools.partial"):
            return _partial(evaluate, node, module, before)
        case External() if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred):
            inner = evaluate(node.args[0], module, before)
            return _decorated(evaluate, node.func, inner, module, before)
        case Class():
            method = _method(evaluate, function, "__new__")
            return Instance(function) if isinstance(method, MissingName) else Unknown("a __new__ makes the instance")
        case _ if isinstance(node.func, ast.Call) and len(node.args) == 1:
            inner = evaluate(node.args[0], module, before)
            return _decorated(evaluate, node.func, inner, module, before)
        case _:
            return Unknown(f"it is what {ast.unparse(node.func):.60}() returns (line {node.lineno} of {module.path})")


def called(evaluate: Evaluate, value: Value) -> Value:
    """Return `value` as a function with the signature of calling it; what cannot be called is a constant."""
    match value:
        case Class():
            return _constructor(evaluate, value)
        case Instance(of=owner):
            method = _method(evaluate, owner, "__call__")
            if isinstance(method, MissingName):
                what = f"an instance of {owner.node.name}, which has no __call__"
                return Constant(what, owner.module.path, owner.node.lineno)
            return method
        case External(dotted=dotted, why=why):
            return Unknown(f"{dotted} was not looked at: {why}")
        case _:
            return value


def class_attribute(evaluate: Evaluate, value: Class | Instance, name: str) -> Value:
    """Return an attribute of a class or of an instance, methods bound as access binds them."""
    owner = value if isinstance(value, Class) else value.of
    found = _lookup(evaluate, owner, name)
    if not isinstance(found, Function):
        if isinstance(found, MissingName) and isinstance(value, Instance):
            return Unknown(f"instances of {owner.node.name!r} may set {name!r} themselves")
        return found
    if found.binding == "static" or (found.binding == "plain" and isinstance(value, Class)):
        return found
    signature = bound(found.signature)
    return found._replace(signature=signature, binding="plain") if signature else Unknown("it has no place for self")


def _decorated(evaluate: Evaluate, decorator: ast.expr, value: Value, module: ModuleFile, order: int | None) -> Value:
    factory = decorator.func if isinstance(decorator, ast.Call) else None
    found = evaluate(factory or decorator, module, order)
    dotted = found.dotted if isinstance(found, External) else ""
    if dotted.rpartition(".")[2] == _CALIBRATION and factory is not None:
        line, name = decorator.lineno, _CALIBRATION
        if isinstance(value, Function):
            line, name = value.line, value.name
        return Function(name, Signature(()), module.path, line, calibrated=True)
    if isinstance(value, MissingModule | MissingName | Unparsable | Unknown):
        return value
    if isinstance(found, MissingModule | MissingName | Unparsable):
        return found
    if not isinstance(value, Function):
        return Unknown(f"it goes through {ast.unparse(decorator):.60} (line {decorator.lineno} of {module.path})")
    if dotted in _SAME_SIGNATURE and (factory is None or dotted == "functools.lru_cache"):
        return value
    if dotted in _MANAGERS and factory is None:
        return value._replace(signature=value.signature._replace(kind=CallableKind.PLAIN), node=None)
    if dotted in {"builtins.staticmethod", "builtins.classmethod"} and factory is None:
        return value._replace(binding="static" if dotted.endswith("staticmethod") else "class")
    if dotted == "functools.wraps" and isinstance(decorator, ast.Call) and len(decorator.args) == 1:
        wrapped = called(evaluate, evaluate(decorator.args[0], module, order))
        # A wrapper with parameters of its own takes those, whatever signature it shows.
        own = value.signature.parameters
        if isinstance(wrapped, Function) and (own == wrapped.signature.parameters or _passes_on(own)):
            return value._replace(signature=wrapped.signature._replace(kind=value.signature.kind))
    return Unknown(f"{value.name!r} is decorated with {ast.unparse(decorator):.60} (line {value.line} of {value.path})")


def _passes_on(parameters: Sequence[Parameter]) -> bool:
    variadic = {ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD}
    return any(each.kind is ParameterKind.VAR_POSITIONAL for each in parameters) and all(
        each.kind in variadic or each.has_default for each in parameters
    )


def _partial(evaluate: Evaluate, node: ast.Call, module: ModuleFile, before: int | None) -> Value:
    starred = any(isinstance(item, ast.Starred) for item in node.args) or any(not item.arg for item in node.keywords)
    inner = called(evaluate, evaluate(node.args[0], module, before)) if node.args and not starred else None
    if not isinstance(inner, Function):
        return inner or Unknown(f"functools.partial gets unpacked arguments (line {node.lineno} of {module.path})")
    keywords = [item.arg for item in node.keywords if item.arg]
    signature = partially_applied(inner.signature, len(node.args) - 1, keywords)
    if signature is None:
        return Unknown(f"functools.partial gets arguments that {inner.name!r} does not take")
    return inner._replace(signature=signature, line=node.lineno, path=module.path)


def _constructor(evaluate: Evaluate, value: Class) -> Value:
    new, init = _method(evaluate, value, "__new__"), _method(evaluate, value, "__init__")
    found = [item for item in (new, init) if not isinstance(item, MissingName)]
    if len(found) > 1 and all(isinstance(item, Function) for item in found):
        return Unknown(f"the class {value.node.name!r} has both __new__ and __init__")
    method = found[0] if found else Function("__init__", Signature(()), value.module.path, value.node.lineno)
    if isinstance(method, Function):
        return method._replace(name=value.node.name, line=value.node.lineno, path=value.module.path, node=None)
    return method


def _method(evaluate: Evaluate, owner: Class, name: str) -> Value:
    """Return a special method without `self`, a missing name where no class in the bundle defines it."""
    found = _lookup(evaluate, owner, name)
    if not isinstance(found, Function) or found.binding == "static":
        return found if not isinstance(found, Constant) else Unknown(f"{name} of {owner.node.name!r} is no function")
    signature = bound(found.signature)
    return found._replace(signature=signature) if signature else Unknown(f"{name} has no place for self")


def _lookup(evaluate: Evaluate, owner: Class, name: str, depth: int = 0) -> Value:
    """Return what `name` is in the class or its bases: Unknown where a base is not all in the bundle."""
    missing = MissingName(name, owner.node.name, owner.module.path, _members(owner))
    bindings = names(owner.node.body).by_name.get(name, [])
    if bindings:
        return _in_class(evaluate, owner, bindings)
    if owner.node.keywords:
        return Unknown(f"the class {owner.node.name!r} has a metaclass or class keywords")
    answers: list[Value] = []
    for node in owner.node.bases:
        base = evaluate(node.value if isinstance(node, ast.Subscript) else node, owner.module, None)
        if isinstance(base, External) and base.dotted in _PLAIN_BASES:
            continue
        if not isinstance(base, Class) or depth > _MOST_BASES:
            return Unknown(f"{owner.node.name!r} has a base class that was not looked at: {ast.unparse(node):.60}")
        answers.append(_lookup(evaluate, base, name, depth + 1))
    return next((answer for answer in answers if not isinstance(answer, MissingName)), missing)


def _in_class(evaluate: Evaluate, owner: Class, bindings: list[Binding]) -> Value:
    last = bindings[-1]
    match last.bound:
        case Defined(node=ast.FunctionDef() | ast.AsyncFunctionDef() as node) if last.certain:
            return decorated_function(evaluate, owner.module, node, None)
        case Defined(node=ast.ClassDef() as node) if last.certain:
            return decorated_class(evaluate, owner.module, node, None)
        # A metaclass, as that of an enumeration, makes something else of what is assigned.
        case Assigned(value=ast.Constant() as node) if (
            last.certain and not owner.node.bases and not owner.node.keywords
        ):
            return Constant(f"a literal {type(node.value).__name__}", owner.module.path, node.lineno)
        case _:
            return Unknown(f"{last.name!r} of the class {owner.node.name!r} is computed or conditional")


def _members(owner: Class) -> tuple[tuple[str, int], ...]:
    found = names(owner.node.body).by_name
    return tuple((name, bindings[-1].line) for name, bindings in found.items() if not name.startswith("__"))
