"""What runs that were killed have left outside of entries: scratch directories, half-written files, locks of nothing.

A directory that is in use is locked by its process (see `scratch_claim`) or was written to within the hour.
"""

import os
import re
import time
from collections.abc import Iterator
from typing import NamedTuple

from .cached_entries import tree_size
from .entry_lock import is_held

__all__ = ["Leftover", "kept_answers", "leftovers"]

_MEMORIES = ("declarations", "probes")
_SURELY_DEAD_S = 3600.0
_IN_TMP = (
    (re.compile(r"bundlekit-kept-[0-9a-f]{32}"), "files of a task that PRESERVE_TMP kept"),
    (re.compile(r"bundlekit-(?:task-)?[0-9a-f]{32}"), "scratch directory of a run that was killed"),
    (re.compile(r"bundlekit-unpacked-[a-z0-9_]{8}"), "unpacked bundle of a command that was killed"),
    (re.compile(r"bundlekit-job-[0-9a-f]{16}"), "task of a run that was killed"),
)
_BESIDE_ARCHIVES = (
    (re.compile(r"\.bundlekit-\w+\.pack"), "unfinished archive of a pack that was killed"),
    (re.compile(r"\.bundlekit-\w+\.unpack"), "unfinished directory of an unpack that was killed"),
)
_IN_STORE = (
    ("partial", re.compile(r"[0-9a-f]{64}"), "transfer of a bundle that did not come to its end"),
    ("partial", re.compile(r"tree-[0-9a-f]{32}"), "files of a pull that was killed"),
    ("damaged", re.compile(r"[0-9a-f]{64}\.[0-9a-f]{8}"), "damaged bundle that was set aside"),
)
_IN_MEMORIES = ((re.compile(r"[0-9a-f]{64}\.json\.\d+"), "unfinished answer of a run that was killed"),)


class Leftover(NamedTuple):
    """A file or directory that nothing uses; `is_wanted` where the user asked for it to be kept."""

    path: str
    reason: str
    size_bytes: int
    changed_s: float
    is_wanted: bool = False


def leftovers(cache_dir: str, tmp_dir: str, working_dir: str) -> Iterator[Leftover]:
    """Yield what was left in the cache, in the directory for temporary files, and beside archives in `working_dir`."""
    for folder in _MEMORIES:
        yield from _found(os.path.join(cache_dir, folder), _IN_MEMORIES)
    for folder, pattern, reason in _IN_STORE:
        yield from _found(os.path.join(cache_dir, folder), ((pattern, reason),))
    yield from _locks_of_nothing(cache_dir)
    yield from _found(tmp_dir, _IN_TMP)
    yield from _found(working_dir, _BESIDE_ARCHIVES)


def kept_answers(cache_dir: str) -> Iterator[Leftover]:
    """Yield the small answers that runs keep in the cache; they are wanted, and made again where they are missing."""
    for folder in _MEMORIES:
        for name in _listed(os.path.join(cache_dir, folder)):
            path = os.path.join(cache_dir, folder, name)
            yield Leftover(path, "answer that was kept", tree_size(path), _newest_s(path), is_wanted=True)


def _found(folder: str, patterns: tuple[tuple[re.Pattern[str], str], ...]) -> Iterator[Leftover]:
    for name in _listed(folder):
        reason = next((reason for pattern, reason in patterns if pattern.fullmatch(name)), None)
        path = os.path.join(folder, name)
        if reason is not None and _is_ours(path):
            changed_s = _newest_s(path)
            # The lock of what is young is not tried: its process may be about to take it.
            if 0 < changed_s < time.time() - _SURELY_DEAD_S and not is_held(path):
                yield Leftover(path, reason, tree_size(path), changed_s, is_wanted="kept" in reason)


def _locks_of_nothing(cache_dir: str) -> Iterator[Leftover]:
    locks = os.path.join(cache_dir, "locks")
    for folder, _, names in os.walk(locks):
        entry_folder = os.path.join(cache_dir, os.path.relpath(folder, locks))
        for name in names:
            path = os.path.join(folder, name)
            if os.path.lexists(os.path.join(entry_folder, name.removesuffix(".lock"))) or is_held(path):
                continue
            yield Leftover(path, "lock without an entry", 0, _newest_s(path))


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _is_ours(path: str) -> bool:
    try:
        return os.lstat(path).st_uid == os.geteuid()
    except OSError:
        return False


def _newest_s(path: str) -> float:
    """Return when anything in `path` was last changed, as unix time; 0 if it is gone."""
    try:
        newest = os.lstat(path).st_mtime
    except OSError:
        return 0.0
    for folder, folders, names in os.walk(path):
        for name in (*folders, *names):
            try:
                newest = max(newest, os.lstat(os.path.join(folder, name)).st_mtime)
            except OSError:
                continue
    return newest
