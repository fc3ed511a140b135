"""List, verify and clear the cache of environments and built bundles."""

import os
import tempfile
from collections.abc import Iterator
from itertools import chain

from bundlekit.api.validation import Progress
from bundlekit.cold_runner.environments.cache_dir import default_cache_dir
from bundlekit.cold_runner.environments.cache_leftovers import Leftover, kept_answers, leftovers
from bundlekit.cold_runner.environments.cache_removal import (
    Limits,
    doomed_entries,
    doomed_leftovers,
    remove_entry,
    remove_leftover,
)
from bundlekit.cold_runner.environments.cache_verification import Verification, verify_entry
from bundlekit.cold_runner.environments.cached_entries import CachedEntry, cached_entries
from bundlekit.model.cache import Cleared, Contents, Verified
from bundlekit.store.bundle_store import told_here
from bundlekit.store.stored_entries import set_aside, verify_stored

__all__ = ["Limits", "clear_cache", "list_cache", "verify_cache"]


def list_cache() -> Contents:
    """Return what is in the cache (VENVS_DIR, else the user's), and leftovers there, in TMPDIR and in the cwd."""
    directory = default_cache_dir()
    return Contents(directory, tuple(cached_entries(directory)), tuple(_leftovers(directory)))


def verify_cache(progress: Progress, *, remove: bool = False) -> Verified:
    """Hold every entry of the cache against its inventory; with `remove` the damaged go, so that they are built again.

    A bundle is set aside instead, and made again from its archive if that is sound: it may be the only copy.

    Raises:
        CacheUnusableError: the cache cannot be read or, with `remove`, written.
    """
    directory = default_cache_dir()
    found: list[Verification] = []
    removed: set[str] = set()
    with told_here():
        for entry in cached_entries(directory):
            progress(f"verifying {entry.directory}")
            found.append(verify_stored(entry) if entry.kind == "bundle" else verify_entry(entry))
            if remove and found[-1].verdict == "damaged" and _removed(entry):
                removed.add(entry.directory)
    return Verified(directory, tuple(found), frozenset(removed))


def clear_cache(limits: Limits, progress: Progress, *, dry_run: bool = False) -> Cleared:
    """Remove what is incomplete or left over, and entries beyond `limits`; never what a run holds.

    Raises:
        CacheUnusableError: something cannot be removed.
    """
    directory = default_cache_dir()
    entries = tuple(cached_entries(directory))
    doomed = doomed_entries(entries, limits)
    doomed_files = doomed_leftovers(chain(_leftovers(directory), kept_answers(directory)), limits)
    removals, spared = list(doomed), list[CachedEntry]()
    if not dry_run:
        removals = []
        with told_here():
            for each in doomed:
                progress(f"removing {each.entry.directory}")
                if remove_entry(each.entry):
                    removals.append(each)
                else:
                    spared.append(each.entry)
            doomed_files = [each for each in doomed_files if remove_leftover(each)]
    left_bytes = sum(each.size_bytes for each in entries) - sum(each.entry.size_bytes for each in removals)
    held = tuple(each for each in entries if each.is_held)
    return Cleared(directory, dry_run, tuple(removals), tuple(doomed_files), tuple(spared), held, left_bytes)


def _leftovers(directory: str) -> Iterator[Leftover]:
    return leftovers(directory, tempfile.gettempdir(), os.getcwd())  # noqa: PTH109 - the cold runner's paths are texts


def _removed(entry: CachedEntry) -> bool:
    return set_aside(entry) if entry.kind == "bundle" else remove_entry(entry)
