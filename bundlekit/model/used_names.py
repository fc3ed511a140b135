"""Which names a piece of Python source uses, for whatever would give one of them another meaning."""

import ast

__all__ = ["uses_name"]


def uses_name(node: ast.AST, name: str) -> bool:
    """Whether something in `node` is called `name`, so that a new parameter of that name may mean something else."""
    for inner in ast.walk(node):
        if name in (getattr(inner, field, None) for field in ("id", "arg", "name")):
            return True
        if name in (getattr(inner, "names", None) or ()):
            return True
    return False
