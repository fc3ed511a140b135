"""Which libraries a process has loaded, of the bundle and of its dependencies, and where their memory is."""

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from bundlekit.isolation.native.memory import Mapping
from bundlekit.read.built_variables import BuiltVariable, built_variables
from bundlekit.read.elf import ElfError, ElfImage, read_image

__all__ = ["Library", "LibraryFile", "loaded_libraries", "variables_of"]

_SITES = ("site-packages", "dist-packages")
_LEFT_OUT = ("numpy/", "numpy.libs/", "pandas/", "pandas.libs/", "pyarrow/", "pyarrow.libs/")
"""Distributions with caches in their libraries; their settings that tasks can change, Python code can see."""
_RUNTIMES = ("libgfortran", "libstdc++", "libgcc_s", "libgomp", "libquadmath", "libopenblas", "libiomp", "libomp")
"""Libraries of compilers and of numerics, which wheels bring along: nobody's models."""

_BINDINGS = (b"__pybind11_internals", b"nanobind::")
_DELETED = " (deleted)"
_PAGE = 4096


class LibraryFile(NamedTuple):
    """A file; what else is known of it tells whether it was written anew since."""

    path: str
    version: tuple[int, ...]


class Library(NamedTuple):
    """A library as it is loaded; `bias` is what is to be added to the addresses in its file.

    `name` is its path from where it is installed; `file` is where this process finds it, and in which version. Of one
    that `hides_bindings`, nothing tells pybind11's or nanobind's pointers from its author's: it is stripped.
    """

    name: str
    file: LibraryFile
    is_own: bool
    bias: int
    image: ElfImage
    hides_bindings: bool = False


def loaded_libraries(pid: int, mappings: Iterable[Mapping], roots: Sequence[Path]) -> tuple[Library, ...]:
    """Return the libraries that a process has from below `roots`, the bundle's own, and those of dependencies.

    Whatever is neither there nor in a directory of installed packages is the system's.
    """
    own = tuple(f"{each}/" for root in roots for each in (root, root.resolve()))
    found = []
    for mapping in mappings:
        if mapping.offset or not mapping.path.startswith("/") or mapping.path.endswith(_DELETED):
            continue
        site = _below_site(mapping.path)
        below = next((root for root in own if mapping.path.startswith(root)), None)
        is_own = below is not None
        name = site or ("" if below is None else mapping.path.removeprefix(below))
        is_left_out = not name or name.rpartition("/")[2].startswith(_RUNTIMES)
        is_left_out |= not is_own and name.startswith(_LEFT_OUT)
        image = None if is_left_out else _image_at(pid, mapping.path)
        if image is not None:
            file, read = image
            bias = mapping.start - (read.start & -_PAGE)
            hides_bindings = is_own and not read.has_symbol_table and _has_bindings(file)
            found.append(Library(name, file, is_own, bias, read, hides_bindings))
    return tuple(found)


def _below_site(path: str) -> str | None:
    parts = path.split("/")
    sites = [number for number, part in enumerate(parts) if part in _SITES]
    return "/".join(parts[sites[-1] + 1 :]) if sites else None


def _image_at(pid: int, path: str) -> tuple[LibraryFile, ElfImage] | None:
    """Return where a file of the process is found from here, which may see other mounts, and what it is."""
    for each in (path, f"/proc/{pid}/root{path}"):
        try:
            state = os.stat(each)  # noqa: PTH116 - as for the mappings: one look at each of many files
        except OSError:
            continue
        file = LibraryFile(each, (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns))
        image = _image_of(file)
        if image is not None and each != path:
            # It is gone with the process, and names are asked for afterwards.
            variables_of(file)
        return None if image is None else (file, image)
    return None


@lru_cache(maxsize=1024)
def _image_of(file: LibraryFile) -> ElfImage | None:
    try:
        return read_image(Path(file.path))
    except (OSError, ElfError):
        return None


@lru_cache(maxsize=1024)
def _has_bindings(file: LibraryFile) -> bool:
    try:
        data = Path(file.path).read_bytes()
    except OSError:
        return False
    return any(each in data for each in _BINDINGS)


@lru_cache(maxsize=256)
def variables_of(file: LibraryFile) -> tuple[BuiltVariable, ...]:
    """Return the variables of a library by address, none where its file says nothing of them, or is gone."""
    try:
        return built_variables(Path(file.path))
    except (OSError, ElfError):
        return ()
