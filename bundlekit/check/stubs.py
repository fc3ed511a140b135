"""What the type stub beside a compiled module says that the module has: its public functions and classes.

A stub also names what only type checkers know: protocols, typed dictionaries and private names are not counted.
"""

import ast
from collections.abc import Sequence

__all__ = ["is_stubbed"]

_FOR_CHECKERS = frozenset({"Protocol", "TypedDict"})


def is_stubbed(stub: ast.Module, attributes: Sequence[str]) -> bool:
    """Whether the stub defines a function or class by that chain of names."""
    body: Sequence[ast.stmt] = stub.body
    for name in attributes:
        found = next((node for node in body if _defines(node, name)), None)
        if found is None or name.startswith("_"):
            return False
        body = found.body if isinstance(found, ast.ClassDef) else ()
    return bool(attributes)


def _defines(node: ast.stmt, name: str) -> bool:
    match node:
        case ast.ClassDef(name=found, bases=bases):
            kinds = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in bases}
            is_real = not kinds & _FOR_CHECKERS
        case ast.FunctionDef(name=found) | ast.AsyncFunctionDef(name=found):
            is_real = True
        case ast.Assign(targets=[ast.Name(id=found)], value=ast.Attribute()):
            # Aliases of types begin with a capital letter; functions may be methods of one hidden instance.
            return found == name and name.islower()
        case _:
            return False
    return is_real and found == name and not any("type_check_only" in ast.unparse(each) for each in node.decorator_list)
