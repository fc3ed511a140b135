"""Variables of a built library as people know them: readable names, without what compilers and bindings add.

What is left out is bookkeeping that every extension module has, whoever wrote it.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from bundlekit.read.demangling import demangled
from bundlekit.read.elf import read_image, read_relocated, read_symbols

__all__ = ["BuiltVariable", "built_variables", "is_bookkeeping", "kept_variables", "shown_names"]

_CLONED = re.compile(r"(?:\.(?:lto_priv|constprop|isra|part|cold|llvm|localalias)(?:\.\d+)*)+$")
_NUMBERED = re.compile(r"\.\d+$")
_GUARDS = re.compile(r"_ZG[VR]|_ZT[VTISCHW]|__tls_guard$|_ZL?\d+__tls_guard")
_RUNTIME = frozenset(
    {
        *("__dso_handle", "__TMC_END__", "_DYNAMIC", "_GLOBAL_OFFSET_TABLE_"),
        *("__EH_FRAME_BEGIN__", "__FRAME_END__", "__CTOR_LIST__", "__DTOR_LIST__", "__bss_start", "_edata", "_end"),
        *("__data_start", "data_start", "__afl_area_ptr", "__gcov_root"),
    }
)
_STARTED = re.compile(r"(?:completed|object|dtor_idx)\.\d+$")
"""What the compiler's start files bring into each library."""

_SCOPE = re.compile(r"_Z(?:GV)?Z*N?[rVK]*(?:S[tabsiod]|8pybind11|8nanobind|10__cxxabiv1|9__gnu_cxx)")
"""Names that begin in the bindings' or the C++ runtime's own namespaces, functions with variables inside included."""

_CYTHON = re.compile(r"(?:_ZL?\d+)?__pyx_(?!v_)|(?:_ZL?\d+)?__Pyx_|_ZZ\w*__[Pp]yx_")
_CYTHON_VARIABLE = re.compile(r"(?:_ZL?\d+)?__pyx_v_(?=\d)")
_MODULE = re.compile(r"_ZZ\d+PyInit_\w+E\w+$|(?:_ZL?\d+)?(?:pybind11_module_def_|nanobind_\w+_def$)")
"""What describes an extension module to the interpreter."""

_NUMPY = re.compile(r"(?:_ZL?\d+)?(?:PyArray_API|PyUFunc_API|PyArray_RUNTIME_VERSION|PyDateTimeAPI)$")
"""Tables of functions, filled once at import or at the first call."""

_LONG_PARAMETERS = 40
_STRING = re.compile(
    r"std::(?:__cxx11::)?basic_string<char, std::char_traits<char>, std::allocator<char> ?>(?: (?=>))?"
)
_LENGTH = re.compile(r"[1-9]\d{0,2}")


class BuiltVariable(NamedTuple):
    """A variable and the memory that it has; `address` is from the block's start where it is thread-local.

    `is_bookkeeping`: it is not the author's, and has the name that it has in the file.
    """

    name: str
    address: int
    size: int
    is_thread_local: bool
    is_bookkeeping: bool


def built_variables(path: Path) -> tuple[BuiltVariable, ...]:
    """Return the variables that the library at `path` defines and can write, by address.

    Raises:
        ElfError: it is no library that is read.
        OSError: it cannot be read.
    """
    symbols = read_symbols(path)
    shown = shown_names(each.name for each in symbols if not is_bookkeeping(each.name))
    return tuple(
        BuiltVariable(
            shown.get(each.name, each.name),
            each.address,
            each.size,
            each.is_thread_local,
            is_bookkeeping=each.name not in shown,
        )
        for each in symbols
    )


def kept_variables(path: Path) -> tuple[BuiltVariable, ...]:
    """Return the variables in which a library may keep something from one call to the next, by address.

    Left out, beside bookkeeping, is what holds addresses from the start: tables of functions, types and texts.

    Raises:
        ElfError: as :func:`built_variables`.
        OSError: as :func:`built_variables`.
    """
    sections = [(each.address, each.address + each.size) for each in read_image(path).sections]
    relocated = read_relocated(path)

    def is_kept(variable: BuiltVariable) -> bool:
        if variable.is_bookkeeping or variable.is_thread_local:
            return not variable.is_bookkeeping
        first = bisect_left(relocated, variable.address)
        is_table = first < len(relocated) and relocated[first] < variable.address + variable.size
        return not is_table and any(start <= variable.address < end for start, end in sections)

    return tuple(each for each in built_variables(path) if is_kept(each))


def is_bookkeeping(name: str) -> bool:
    """Whether a symbol is not the author's: guards, the runtime, pybind11, nanobind, Cython's own, numpy's tables."""
    plain = _NUMBERED.sub("", _CLONED.sub("", name))
    if (
        plain in _RUNTIME
        or _STARTED.match(name)
        or plain.startswith(("DW.ref.", "__do_global_", "__frame_dummy", "_IO_", "__gcov"))
    ):
        return True
    return any(each.match(plain) for each in (_GUARDS, _SCOPE, _CYTHON, _MODULE, _NUMPY))


def shown_names(names: Iterable[str]) -> dict[str, str]:
    """Return how each symbol is called to people; one that cannot be read is called as it is."""
    stripped = {name: _CLONED.sub("", name) for name in names}
    readable = demangled(_NUMBERED.sub("", each) for each in stripped.values())
    return {name: _shown(plain, readable) for name, plain in stripped.items()}


def _shown(name: str, readable: Mapping[str, str]) -> str:
    cython = _CYTHON_VARIABLE.match(name)
    if cython is not None:
        return _cython_name(name[cython.end() :])
    plain = _NUMBERED.sub("", name)
    found = readable.get(plain, plain)
    found = _STRING.sub("std::string", found.replace("[abi:cxx11]", ""))
    # C has no names for functions in those of their variables: a number tells them apart.
    is_local = name.startswith("_ZZ") if name.startswith("_Z") else plain != name
    return f"static {_shortened(found)}" if is_local else _shortened(found)


def _shortened(name: str) -> str:
    """Return a readable name without lists of parameters that are too long to be read."""
    starts: list[int] = []
    at = 0
    while at < len(name):
        if name[at] == "(":
            starts.append(at)
        elif name[at] == ")" and starts:
            start = starts.pop()
            if not starts and at - start > _LONG_PARAMETERS:
                name, at = f"{name[:start]}(...){name[at + 1 :]}", start + len("(...)") - 1
        at += 1
    return name


def _cython_name(name: str) -> str:
    """Return ``package.module.variable`` of ``7package6module_variable``."""
    parts = []
    while (length := _LENGTH.match(name)) is not None:
        end = length.end() + int(length[0])
        parts.append(name[length.end() : end])
        name = name[end:]
    return ".".join([*parts, name.removeprefix("_")])
