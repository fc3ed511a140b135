"""Functions and classes of Python's own whose effect is known by name, so that their source need not be read."""

from bundlekit.check.values import Builtin, Class, External, Function, Value

__all__ = ["PLAIN_BASES", "SAME", "dotted_name", "is_known", "stands_for"]

SAME = frozenset(
    {
        "functools.cache",
        "functools.lru_cache",
        "functools.singledispatch",
        "typing.final",
        "typing.override",
        "typing.no_type_check",
        "abc.abstractmethod",
        "types.coroutine",
        "atexit.register",
        "enum.unique",
        "enum.verify",
        "functools.total_ordering",
        "typing.runtime_checkable",
        "typing.dataclass_transform",
    }
)
"""Decorators that leave the signature as it is, with or without arguments of their own."""

PLAIN_BASES = frozenset({"builtins.object", "typing.Generic", "abc.ABC", "typing.Protocol", "typing.NamedTuple"})
"""Bases that bring no attributes of their own that anybody asks for."""

_BUILTIN_ALIASES = {
    "typing.Dict": "dict",
    "typing.List": "list",
    "typing.Set": "set",
    "typing.FrozenSet": "frozenset",
    "typing.Tuple": "tuple",
    "typing.Type": "type",
    "abc.ABCMeta": "type",
}


_KNOWN = (
    SAME
    | PLAIN_BASES
    | _BUILTIN_ALIASES.keys()
    | {
        "abc.ABCMeta",
        "abc.abstractproperty",
        "collections.namedtuple",
        "contextlib.asynccontextmanager",
        "contextlib.contextmanager",
        "dataclasses.dataclass",
        "dataclasses.field",
        "functools.cached_property",
        "functools.partial",
        "functools.partialmethod",
        "functools.update_wrapper",
        "functools.wraps",
        "importlib.import_module",
        "inspect.isclass",
        "inspect.isfunction",
        "inspect.isroutine",
        "inspect.signature",
        "types.FunctionType",
        "typing.NewType",
        "typing.TypeVar",
        "typing.cast",
        "typing.overload",
    }
)


def is_known(dotted: str) -> bool:
    """Whether a name of the standard library is known without reading its source."""
    return dotted in _KNOWN


def dotted_name(value: Value | None) -> str:
    """Return the name by which `value` is known, with the usual spellings of its module made one; "" for others."""
    match value:
        case External(dotted=dotted):
            return dotted.replace("typing_extensions.", "typing.", 1)
        case Function() | Class():
            return value.dotted.replace("typing_extensions.", "typing.", 1)
        case Builtin(name=name):
            return f"builtins.{name}"
        case _:
            return ""


def stands_for(dotted: str) -> str | None:
    """Return the built-in class that an alias of typing stands for."""
    return _BUILTIN_ALIASES.get(dotted)
