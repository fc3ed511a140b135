"""The order in which attributes are looked up in a class and its bases (C3).

See: "The Python 2.3 Method Resolution Order".
"""

import ast

from bundlekit.check.known import PLAIN_BASES, dotted_name, stands_for
from bundlekit.check.values import (
    Builtin,
    Class,
    NamedTupleClass,
)
from bundlekit.check.world import World
from bundlekit.model.signature import Unknown

__all__ = ["Base", "linearised", "unsubscripted"]

Base = Class | Builtin | NamedTupleClass | Unknown

_MOST_BASES = 200
"""A class may be its own base by way of names that are bound twice."""


def linearised(world: World, owner: Class, depth: int = 0) -> list[Base]:
    """Return the class and its bases in the order in which attributes are looked up."""
    if depth > _MOST_BASES:
        return [owner, Unknown(f"the bases of {owner.node.name!r} lead back to it")]
    sequences: list[list[Base]] = []
    direct: list[Base] = []
    for node in owner.node.bases:
        base = _base(world, owner, node)
        if base is None:
            continue
        direct.append(base)
        sequences.append(linearised(world, base, depth + 1) if isinstance(base, Class) else [base])
    merged = _merged([*sequences, direct])
    if any(isinstance(base, Unknown) for base in direct) or any(isinstance(base, Unknown) for base in merged):
        # What an unknown base brings may come before all that is not named before it.
        known = []
        for base in direct:
            if isinstance(base, Unknown):
                break
            known.append(base)
        unknown = next(base for base in (*direct, *merged) if isinstance(base, Unknown))
        return [owner, *known[:1], unknown]
    return [owner, *merged]


def _merged(sequences: list[list[Base]]) -> list[Base]:
    merged: list[Base] = []
    while sequences := [each for each in sequences if each]:
        heads = [each[0] for each in sequences]
        chosen = next((head for head in heads if not any(head in each[1:] for each in sequences)), None)
        if chosen is None:
            return [*merged, Unknown("its bases have no consistent order")]
        merged.append(chosen)
        sequences = [each[1:] if each[0] == chosen else each for each in sequences]
    return merged


def _base(world: World, owner: Class, node: ast.expr) -> Base | None:
    """Return what a base is, None where it adds nothing to what is looked for."""
    if isinstance(node, ast.Starred):
        return Unknown(f"the bases of {owner.node.name!r} are computed")
    found = world.evaluate(unsubscripted(node), owner.frame)
    dotted = dotted_name(found)
    if dotted in PLAIN_BASES:
        return None
    if stands_for(dotted) is not None:
        return Builtin(stands_for(dotted) or "")
    if isinstance(found, Class | Builtin | NamedTupleClass):
        return found
    return Unknown(f"{owner.node.name!r} has a base class that was not looked at: {ast.unparse(node):.60}")


def unsubscripted(node: ast.expr) -> ast.expr:
    """Return a base or an annotation without its type arguments."""
    return node.value if isinstance(node, ast.Subscript) else node
