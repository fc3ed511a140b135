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
_DELETED = " (deleted)"
_PAGE = 4096


class LibraryFile(NamedTuple):
    """A file; what else is known of it tells whether it was written anew since."""

    path: str
    version: tuple[int, ...]


class Library(NamedTuple):
    """A library as it is loaded; `bias` is what is to be added to the addresses in its file.

    `name` is its path from where it is installed; `file` is where this process finds it, and in which version.
    """

    name: str
    file: LibraryFile
    is_own: bool
    bias: int
    image: ElfImage


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
        image = _image_at(pid, mapping.path) if name and (is_own or not name.startswith(_LEFT_OUT)) else None
        if image is not None:
            file, read = image
            found.append(Library(name, file, is_own, mapping.start - (read.start & -_PAGE), read))
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


@lru_cache(maxsize=256)
def variables_of(file: LibraryFile) -> tuple[BuiltVariable, ...]:
    """Return the variables of a library by address, none where its file says nothing of them, or is gone."""
    try:
        return built_variables(Path(file.path))
    except (OSError, ElfError):
        return ()
