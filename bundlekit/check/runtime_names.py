"""Tells whether a module's own code may bind a name in ways that its top-level statements do not show."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bundlekit.model.project import SourceFile

__all__ = ["Appearances", "AssignedAttributes", "appearances", "assigned_attributes", "nested_definition"]

_NAMESPACES = frozenset({"globals", "locals", "vars"})
_READS = frozenset({"get", "items", "keys", "values", "copy"})
_READERS = frozenset({"eval", "len", "sorted", "dict", "set", "list", "print", "dir"})


class Appearances(NamedTuple):
    """What may be bound while a module runs: `names`, each with the reason, and `any_name` if any name may be."""

    names: Mapping[str, str]
    any_name: str | None

    def reason(self, name: str) -> str | None:
        """Return why `name` may be there although no statement binds it, None if nothing can do so."""
        return self.names.get(name) or self.any_name


def appearances(path: str, tree: ast.Module) -> Appearances:
    """Return what the module at `path` may bind behind its top-level statements."""
    names: dict[str, str] = {}
    any_name: str | None = None
    modules = frozenset(_imported_names(tree))
    told = dict(_told(tree))
    for node, parent, in_function in _walked(tree):
        match node:
            case ast.Subscript() if node in told:
                names |= {name: f"a loop in {path} binds {name!r} (line {node.lineno})" for name in told[node]}
            case ast.Call() if parent in told:
                continue
            case ast.Global(names=bound):
                reason = f"a function in {path} binds {{}} as a global (line {node.lineno})"
                names |= {name: reason.format(repr(name)) for name in bound}
            case ast.NamedExpr(target=ast.Name(id=name)):
                names[name] = f"an expression in {path} binds {name!r} (line {node.lineno})"
            case ast.Call() | ast.Subscript() if any_name is None:
                any_name = _any_name(node, parent, path, modules, in_function=in_function)
            case _:
                continue
    return Appearances(names, any_name)


def _walked(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.AST, bool]]:
    """Yield each node with its parent, and whether it stands in a function."""
    pending: list[tuple[ast.AST, ast.AST, bool]] = [(tree, tree, False)]
    while pending:
        node, parent, in_function = pending.pop()
        yield node, parent, in_function
        inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        pending.extend((child, node, inside) for child in ast.iter_child_nodes(node))


def _told(tree: ast.Module) -> Iterator[tuple[ast.AST, list[str]]]:
    """Yield each ``globals()[name] = ...`` in a loop over literal names, with those names."""
    for loop in tree.body:
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name):
            names = _literal_names(loop.iter, tree)
            for node in ast.walk(loop) if names is not None else ():
                match node:
                    case ast.Subscript(value=ast.Call(func=ast.Name(id="globals"), args=[]), slice=ast.Name(id=key)):
                        if key == loop.target.id:
                            yield node, names or []
                    case _:
                        continue


def _literal_names(node: ast.expr, tree: ast.Module) -> list[str] | None:
    """Return the texts of a literal list, or of the one that a constant of the module is; None of anything else."""
    if isinstance(node, ast.Name):
        uses = [each for each in ast.walk(tree) if _may_change(each, node.id)]
        values = [each.value for each in tree.body if isinstance(each, ast.Assign) and each in uses]
        return _literal_names(values[0], tree) if len(values) == len(uses) == 1 else None
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    texts = [each.value for each in node.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return texts if len(texts) == len(node.elts) else None


def _may_change(node: ast.AST, name: str) -> bool:
    """Whether a statement binds `name`, or an expression reaches into what it is."""
    match node:
        case ast.Assign(targets=targets):
            return any(isinstance(each, ast.Name) and each.id == name for each in targets)
        case ast.Attribute(value=ast.Name(id=owner)):
            return owner == name
        case ast.Subscript(value=ast.Name(id=owner), ctx=ast.Store() | ast.Del()):
            return owner == name
        case ast.AugAssign(target=ast.Name(id=target)) | ast.NamedExpr(target=ast.Name(id=target)):
            return target == name
        case ast.Global(names=names):
            return name in names
        case _:
            return False


def _imported_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)


def _any_name(
    node: ast.Call | ast.Subscript, parent: ast.AST, path: str, modules: frozenset[str], *, in_function: bool
) -> str | None:
    match node:
        case ast.Call(func=ast.Name(id=function), args=[]) if function in _NAMESPACES:
            # In a function, locals() and vars() are its own.
            if (function == "globals" or not in_function) and not _only_reads(node, parent):
                return f"{path} may change its names through {function}() (line {node.lineno})"
        case ast.Call(func=ast.Name(id="exec"), args=arguments):
            if len(arguments) < 2 or any(isinstance(inner, ast.Call) for inner in arguments[1:]):  # noqa: PLR2004 - exec(code, namespace)
                return f"{path} runs generated code (line {node.lineno})"
        case ast.Call(func=ast.Name(id="setattr"), args=[owner, name, *_]) if not isinstance(name, ast.Constant):
            if _may_be_a_module(owner, modules):
                return f"{path} sets attributes by name (line {node.lineno})"
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id="sys"), attr="modules"), slice=key):
            if not isinstance(key, ast.Constant) and (isinstance(node.ctx, ast.Store) or _is_own_name(key)):
                return f"{path} uses sys.modules (line {node.lineno})"
        case _:
            pass
    return None


def _only_reads(node: ast.Call, parent: ast.AST) -> bool:
    match parent:
        case ast.Subscript(ctx=context):
            return isinstance(context, ast.Load)
        case ast.Attribute(attr=attribute):
            return attribute in _READS
        case ast.Call(func=ast.Name(id=function)):
            return function in _READERS and parent.func is not node
        case ast.Compare() | ast.keyword(arg=None) | ast.BinOp() | ast.For() | ast.comprehension():
            return True
        case _:
            return False


def _may_be_a_module(owner: ast.expr, modules: frozenset[str]) -> bool:
    match owner:
        case ast.Name(id=name):
            return name in modules or "mod" in name.lower()
        case ast.Subscript() | ast.Call():
            return True
        case _:
            return False


def _is_own_name(key: ast.expr) -> bool:
    return "__name__" in ast.unparse(key)


_NAME = rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*"
_ASSIGNED = re.compile(
    rb"(?P<own>\bself|\bcls)?\.[ \t]*(?P<name>%s)\s*=(?!=)|\bsetattr\s*\([^,()]*,\s*[\"'](?P<set>%s)" % (_NAME, _NAME)
)


class AssignedAttributes(NamedTuple):
    """Attributes that sources assign, each with the first source that does: to some object, or to `self` or `cls`."""

    elsewhere: Mapping[str, str]
    by_itself: Mapping[str, str]

    def reason(self, name: str, *, by_itself: bool = False) -> str | None:
        """Return which source assigns an attribute of that name to some object, None if none does.

        What an instance or class assigns to itself is no attribute of a module; `by_itself` counts it as well.
        """
        path = self.elsewhere.get(name) or (self.by_itself.get(name) if by_itself else None)
        return f"{path} assigns an attribute {name!r}, perhaps to that module or class" if path else None


def assigned_attributes(sources: Mapping[str, SourceFile]) -> AssignedAttributes:
    """Return what `sources` assign, by one pass over each: there is a question for each name that is looked for."""
    elsewhere: dict[str, str] = {}
    by_itself: dict[str, str] = {}
    for source in sources.values():
        for match in _ASSIGNED.finditer(source.data):
            name = (match["name"] or match["set"]).decode("utf-8", "replace")
            (by_itself if match["own"] else elsewhere).setdefault(name, source.path)
    return AssignedAttributes(elsewhere, by_itself)


def nested_definition(tree: ast.Module, name: str) -> int | None:
    """Return the 1-based line of a function or class `name` below the top level, None if there is none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            return node.lineno
    return None
