"""What a name can turn out to be when source is read instead of run."""

import ast
import re
from typing import NamedTuple, Protocol

from bundlekit.check.module_index import MissingModule, ModuleFile, Namespace
from bundlekit.check.signatures import FunctionNode
from bundlekit.model.signature import Signature, Unknown

__all__ = [
    "BROKEN",
    "Added",
    "Arguments",
    "AttrsClass",
    "Builtin",
    "Class",
    "Constant",
    "External",
    "Frame",
    "Function",
    "ImportFails",
    "Instance",
    "MissingName",
    "ModuleValue",
    "NamedTupleClass",
    "Packed",
    "Property",
    "Scope",
    "SignatureOf",
    "Unparsable",
    "Value",
    "Wrapping",
    "is_broken",
]


class Function(NamedTuple):
    """A callable whose signature is known, as :func:`inspect.signature` shows it.

    `path` and `line` are where it is defined; `calibrated`: by Calabaria. `node` is the syntax that runs when it is
    called, None where that is not one function's (a class, a calibrated one). `is_exact` is False where calls may bind
    otherwise than shown: a wrapper takes what its own parameters say, whatever signature it copies. `given` is what a
    call passes before its own arguments: the receiver of a bound method, the arguments of a partial.
    """

    name: str
    signature: Signature
    path: str
    line: int
    calibrated: bool = False
    binding: str = "plain"
    """`static` or `class` inside a class body, where the decorator changes what binding does."""
    node: FunctionNode | None = None
    is_exact: bool = True
    frame: "Frame | None" = None
    given: "Arguments | None" = None

    @property
    def dotted(self) -> str:
        """Module and name, for functions whose meaning is known by name."""
        return f"{self.frame.module.name}.{self.name}" if self.frame else self.name


class Class(NamedTuple):
    """A class with source; `frame` is where its body stands, and `decorators` are those that made something of it."""

    module: ModuleFile
    node: ast.ClassDef
    frame: "Frame"
    is_dataclass: ast.expr | None = None
    """The decorator that makes it a dataclass."""
    attrs: "AttrsClass | None" = None
    reshaped: str = ""
    """The names, as a regular expression, that a decorator may set to something that is not told; "" for none."""
    redecorated: bool = False
    """Whether a decorator may set those of its attributes that are decorated themselves."""
    added: "tuple[Added, ...]" = ()
    """What a decorator certainly sets, the latest last."""

    @property
    def dotted(self) -> str:
        """Module and name."""
        return f"{self.module.name}.{self.node.name}"

    def brought(self, name: str) -> "Value | None":
        """Return what a decorator certainly sets that attribute to, None where none does."""
        return next((each.value for each in reversed(self.added) if each.name == name), None)

    def may_get(self, name: str) -> bool:
        """Whether a decorator may set the attribute to something that is not told."""
        return bool(self.reshaped) and re.fullmatch(self.reshaped, name, re.DOTALL) is not None


class AttrsClass(NamedTuple):
    """How attrs makes a class: the decorator, whether of its newer kind, and what settings a shorthand brings.

    A setting is None where it is no literal.
    """

    decorator: ast.expr
    is_new: bool
    presets: tuple[tuple[str, ast.expr | None], ...] = ()


class Added(NamedTuple):
    """An attribute that a decorator sets. Two are equal by name alone: each reading makes the value anew."""

    name: str
    value: "Value"

    def __eq__(self, other: object) -> bool:
        """Whether both set the same attribute."""
        return isinstance(other, Added) and self.name == other.name

    def __hash__(self) -> int:
        """Hash the name."""
        return hash(self.name)


class NamedTupleClass(NamedTuple):
    """A class that ``namedtuple()`` makes, by the signature of its constructor."""

    name: str
    signature: Signature
    path: str
    line: int


class Builtin(NamedTuple):
    """A class that is built into Python."""

    name: str


class Instance(NamedTuple):
    """The result of calling a class; `wrapped` is what :func:`functools.update_wrapper` made it look like."""

    of: Class
    wrapped: "Value | None" = None


class ModuleValue(NamedTuple):
    """A module as an object; `imported` is whether anything certainly binds it where it was named."""

    module: ModuleFile | Namespace
    imported: bool = True


class Constant(NamedTuple):
    """An object that cannot be called; `what` completes "it is ..."; `literal` is its syntax, where it is a literal.

    `texts` is a regular expression of the texts that it may be, "" where that is not told.
    """

    what: str
    path: str
    line: int
    literal: ast.expr | None = None
    texts: str = ""


class Property(NamedTuple):
    """A property of a class: an object there, and what its getter returns on an instance."""

    name: str
    path: str
    line: int
    getter: Function | None = None


class Packed(NamedTuple):
    """What ``*args`` or ``**kwargs`` hold in a call whose arguments are known."""

    positional: tuple["Value", ...] = ()
    keywords: tuple[tuple[str, "Value"], ...] = ()


class Wrapping(NamedTuple):
    """What ``functools.wraps(of)`` returns: given a wrapper it makes it look like `of`."""

    of: "Value"


class SignatureOf(NamedTuple):
    """What ``inspect.signature(of)`` returns."""

    of: "Value"


class External(NamedTuple):
    """Something that has no source to read, by its dotted name, and why.

    `is_there`: it certainly exists, as a name that an import statement has bound.
    """

    dotted: str
    why: str
    is_there: bool = False


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


class ImportFails(NamedTuple):
    """A module whose import certainly fails, at that place; `missing` is what is not there, if that is why."""

    path: str
    line: int
    column: int
    missing: str | None


Value = (
    Function
    | Class
    | NamedTupleClass
    | Builtin
    | Instance
    | ModuleValue
    | Constant
    | Property
    | Packed
    | Wrapping
    | SignatureOf
    | External
    | MissingModule
    | MissingName
    | Unparsable
    | ImportFails
    | Unknown
)

BROKEN = (MissingModule, MissingName, Unparsable, ImportFails)
"""What naming it would certainly fail at."""


class Scope(Protocol):
    """Names that are looked for before those of the module: of a class body, or of functions that are read as run."""

    def lookup(self, name: str) -> Value | None:
        """Return what `name` is here, None if it is not bound."""

    def inner(self) -> "Scope | None":
        """Return the scope that functions which are defined here see."""


class Frame(NamedTuple):
    """Where an expression stands: its module, the number of bindings of it that were made by then, the scope around."""

    module: ModuleFile
    before: int | None = None
    scope: Scope | None = None


class Arguments(NamedTuple):
    """What a call passes; `is_open` where it unpacks something, so that there may be more."""

    positional: tuple[Value, ...] = ()
    keywords: tuple[tuple[str, Value], ...] = ()
    is_open: bool = False

    def named(self, name: str) -> Value | None:
        """Return the argument given by that keyword."""
        return next((value for key, value in self.keywords if key == name), None)


def is_broken(value: Value) -> bool:
    """Whether naming it would certainly fail."""
    return isinstance(value, BROKEN)
