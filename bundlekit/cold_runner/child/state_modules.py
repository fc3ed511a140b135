"""What modules hold: globals, attributes of classes and functions, default values, closures and caches.

Runs in a warm process, under the conditions of the module `main`.
"""

import gc
import sys
from itertools import islice
from types import BuiltinFunctionType, FunctionType, ModuleType

from .state_items import cache_item, item, told
from .state_prints import Fingerprints
from .state_texts import shown
from .state_types import class_dict, function_in, is_below, is_cache, module_name, named, type_name

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .state_items import Item

__all__ = ["Owners", "file_of", "groups_of_modules", "modules_there"]

_TOTAL_OTHERS, _EACH_OTHERS = 50_000, 200
_MAX_DEPTH, _MAX_PIECES = 5, 20_000
_LIBRARIES = frozenset({
    "numpy", "pandas", "pyarrow", "scipy", "polars", "numba", "llvmlite", "cython_runtime", "matplotlib", "sklearn",
    "pybind11", "nanobind", "pkg_resources", "setuptools", "dateutil", "pytz", "six", "cffi", "joblib", "sympy",
    "typing_extensions", "packaging", "PIL", "pydantic", "pydantic_core", "torch", "jax", "jaxlib", "networkx",
})  # fmt: skip
"""Large and well known, with caches of their own that fill as they are used: only what a bundle puts there is told."""
_WITHOUT_AN_OWNER = frozenset({"__main__", "builtins"})
"""What is there, Python itself changes no more."""
_NOT_STATE = frozenset({"_abc_impl", "_abc_registry", "_member_map_", "_value2member_map_"})


class Owners:
    """Tells whose a file is: the bundle's `own` are below its directories, those of Python below `standard`."""

    def __init__(self, own: "tuple[str, ...]", standard: str) -> None:
        self._own, self._standard = own, standard

    def is_own(self, file: str) -> bool:
        """Whether `file` is the bundle's."""
        return file.startswith(self._own)

    def is_standard(self, file: str) -> bool:
        """Whether `file` is of the standard library, or none at all."""
        return not file.startswith("/") or (file.startswith(self._standard) and "/site-packages/" not in file)


def modules_there() -> "dict[str, ModuleType]":
    """Return what has been imported, without what is ours."""
    return {
        name: each
        for name, each in list(sys.modules.items())
        if type(name) is str and is_below(each, ModuleType) and name.partition(".")[0] != "_bundlekit_child"
    }


def groups_of_modules(
    modules: "dict[str, ModuleType]", owners: Owners, look_own: Fingerprints
) -> "Iterator[tuple[str, int, list[Item]]]":
    """Yield the name of each module, whether it is the bundle's own, and what it holds; `look_own` is for own values.

    Of the standard library and of large libraries only what own code has put there is told.
    """
    globals_of_own = {id(_vars(each)): name for name, each in modules.items() if owners.is_own(file_of(each))}
    look_others = Fingerprints(_TOTAL_OTHERS, _EACH_OTHERS)
    replaced: list[Item] = []
    for name, module in modules.items():
        found = _vars(module)
        if id(found) in globals_of_own or name in _WITHOUT_AN_OWNER:
            if globals_of_own.get(id(found), name) == name:
                yield name, 1, [*islice(_Module(name, found, owners, look_own).items(), _MAX_PIECES)]
        elif not owners.is_standard(file_of(module)) and name.partition(".")[0] not in _LIBRARIES:
            yield name, 0, [*islice(_Module(name, found, owners, look_others).items(), _MAX_PIECES)]
        else:
            replaced += _replaced(name, found, globals_of_own)
    yield "<replaced>", 1, replaced


def _vars(module: ModuleType) -> "dict[str, object]":
    found: dict[str, object] = ModuleType.__getattribute__(module, "__dict__")
    return found


def file_of(module: ModuleType) -> str:
    """Return where a module comes from, nothing if that is no file."""
    found = _vars(module).get("__file__")
    return found if type(found) is str else ""


def _is_dunder(name: object) -> bool:
    return type(name) is not str or (name.startswith("__") and name.endswith("__")) or name in _NOT_STATE


def _replaced(name: str, found: "dict[str, object]", globals_of_own: "dict[int, str]") -> "Iterator[Item]":
    """Yield functions of own modules that stand in a foreign one, in place of its own perhaps."""
    for key, value in list(found.items()):
        if type(value) is FunctionType and id(value.__globals__) in globals_of_own and type(key) is str:
            yield told("module-global", f"{name}.{key}", named_function(value), shown(value), id(value))
        elif type(value) is type and module_name(value) == name:
            for inside, member in class_dict(value).items():
                if type(member) is FunctionType and id(member.__globals__) in globals_of_own:
                    path = f"{name}.{value.__qualname__}.{inside}"
                    yield told("class-attribute", path, named_function(member), shown(member), id(member))


def named_function(function: FunctionType) -> str:
    """Return a text that tells a function from others."""
    return f"{function.__module__}.{function.__qualname__}:{function.__code__.co_firstlineno}"


class _Module:
    def __init__(self, name: str, found: "dict[str, object]", owners: Owners, prints: Fingerprints) -> None:
        self._name, self._vars, self._owners, self._prints = name, found, owners, prints
        self._done: set[int] = set()

    def items(self) -> "Iterator[Item]":
        for name, value in list(self._vars.items()):
            if not _is_dunder(name) and not is_below(value, ModuleType):
                yield from self._items(f"{self._name}.{name}", "module-global", value, _MAX_DEPTH)

    def _items(self, path: str, kind: str, value: object, depth: int) -> "Iterator[Item]":
        function = function_in(value)
        if is_cache(value):
            yield from self._cache(path, value, depth)
        elif function is not None:
            yield told(kind, path, named_function(function), shown(function))
            yield from self._function(path, function, depth)
        elif is_below(value, type):
            yield told(kind, path, type_name(value), shown(value))  # type: ignore[arg-type]  # a class
            if module_name(value) == self._name and depth and id(value) not in self._done:  # type: ignore[arg-type]
                self._done.add(id(value))
                for name, member in list(class_dict(value).items()):  # type: ignore[arg-type]  # a class
                    if not _is_dunder(name) or function_in(member) is not None:
                        yield from self._items(f"{path}.{name}", "class-attribute", member, depth - 1)
        elif type(value) is BuiltinFunctionType:
            yield told(kind, path, named(value), shown(value))
        else:
            yield item(kind, path, self._prints, value)

    def _function(self, path: str, function: FunctionType, depth: int) -> "Iterator[Item]":
        if not depth or id(function) in self._done or not self._is_told_here(function):
            return
        self._done.add(id(function))
        code = function.__code__
        arguments = code.co_varnames[: code.co_argcount]
        defaults = function.__defaults__ or ()
        named_defaults = [*zip(arguments[len(arguments) - len(defaults) :], defaults, strict=False)]
        for name, value in (*named_defaults, *(function.__kwdefaults__ or {}).items()):
            yield item("function-default", f"{path} default {name!r}", self._prints, value)
        for name, value in function.__dict__.items():
            if not _is_dunder(name):
                yield item("function-attribute", f"{path}.{name}", self._prints, value)
        if "__wrapped__" in function.__dict__:
            yield from self._inner(f"{path}.__wrapped__", function.__dict__["__wrapped__"], depth)
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            if name == "__class__" or is_below(value, ModuleType):
                continue
            if function_in(value) is not None or is_cache(value):
                yield from self._inner(f"{path} closure {name!r}", value, depth)
            else:
                yield item("closure", f"{path} closure {name!r}", self._prints, value)

    def _is_told_here(self, function: FunctionType) -> bool:
        """Whether `function` was made here, or by a decorator from elsewhere, which has no name for what it makes."""
        code = function.__code__
        is_made_by_call = "<locals>" in code.co_qualname and not self._owners.is_standard(code.co_filename)
        return function.__globals__ is self._vars or is_made_by_call

    def _inner(self, path: str, value: object, depth: int) -> "Iterator[Item]":
        function = function_in(value)
        if is_cache(value):
            yield from self._cache(path, value, depth)
        elif function is not None:
            yield from self._function(path, function, depth - 1)

    def _cache(self, path: str, cache: object, depth: int) -> "Iterator[Item]":
        yield cache_item(path, self._prints, cache)
        function = next((each for each in gc.get_referents(cache) if type(each) is FunctionType), None)
        if function is not None and depth:
            yield from self._function(path, function, depth - 1)
