"""Finds the bundles of a repository by what marks a directory as one."""

import os
import re
from pathlib import Path

from bundlekit.cold_runner.exclusions import REGISTRY, excluded_by_default, is_virtual_environment
from bundlekit.errors import UsageError
from bundlekit.read.document import regular_file

__all__ = ["MAX_SEARCHED", "find_bundles", "is_bundle"]

MAX_SEARCHED = 20_000
"""Directories: no repository of bundles has so many, and a search from the root of a disk must end soon."""

_MARKED_PYPROJECT = re.compile(
    rb"""^[ \t]*\[+[ \t]*(?:tool[ \t]*\.[ \t]*["']?(?:bundlekit|modelops)["']?[ \t]*[.\]]"""
    rb"""|project[ \t]*\.[ \t]*["']?entry-points["']?[ \t]*\.[ \t]*["']?modelops[\w.-]*["']?)"""
    # Any group that begins so: one that is misspelt must not hide its bundle. A dependency of that name is no group.
    rb"""|^[^#\n]*\.[ \t]*["']modelops[\w.-]*["'][ \t]*[=.\]]"""
    rb"""|^[ \t]*["']modelops[\w.-]*["'][ \t]*[=.]""",
    re.MULTILINE,
)
_MARKS = (".modelops/manifest.json", ".modelops/modelops.toml", REGISTRY)
_BESIDE_WIRE = ("requirements.txt", "manifest.json")
_MAX_BYTES = 1024 * 1024


def find_bundles(root: Path, *, most: int = MAX_SEARCHED) -> list[Path]:
    """Return the directories at and below `root` that are marked as bundles, sorted.

    Default exclusions are not entered, links not followed. A `root` that is marked and is no git repository is the
    only bundle: what lies below it is its own.

    Raises:
        UsageError: `root` has more than `most` directories.
    """
    if is_bundle(root) and not (root / ".git").exists():
        return [root]
    found = []
    for searched, (directory, names, _) in enumerate(os.walk(root)):
        path = Path(directory)
        if searched >= most:
            message = f"the search for bundles below {root} ends after {most:,} directories, at {path}"
            raise UsageError(message, subject=str(root), hint="name a bundle, or a repository of bundles")
        names[:] = sorted(name for name in names if not _is_left_out(directory, name))
        if is_bundle(path):
            found.append(path)
    return sorted(found)


def is_bundle(path: Path) -> bool:
    """Whether the directory `path` is marked as a bundle."""
    if any((path / mark).is_file() for mark in _MARKS):
        return True
    if (path / "wire.py").is_file() and any((path / name).is_file() for name in _BESIDE_WIRE):
        return True
    try:
        file = regular_file(path / "pyproject.toml")
        if file is None:
            return False
        with file:
            return _MARKED_PYPROJECT.search(file.read(_MAX_BYTES)) is not None
    except OSError:
        return False


def _is_left_out(parent: str, name: str) -> bool:
    return excluded_by_default(name, is_directory=True) is not None or is_virtual_environment(f"{parent}/{name}")
