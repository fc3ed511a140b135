"""What a name can turn out to be when source is read instead of run."""

import ast
import re
from typing import NamedTuple, Protocol

from bundlekit.check.module_index import MissingModule, ModuleFile, Namespace
from bundlekit.check.namespace import Definition, Names
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
    "World",
    "Wrapping",
    "agreed",
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


class World(Protocol):
    """Answers about names and expressions, as the parts of the resolver ask them of each other."""

    def evaluate(self, node: ast.expr, frame: Frame) -> Value:
        """Return the value of an expression."""

    def attribute(self, value: Value, name: str) -> Value:
        """Return the attribute `name` of `value`."""

    def define(self, node: Definition, frame: Frame) -> Value:
        """Return the function or class that a definition makes, as its decorators leave it."""

    def imported(self, node: ast.Import | ast.ImportFrom, frame: Frame) -> list[tuple[str, Value]]:
        """Return the names that an import statement binds, each with its value."""

    def wrapped(self, wrapper: Value, of: Value) -> Value:
        """Return `wrapper` made to look like `of`."""

    def source_of(self, dotted: str) -> Value:
        """Return the definition of what is known by its dotted name."""

    def members(self, owner: Class) -> Names:
        """Return the bindings of a class body."""

    def member(self, owner: Class, name: str) -> Value:
        """Return what the class body itself binds `name` to."""

    def sets(self, path: str, attribute: str) -> bool:
        """Whether the source at `path` sets an attribute of that name somewhere, whatever of."""

    def truth(self, test: ast.expr) -> bool | None:
        """Return what a condition is by the interpreter that a runner uses, None where that does not tell."""

    def imported_module(self, dotted: str) -> Value:
        """Return the module `dotted`, unless importing it certainly fails."""

    def raised(self) -> None:
        """Note that a call which is read may raise."""

    def enter(self) -> bool:
        """Begin to read a call, unless too much was read already; :meth:`leave` ends it."""

    def leave(self) -> None:
        """End what :meth:`enter` began."""


def is_broken(value: Value) -> bool:
    """Whether naming it would certainly fail."""
    return isinstance(value, BROKEN)


def agreed(values: list[Value]) -> Value:
    """Return the one answer that all alternatives give; those that certainly fail do not count beside others."""
    alive = [value for value in values if not is_broken(value)] or values
    first = alive[0]
    if is_broken(first):
        return first
    classes = [value for value in alive if isinstance(value, Class)]
    if len(classes) == len(alive) and len({_as_written(each) for each in classes}) == 1:
        return _agreed_class(classes)
    if all(value == first for value in alive):
        return first
    functions = [value for value in alive if isinstance(value, Function)]
    if len(functions) == len(alive) and len({(item.signature, item.calibrated) for item in functions}) == 1:
        is_exact = all(item.is_exact for item in functions)
        return functions[0]._replace(is_exact=is_exact)
    is_there = all(not isinstance(value, Unknown) or value.is_there for value in alive)
    unknown = next((value for value in alive if isinstance(value, Unknown)), None)
    reason = unknown.reason if unknown else "it is defined in different ways on different conditions"
    return Unknown(reason, is_there=is_there and len(alive) == len(values))


def _as_written(value: Class) -> Class:
    return value._replace(reshaped="", redecorated=False, added=())


def _agreed_class(classes: list[Class]) -> Class:
    """Return one class that stands for several ways in which decorators may leave it."""
    kept = set.intersection(*({id(added) for added in each.added} for each in classes))
    same = tuple(added for added in classes[0].added if id(added) in kept)
    names = {added.name for each in classes for added in each.added if id(added) not in kept}
    patterns = {each.reshaped for each in classes if each.reshaped} | {re.escape(name) for name in names}
    return classes[0]._replace(
        reshaped="|".join(sorted(patterns)), redecorated=any(each.redecorated for each in classes), added=same
    )
