"""A directory held against a manifest: every file by its bytes and mode, and nothing else in it."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from bundlekit.cold_runner.environments.entry_inventory import Difference
from bundlekit.model.manifest import Manifest, ManifestFile
from bundlekit.pack.in_order import in_order

__all__ = ["tree_differences"]

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_BATCH = 64


def tree_differences(root: Path, manifest: Manifest) -> tuple[Difference, ...]:
    """Return what in `root` is not as `manifest` lists it, sorted by path.

    Raises:
        OSError: something in it cannot be read.
    """
    promised = {file.path: file for file in manifest.files}
    parents = _parents(promised)
    found = {path: status for path, status in _entries(os.fsencode(root), "") if path not in parents}
    added = [Difference(path, "added") for path in found if path not in promised]
    missing = [Difference(path, "missing") for path in promised if path not in found]
    there = [file for file in manifest.files if file.path in found]
    batches = [there[start : start + _BATCH] for start in range(0, len(there), _BATCH)]
    total = sum(file.size for file in there)
    edited: list[Difference] = []
    for batch in in_order((partial(_edited, root, found, batch) for batch in batches), total_bytes=total):
        edited += batch
    return tuple(sorted([*added, *missing, *edited]))


def _entries(here: bytes, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(here) as entries:
        for entry in entries:
            path = prefix + entry.name.decode("utf-8", "surrogateescape")
            if entry.is_dir(follow_symlinks=False):
                yield path + "/", entry.stat(follow_symlinks=False)
                yield from _entries(entry.path, path + "/")
            else:
                yield path, entry.stat(follow_symlinks=False)


def _parents(paths: Iterable[str]) -> frozenset[str]:
    """Return the directories that `paths` need, each with its slash."""
    parents: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent + "/" not in parents:
            parents.add(parent + "/")
            parent = parent.rpartition("/")[0]
    return frozenset(parents)


def _edited(root: Path, found: dict[str, os.stat_result], files: list[ManifestFile]) -> list[Difference]:
    return [Difference(file.path, "edited") for file in files if not _is_as_listed(root, found[file.path], file)]


def _is_as_listed(root: Path, status: os.stat_result, file: ManifestFile) -> bool:
    if not stat.S_ISREG(status.st_mode) or status.st_size != file.size:
        return False
    if stat.S_IMODE(status.st_mode) != int(file.mode, 8):
        return False
    with open(os.open(root / file.path, _OPEN), "rb") as content:  # noqa: PTH123 - a descriptor, not a path
        return hashlib.file_digest(content, "sha256").hexdigest() == file.sha256.hex
