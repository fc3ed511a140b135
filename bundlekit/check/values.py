"""What a name can turn out to be when source is read instead of run."""

import ast
from typing import NamedTuple

from bundlekit.check.module_index import MissingModule, ModuleFile, Namespace
from bundlekit.check.signatures import FunctionNode
from bundlekit.model.signature import Signature, Unknown

__all__ = [
    "Class",
    "Constant",
    "External",
    "Function",
    "Instance",
    "MissingName",
    "ModuleValue",
    "Unparsable",
    "Value",
    "agreed",
]


class Function(NamedTuple):
    """A callable whose signature is known. `path` and `line` are where it is defined; `calibrated`: by Calabaria.

    `node` is the syntax that runs when it is called, None where that is not one function's (a class, a calibrated one).
    """

    name: str
    signature: Signature
    path: str
    line: int
    calibrated: bool = False
    binding: str = "plain"
    """`static` or `class` inside a class body, where the decorator changes what binding does."""
    node: FunctionNode | None = None


class Class(NamedTuple):
    """A class with source in the bundle."""

    module: ModuleFile
    node: ast.ClassDef


class Instance(NamedTuple):
    """The result of calling a class of the bundle."""

    of: Class


class ModuleValue(NamedTuple):
    """A module of the bundle as an object; `imported` is whether anything certainly binds it where it was named."""

    module: ModuleFile | Namespace
    imported: bool = True


class Constant(NamedTuple):
    """An object that cannot be called; `what` completes "it is ..."."""

    what: str
    path: str
    line: int


class External(NamedTuple):
    """Something from outside of the bundle, by its dotted name, and why it was not looked at."""

    dotted: str
    why: str


class MissingName(NamedTuple):
    """A name that is certainly not there. `siblings` are names that are, each with its 1-based line."""

    name: str
    module: str
    path: str
    siblings: tuple[tuple[str, int], ...]
    note: str | None = None


class Unparsable(NamedTuple):
    """A module that cannot be imported because its source, or its package's, is no Python."""

    path: str


Value = (
    Function | Class | Instance | ModuleValue | Constant | External | MissingModule | MissingName | Unparsable | Unknown
)


def agreed(values: list[Value]) -> Value:
    """Return the one answer that all alternatives give; those that certainly fail do not count beside others."""
    alive = [value for value in values if not isinstance(value, MissingModule | MissingName | Unparsable)] or values
    first = alive[0]
    if all(value == first for value in alive):
        return first
    functions = [value for value in alive if isinstance(value, Function)]
    if len(functions) == len(alive) and len({(item.signature, item.calibrated) for item in functions}) == 1:
        return functions[0]
    unknown = next((value for value in alive if isinstance(value, Unknown)), None)
    return unknown or Unknown("it is defined in different ways on different conditions")
