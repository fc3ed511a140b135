"""What is in the cache: every entry with its size, its last use and its state, complete or not.

Reading only. An entry may be built, used or removed meanwhile: what is told was true when it was looked at.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Literal, NamedTuple

from .cache_entry import MARKER
from .cache_place import KEPT
from .entry_lock import is_held

__all__ = ["CachedEntry", "Kind", "cached_entries", "tree_size"]

Kind = Literal["environment", "code", "requirements", "bundle", "fresh", "kept"]

_FOLDERS: tuple[tuple[Kind, str], ...] = (
    ("environment", "environments"),
    ("requirements", "requirements"),
    ("bundle", "bundles"),
)


class CachedEntry(NamedTuple):
    """One directory of the cache.

    ``bundle`` is one of the store's (`bundlekit.store`).
    ``fresh`` is a throw-away environment of a run that still lasts, or was killed; ``kept`` one that PRESERVE_TMP left.
    `facts` is the key in the marker. `last_used_s` is unix time, by the clock of then. `owner` is the name of the
    environment that code was built for, else empty. Whoever uses or builds an entry holds it.
    """

    kind: Kind
    name: str
    directory: str
    lock_path: str
    facts: Mapping[str, str]
    is_complete: bool
    is_held: bool
    size_bytes: int
    last_used_s: float
    owner: str = ""


def cached_entries(cache_dir: str) -> Iterator[CachedEntry]:
    """Yield every entry of the cache; none if there is no such directory."""
    locks = os.path.join(cache_dir, "locks")
    for kind, folder in _FOLDERS:
        for name in _directories(os.path.join(cache_dir, folder)):
            yield _entry(kind, name, os.path.join(cache_dir, folder, name), os.path.join(locks, folder, name))
    for owner in _directories(os.path.join(cache_dir, "code")):
        for name in _directories(os.path.join(cache_dir, "code", owner)):
            places = (os.path.join(place, "code", owner, name) for place in (cache_dir, locks))
            yield _entry("code", name, *places)._replace(owner=owner)
    fresh = os.path.join(cache_dir, "fresh")
    for name in _directories(fresh):
        directory = os.path.join(fresh, name)
        kept = os.path.exists(os.path.join(directory, KEPT))
        found = _entry("kept" if kept else "fresh", name, directory, directory)
        yield found._replace(is_complete=kept or found.is_held)


def tree_size(path: str) -> int:
    """Return the bytes in the file or below the directory `path`; what vanishes meanwhile does not count."""
    return sum(_sizes(path))


def _entry(kind: Kind, name: str, directory: str, lock_stem: str) -> CachedEntry:
    lock_path = lock_stem + ".lock"
    facts = _facts(directory)
    return CachedEntry(
        kind=kind,
        name=name,
        directory=directory,
        lock_path=lock_path,
        facts=facts or {},
        is_complete=facts is not None and _has_interpreter(kind, directory),
        is_held=is_held(lock_path),
        size_bytes=tree_size(directory),
        last_used_s=_changed_s(lock_path) or _changed_s(directory),
    )


def _facts(directory: str) -> dict[str, str] | None:
    try:
        with open(os.path.join(directory, MARKER), "rb") as file:
            key = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None
    return {str(name): str(value) for name, value in key.items()} if isinstance(key, dict) else None


def _has_interpreter(kind: Kind, directory: str) -> bool:
    parts = {"environment": ("bin", "python"), "code": ("venv", "bin", "python")}.get(kind, ())
    return os.path.exists(os.path.join(directory, *parts))


def _directories(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _sizes(path: str) -> Iterator[int]:
    pending = [path]
    while pending:
        path = pending.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        yield entry.stat(follow_symlinks=False).st_size
        except NotADirectoryError:
            with suppress(FileNotFoundError):
                yield os.lstat(path).st_size
        except OSError:
            continue


def _changed_s(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0
