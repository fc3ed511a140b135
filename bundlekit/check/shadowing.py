"""Finds code that means the standard library's module where the bundle has a top-level module of the same name."""

import ast
import sys
from collections.abc import Iterator
from typing import NamedTuple

from bundlekit.check.module_index import ModuleFile
from bundlekit.check.resolver import Resolver
from bundlekit.check.syntax import Parsed, parse
from bundlekit.check.values import External, MissingName
from bundlekit.model.library import NO_LIBRARY
from bundlekit.model.place import Place
from bundlekit.model.project import Project

__all__ = ["StandardUse", "shadowing_modules", "standard_uses"]


class StandardUse(NamedTuple):
    """A place that takes `name` from a module that does not define it while the standard one of that name may."""

    name: str
    place: Place


def shadowing_modules(project: Project) -> dict[str, ModuleFile]:
    """Return the top-level modules and regular packages that are called as one of the standard library."""
    found: dict[str, ModuleFile] = {}
    for path in project.sources:
        for root in project.source_roots:
            inside = path.removeprefix(f"{root}/") if root else path
            top, slash, rest = inside.partition("/")
            name = top if slash else top.removesuffix(".py")
            is_module = rest in {"", "__init__.py"} and (not root or inside != path)
            if is_module and name in sys.stdlib_module_names:
                found.setdefault(name, ModuleFile(name, path, path.rpartition("/")[0] if slash else None))
    return found


def standard_uses(project: Project, module: ModuleFile) -> Iterator[StandardUse]:
    """Yield what the bundle's code takes from a module of that name and `module` certainly does not define."""
    # Without the standard library's sources, so that names of that package mean the bundle's own.
    resolver = Resolver(project._replace(library=NO_LIBRARY))
    for path, source in project.sources.items():
        if path == module.path or module.name.encode() not in source.data:
            continue
        parsed = parse(source.data, path)
        if isinstance(parsed, Parsed):
            for name, node in _taken(parsed.tree, module.name):
                if _lacks(resolver, module, name):
                    yield StandardUse(name, Place(path, node.lineno, node.col_offset + 1))


def _lacks(resolver: Resolver, module: ModuleFile, name: str) -> bool:
    try:
        found = resolver.name_in(module, name)
    except RecursionError:
        return False
    match found:
        case MissingName():
            return True
        case External(dotted=dotted) if dotted == f"{module.name}.{name}" and module.directory is not None:
            # The resolver takes it for a submodule of the standard package.
            inside = f"{module.directory}/{name}"
            return not any(member.path.startswith((f"{inside}.", f"{inside}/")) for member in resolver.project.members)
        case _:
            return False


def _taken(tree: ast.Module, module: str) -> Iterator[tuple[str, ast.ImportFrom | ast.Attribute]]:
    """Yield the names taken from `module` where nothing is there to catch their absence."""
    guarded = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Try) for inner in ast.walk(node)}
    aliases: set[str] = set()
    stored: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=imported):
                whole = [item for item in imported if item.name == module]
                aliases.update(item.asname or item.name for item in whole)
                stored.update(item.asname or item.name.partition(".")[0] for item in imported if item not in whole)
            case ast.ImportFrom(module=origin, names=imported, level=level):
                if origin == module and level == 0 and id(node) not in guarded:
                    yield from ((item.name, node) for item in imported if item.name != "*")
                stored.update(item.asname or item.name for item in imported)
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                stored.add(name)
            case _:
                continue
    for node in ast.walk(tree):
        match node:
            # A name that is bound to anything else as well may be that there.
            case ast.Attribute(value=ast.Name(id=name), attr=attribute, ctx=ast.Load()) if name in aliases - stored:
                if id(node) not in guarded:
                    yield attribute, node
            case _:
                continue
