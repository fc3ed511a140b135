"""Modules that import their names when they are asked for, as lazy_loader has it (SPEC 1 of Scientific Python).

``__getattr__, __dir__, __all__ = lazy.attach(__name__, submodules, submod_attrs)`` states the names in literals,
``lazy.attach_stub(__name__, __file__)`` in the type stub beside the module.
"""

import ast

from bundlekit.check.namespace import Imported, Names, Unpacked

__all__ = ["lazily_imported", "uses_a_stub"]


def lazily_imported(module: Names, stub: ast.Module | None) -> dict[str, Imported] | None:
    """Return what each name of a module that imports lazily is imported from, None where the module does not do so."""
    call = _attaching(module)
    if call is None:
        return None
    if uses_a_stub(module):
        return None if stub is None else _stubbed(stub)
    given = dict(zip(("package", "submodules", "submod_attrs"), call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    try:
        submodules = ast.literal_eval(given.get("submodules", ast.Constant(None)))
        attributes = ast.literal_eval(given.get("submod_attrs", ast.Constant(None)))
    except (ValueError, TypeError):
        return None
    found = {name: Imported("", 1, name) for name in submodules or ()}
    for origin, names in (attributes or {}).items():
        found |= {name: Imported(origin, 1, name) for name in names}
    return found


def uses_a_stub(module: Names) -> bool:
    """Whether the names stand in the stub beside the module."""
    call = _attaching(module)
    return call is not None and isinstance(call.func, ast.Attribute) and call.func.attr == "attach_stub"


def _attaching(module: Names) -> ast.Call | None:
    for binding in module.by_name.get("__getattr__", ()):
        match binding.bound:
            case Unpacked(value=ast.Call(func=ast.Attribute(attr="attach" | "attach_stub")) as call):
                return call
            case _:
                continue
    return None


def _stubbed(stub: ast.Module) -> dict[str, Imported]:
    found: dict[str, Imported] = {}
    for node in stub.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = Imported(node.module or "", node.level, alias.name)
    return found
