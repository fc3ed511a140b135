"""Removes entries of the cache that nobody holds, and leftovers: what is incomplete, or beyond an age or a size.

An entry is removed under its lock, held alone, and only if nobody has used it since it was judged: its marker goes
first, so that a removal that is cut short leaves nothing that counts as complete.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .cache_entry import MARKER
from .cache_leftovers import Leftover
from .cached_entries import CachedEntry
from .entry_lock import EntryLock, cache_failure
from .tree_removal import remove_tree

__all__ = ["Limits", "Removal", "doomed_entries", "doomed_leftovers", "remove_entry", "remove_leftover"]


class Limits(NamedTuple):
    """What may stay: entries used within `max_age_s` seconds, and the last used of them up to `max_bytes` in all."""

    max_age_s: float | None = None
    max_bytes: int | None = None


class Removal(NamedTuple):
    """An entry that is to go, and why."""

    entry: CachedEntry
    reason: str


def doomed_entries(entries: Sequence[CachedEntry], limits: Limits) -> list[Removal]:
    """Return which of `entries` are to go: the incomplete, the old, then the least recently used beyond the size.

    Code goes with the environment that it was built for, and before it. What is held stays, and counts in the size.
    """
    now = time.time()
    doomed: dict[str, Removal] = {}
    free = sorted((each for each in entries if not each.is_held), key=_order)
    for entry in free:
        if not entry.is_complete:
            doomed[entry.directory] = Removal(entry, "incomplete")
        elif limits.max_age_s is not None and now - entry.last_used_s >= limits.max_age_s:
            doomed[entry.directory] = Removal(entry, "not used for so long")
    size = sum(each.size_bytes for each in entries if each.directory not in doomed)
    for entry in free:
        if limits.max_bytes is None or size <= limits.max_bytes:
            break
        # What was kept on purpose goes by age alone.
        if entry.kind != "kept" and entry.directory not in doomed:
            doomed[entry.directory] = Removal(entry, "beyond the size")
            size -= entry.size_bytes
    gone = {each.entry.name for each in doomed.values() if each.entry.kind == "environment"}
    for entry in free:
        if entry.owner in gone:
            doomed.setdefault(entry.directory, Removal(entry, "its environment goes"))
    return sorted(doomed.values(), key=lambda each: (each.entry.kind == "environment", _order(each.entry)))


def doomed_leftovers(found: Iterator[Leftover], limits: Limits) -> list[Leftover]:
    """Return which of the leftovers are to go: all but those that the user wanted, unless they are too old."""
    now = time.time()
    return [
        each
        for each in found
        if not each.is_wanted or (limits.max_age_s is not None and now - each.changed_s >= limits.max_age_s)
    ]


def remove_entry(entry: CachedEntry) -> bool:
    """Remove `entry` with its lock, and return whether that was done: not if anybody holds it, or has since used it.

    Raises:
        RunnerError: E_CACHE when it cannot be removed.
    """
    was_locked = os.path.exists(entry.lock_path)
    lock = EntryLock(entry.lock_path, entry.directory)
    try:
        if not lock.takes(fcntl.LOCK_EX) or (was_locked and lock.changed_s() > entry.last_used_s):
            return False
        remove_tree(os.path.join(entry.directory, MARKER))
        remove_tree(entry.directory)
        if entry.kind == "environment":
            # Whoever builds code for it holds it, so nobody is about to make anything in these.
            for stem in (entry.directory, entry.lock_path.removesuffix(".lock")):
                _remove_if_empty(os.path.join(os.path.dirname(os.path.dirname(stem)), "code", entry.name))
        lock.remove()
    except OSError as error:
        raise cache_failure(entry.directory, error) from error
    finally:
        lock.close()
    return True


def remove_leftover(leftover: Leftover) -> bool:
    """Remove `leftover` and return whether that was done.

    Raises:
        RunnerError: E_CACHE when it cannot be removed.
    """
    try:
        if leftover.path.endswith(".lock"):
            return _remove_lock(leftover.path)
        remove_tree(leftover.path)
    except OSError as error:
        raise cache_failure(leftover.path, error) from error
    return True


def _remove_lock(path: str) -> bool:
    # Whoever is about to build holds it, or will find that the path leads to another file.
    lock = EntryLock(path, path)
    try:
        if not lock.takes(fcntl.LOCK_EX):
            return False
        lock.remove()
    finally:
        lock.close()
    return True


def _remove_if_empty(directory: str) -> None:
    try:
        os.rmdir(directory)
    except OSError:
        return


def _order(entry: CachedEntry) -> tuple[float, bool, str]:
    # By the minute: a task takes its environment, then its code. Of the two the code goes first.
    return entry.last_used_s // 60, entry.kind == "environment", entry.directory
