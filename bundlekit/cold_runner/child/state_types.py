"""What there is to see of a value without a call of bundle code.

Runs in a warm process, under the conditions of the module `main`. Values are read through descriptors and functions of
C code: no ``__repr__``, ``__eq__``, ``__hash__``, property or ``__getattr__`` of a bundle is ever called.
"""

import binascii
import gc
import itertools
import sys
from _collections import deque  # type: ignore[import-not-found]  # the stubs know collections only
from _functools import _lru_cache_wrapper, partial  # type: ignore[import-not-found]  # as above, functools
from _io import BytesIO, StringIO
from _random import Random
from types import (
    BuiltinFunctionType,
    CodeType,
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    ModuleType,
    TracebackType,
)

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Layout = tuple[list[GetSetDescriptorType], dict[str, MemberDescriptorType]]

__all__ = [
    "CONTAINERS",
    "OPAQUE",
    "SCALARS",
    "are_scalars",
    "attributes_of",
    "class_dict",
    "function_in",
    "inner_of",
    "is_below",
    "is_cache",
    "items_of",
    "layout_of",
    "length_of",
    "members_of",
    "module_name",
    "named",
    "type_name",
]


def _ids(*types: type) -> "frozenset[int]":
    return frozenset(map(id, types))


SCALARS = _ids(bool, int, float, complex, str, bytes, type(None), type(...))
OPAQUE = _ids(ModuleType, CodeType, FrameType, TracebackType, BuiltinFunctionType)
"""Types of values that are told by their names."""
CONTAINERS = {id(dict): b"D", id(list): b"L", id(tuple): b"T", id(set): b"S", id(frozenset): b"F", id(deque): b"Q"}
"""Types of values that are told by what is in them, each with a mark of its own; all by id, for a type may be hashed
by code of a bundle, that of its metaclass."""

_ITERATORS: "tuple[tuple[type, Callable[..., Iterator[object]]], ...]" = (
    (list, list.__iter__),
    (tuple, tuple.__iter__),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
    (deque, deque.__iter__),
)
_MAX_MEMBERS = 1 << 20
_WITH_BUFFERS = (
    ("array", "array"),
    ("_ctypes", "Array"),
    ("_ctypes", "Structure"),
    ("_ctypes", "Union"),
    ("_ctypes", "_SimpleCData"),
)
_MAX_BUFFER, _MAX_OBJECTS = 1 << 26, 10_000
_HEAP_TYPE = 1 << 9
_DICT_OF_CLASS, _MRO, _FLAGS = type.__dict__["__dict__"], type.__dict__["__mro__"], type.__dict__["__flags__"]
_NAME, _MODULE = type.__dict__["__qualname__"], type.__dict__["__module__"]


def class_dict(kind: type) -> "MappingProxyType[str, object]":
    """Return what a class itself defines."""
    found: MappingProxyType[str, object] = _DICT_OF_CLASS.__get__(kind)
    return found


def module_name(kind: type) -> str:
    """Return the module in which a class says that it was made."""
    is_made_by_python = _FLAGS.__get__(kind) & _HEAP_TYPE
    found = class_dict(kind).get("__module__") if is_made_by_python else _MODULE.__get__(kind)
    return found if type(found) is str else "?"


def type_name(kind: type) -> str:
    """Return the name of a class, with its module unless it is built in."""
    module, name = module_name(kind), _NAME.__get__(kind)
    return name if module == "builtins" else f"{module}.{name}"


def is_below(value: object, base: type) -> bool:
    """Whether `value` is an instance of `base`, whatever it says of its class itself."""
    return issubclass(type(value), base)


def is_cache(value: object) -> bool:
    """Whether `value` is a function with an lru_cache."""
    return type(value) is _lru_cache_wrapper


def function_in(value: object) -> "FunctionType | None":
    """Return the function that `value` is, or that a method of it wraps."""
    if type(value) is staticmethod or type(value) is classmethod:
        value = value.__func__
    elif type(value) is property:
        value = value.fget
    return value if type(value) is FunctionType else None


def are_scalars(values: "list[object]") -> bool:
    """Whether all of `values` are of one of SCALARS."""
    return set(map(id, map(type, values))) <= SCALARS


def items_of(value: object) -> "tuple[list[object], list[object]] | None":
    """Return the first keys and values of a dict, None of anything else."""
    if not is_below(value, dict):
        return None
    keys: Iterator[object] = iter(dict.keys(value))  # type: ignore[arg-type]  # it is one
    values: Iterator[object] = iter(dict.values(value))  # type: ignore[arg-type]  # it is one
    return list(itertools.islice(keys, _MAX_MEMBERS)), list(itertools.islice(values, _MAX_MEMBERS))


def members_of(value: object) -> "list[object] | None":
    """Return what a list, tuple, set or deque has at its beginning, None for anything else."""
    for base, iterator in _ITERATORS:
        if is_below(value, base):
            return list(itertools.islice(iterator(value), _MAX_MEMBERS))
    return None


def length_of(value: object) -> "int | None":
    """Return how much a container has, None for anything else."""
    for base in (dict, list, tuple, set, frozenset, deque):
        if is_below(value, base):
            return base.__len__(value)  # type: ignore[arg-type]  # it is one
    return None


def layout_of(kind: type) -> "Layout":
    """Return how the attributes of a class's instances are read: descriptors of their dict and their slots."""
    dicts: list[GetSetDescriptorType] = []
    slots: dict[str, MemberDescriptorType] = {}
    for each in _MRO.__get__(kind):
        for name, member in class_dict(each).items():
            if type(member) is GetSetDescriptorType and name == "__dict__":
                dicts.append(member)
            elif type(member) is MemberDescriptorType and not name.startswith("__"):
                slots.setdefault(name, member)
    return dicts, slots


def attributes_of(value: object, layout: "Layout | None" = None) -> "dict[str, object]":
    """Return the attributes that an instance has itself, in a dict or in slots, sorted by name."""
    dicts, slots = layout or layout_of(type(value))
    found: dict[str, object] = {}
    for name, member in slots.items():
        try:
            found[name] = member.__get__(value)
        except AttributeError:
            continue
    for each in dicts:
        inside = each.__get__(value)
        if type(inside) is dict:
            found.update({key: each for key, each in inside.items() if type(key) is str})
    return dict(sorted(found.items()))


def named(value: object) -> str:
    """Return the name of a module, or a function of C code; else the name of its type."""
    if type(value) is BuiltinFunctionType:
        return f"{value.__module__}.{value.__qualname__}"
    if type(value) is ModuleType:
        name = ModuleType.__getattribute__(value, "__dict__").get("__name__")
        return name if type(name) is str else "?"
    return type_name(type(value))


def inner_of(value: object) -> "list[object] | None":
    """Return what tells two objects of some types of C code apart, None for any other type.

    A text that comes first says something to a reader.
    """
    kind = type(value)
    if is_below(value, Random):
        return [Random.getstate(value)]  # type: ignore[arg-type]  # it is one
    if kind is _lru_cache_wrapper or kind is partial or kind is itertools.count:
        # From Python 3.12 on an object tells of its type too.
        parts = [each for each in gc.get_referents(value) if not is_below(each, type)]
        if kind is not itertools.count:
            return parts
        return [repr(value)] if are_scalars(parts) else None
    if kind is StringIO or kind is BytesIO:
        return ["closed" if value.closed else value.getvalue()]  # type: ignore[attr-defined]  # one of the two
    if kind is bytearray or any(_is_of(value, module, name) for module, name in _WITH_BUFFERS):
        return [_buffer(value)]
    return _numpy_inner(value) if "numpy" in sys.modules else None


def _is_of(value: object, module: str, name: str) -> bool:
    """Whether `value` is below the class `name` of a module, if that has been imported."""
    found = getattr(sys.modules.get(module), name, None)
    return found is not None and is_below(value, found)


def _numpy_inner(value: object) -> "list[object] | None":
    numpy = sys.modules["numpy"]
    if is_below(value, numpy.ndarray):
        return _array(value, numpy.ndarray)
    return [_buffer(value)] if is_below(value, numpy.generic) else _generator(value)


def _generator(value: object) -> "list[object] | None":
    """Return the state of a generator of numpy's."""
    modules = sys.modules
    kind = type(value)
    if "numpy.random._generator" in modules and kind is modules["numpy.random._generator"].Generator:
        return [value.bit_generator.state]  # type: ignore[attr-defined]  # it is one
    if "numpy.random.mtrand" in modules and kind is modules["numpy.random.mtrand"].RandomState:
        return [value.get_state(legacy=False)]  # type: ignore[attr-defined]  # it is one
    name = module_name(kind)
    if name.startswith("numpy.random._") and name in modules and "state" in class_dict(kind):
        return [value.state]  # type: ignore[attr-defined]  # a generator of bits
    return None


def _array(value: object, ndarray: "type") -> "list[object]":
    known = class_dict(ndarray)
    dtype, shape, size = (known[name].__get__(value) for name in ("dtype", "shape", "size"))  # type: ignore[attr-defined]
    head = [f"{dtype} {list(shape)}", dtype.num]
    if dtype.hasobject:
        return [*head, known["tolist"](value) if size <= _MAX_OBJECTS else size]  # type: ignore[operator]  # its method
    if dtype.kind in "mM" and size <= _MAX_OBJECTS:
        return [*head, known["tobytes"](value)]  # type: ignore[operator]  # its method
    return [*head, _buffer(value)]


def _buffer(value: object) -> "list[object]":
    try:
        with memoryview(value) as view:  # type: ignore[arg-type]  # it has a buffer
            if view.c_contiguous:
                return [view.nbytes, binascii.crc32(view.cast("B")[:_MAX_BUFFER] if view.nbytes else b"")]
            return [view.nbytes, binascii.crc32(view.tobytes()) if view.nbytes <= _MAX_BUFFER else 0]
    except (TypeError, ValueError, BufferError):
        return []
