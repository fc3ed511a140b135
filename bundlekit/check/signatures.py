"""Signatures from syntax: what :func:`inspect.signature` would say of the running function."""

import ast
from collections.abc import Sequence

from bundlekit.model.signature import CallableKind, Parameter, ParameterKind, Signature

__all__ = ["FunctionNode", "bound", "function_signature", "partially_applied"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_POSITIONAL = {ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL_OR_KEYWORD}


def function_signature(node: FunctionNode) -> Signature:
    """Return the signature of a function as written, before any decorator."""
    return Signature(_parameters(node.args), _kind(node))


def bound(signature: Signature) -> Signature | None:
    """Return the signature of the method without its first parameter, None if it has no place for `self`."""
    for index, parameter in enumerate(signature.parameters):
        if parameter.kind in _POSITIONAL:
            rest = (*signature.parameters[:index], *signature.parameters[index + 1 :])
            return signature._replace(parameters=rest)
        if parameter.kind is ParameterKind.VAR_POSITIONAL:
            return signature
    return None


def partially_applied(signature: Signature, count: int, names: Sequence[str]) -> Signature | None:
    """Return what is left after ``functools.partial`` with `count` positionals and keywords `names`, None if too many.

    As :func:`inspect.signature` shows it: a parameter given by keyword keeps its place as a keyword with a default, and
    what follows it becomes keyword-only.
    """
    left: list[Parameter] = []
    keyword_only = False
    known = {parameter.name for parameter in signature.parameters}
    takes_any = any(parameter.kind is ParameterKind.VAR_KEYWORD for parameter in signature.parameters)
    if not takes_any and not known.issuperset(names):
        return None
    for parameter in signature.parameters:
        if count and parameter.kind in _POSITIONAL:
            count -= 1
            continue
        if parameter.kind is ParameterKind.VAR_POSITIONAL:
            count = 0
            if not keyword_only:
                left.append(parameter)
            continue
        given = parameter.name in names and parameter.kind is not ParameterKind.VAR_KEYWORD
        keyword_only = keyword_only or (given and parameter.kind is ParameterKind.POSITIONAL_OR_KEYWORD)
        kind = parameter.kind
        if keyword_only and kind is ParameterKind.POSITIONAL_OR_KEYWORD:
            kind = ParameterKind.KEYWORD_ONLY
        left.append(Parameter(parameter.name, kind, parameter.has_default or given))
    return None if count else signature._replace(parameters=tuple(left))


def _parameters(arguments: ast.arguments) -> tuple[Parameter, ...]:
    positional = [
        *((item, ParameterKind.POSITIONAL_ONLY) for item in arguments.posonlyargs),
        *((item, ParameterKind.POSITIONAL_OR_KEYWORD) for item in arguments.args),
    ]
    first_default = len(positional) - len(arguments.defaults)
    found = [Parameter(item.arg, kind, index >= first_default) for index, (item, kind) in enumerate(positional)]
    if arguments.vararg:
        found.append(Parameter(arguments.vararg.arg, ParameterKind.VAR_POSITIONAL))
    for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append(Parameter(item.arg, ParameterKind.KEYWORD_ONLY, default is not None))
    if arguments.kwarg:
        found.append(Parameter(arguments.kwarg.arg, ParameterKind.VAR_KEYWORD))
    return tuple(found)


def _kind(node: FunctionNode) -> CallableKind:
    if _yields(node):
        return CallableKind.GENERATOR
    return CallableKind.COROUTINE if isinstance(node, ast.AsyncFunctionDef) else CallableKind.PLAIN


def _yields(node: FunctionNode) -> bool:
    """Whether the function's own body, not one nested in it, has a ``yield``."""
    pending: list[ast.AST] = list(node.body) if isinstance(node.body, list) else [node.body]
    while pending:
        item = pending.pop()
        if isinstance(item, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(item))
    return False
