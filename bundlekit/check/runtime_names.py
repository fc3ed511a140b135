"""Tells whether a module's own code may bind a name in ways that its top-level statements do not show."""

import ast
import re
from collections.abc import Mapping

from bundlekit.model.project import SourceFile

__all__ = ["assigned_elsewhere", "nested_definition", "why_it_may_appear"]

_NAMESPACES = frozenset({"globals", "locals", "vars"})


def why_it_may_appear(name: str, path: str, tree: ast.Module) -> str | None:
    """Return why `name` may be there once the module at `path` has run, although no statement binds it."""
    for node in ast.walk(tree):
        match node:
            case ast.Global(names=bound) if name in bound:
                return f"a function in {path} binds {name!r} as a global (line {node.lineno})"
            case ast.NamedExpr(target=ast.Name(id=bound_name)) if bound_name == name:
                return f"an expression in {path} binds {name!r} (line {node.lineno})"
            case ast.Call(func=ast.Name(id=function), args=[]) if function in _NAMESPACES:
                return f"{path} may change its names through {function}() (line {node.lineno})"
            case ast.Call(func=ast.Name(id="exec")):
                return f"{path} runs generated code (line {node.lineno})"
            case ast.Call(func=ast.Name(id="setattr"), args=[owner, *_]) if not _is_self(owner):
                return f"{path} sets attributes by name (line {node.lineno})"
            case ast.Attribute(value=ast.Name(id="sys"), attr="modules"):
                return f"{path} uses sys.modules (line {node.lineno})"
            case _:
                continue
    return None


def assigned_elsewhere(name: str, sources: Mapping[str, SourceFile], *, by_itself: bool = False) -> str | None:
    """Return which source assigns an attribute of that name to some object, None if none does.

    What an instance or class assigns to `self` or `cls` is no attribute of a module; `by_itself` counts it as well.
    """
    wanted = name.encode()
    owner = b"" if by_itself else rb"(?<!\bself)(?<!\bcls)"
    assigned = owner + rb"\.\s*" + re.escape(wanted) + rb"\s*=(?!=)"
    pattern = re.compile(assigned + rb"|\bsetattr\s*\([^,()]*,\s*[\"']" + re.escape(wanted))
    for source in sources.values():
        # Looking for the bytes first is a hundred times faster, and most sources do not have them.
        if wanted in source.data and pattern.search(source.data):
            return f"{source.path} assigns an attribute {name!r}, perhaps to that module or class"
    return None


def nested_definition(tree: ast.Module, name: str) -> int | None:
    """Return the 1-based line of a function or class `name` below the top level, None if there is none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            return node.lineno
    return None


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"self", "cls"}
