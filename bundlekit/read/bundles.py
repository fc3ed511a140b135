"""Finds the bundles of a repository by what marks a directory as one."""

import os
import re
from pathlib import Path

from bundlekit.cold_runner.exclusions import REGISTRY, excluded_by_default
from bundlekit.read.document import regular_file

__all__ = ["find_bundles", "is_bundle"]

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


def find_bundles(root: Path) -> list[Path]:
    """Return the directories at and below `root` that are marked as bundles, sorted.

    Default exclusions are not entered, links not followed. A `root` that is marked and is no git repository is the
    only bundle: what lies below it is its own.
    """
    if is_bundle(root) and not (root / ".git").exists():
        return [root]
    found = []
    for directory, names, _ in os.walk(root):
        path = Path(directory)
        names[:] = sorted(name for name in names if excluded_by_default(name, is_directory=True) is None)
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
