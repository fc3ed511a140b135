"""The libraries that the build of a bundle made, and what they may keep from one call to the next."""

import os
from pathlib import Path

from bundlekit.probe.evidence import BuiltLibrary
from bundlekit.read.built_variables import kept_variables
from bundlekit.read.elf import ElfError

__all__ = ["built_libraries"]

_MOST = 100


def built_libraries(site: Path) -> tuple[BuiltLibrary, ...]:
    """Return the libraries below `site` that keep anything, by path; what is no library that is read is left out."""
    found = []
    for folder, folders, names in os.walk(site):
        folders.sort()
        found += [Path(folder, name) for name in sorted(names) if ".so" in name]
    libraries = []
    for path in found[:_MOST]:
        try:
            variables = kept_variables(path)
        except (ElfError, OSError):
            continue
        if variables:
            libraries.append(BuiltLibrary(path.relative_to(site).as_posix(), variables))
    return tuple(libraries)
