"""Holds entries of the cache against the inventories that were written when they were built."""

import fcntl
import os
from typing import Literal, NamedTuple

from .cached_entries import CachedEntry
from .entry_inventory import Difference, differences
from .entry_lock import EntryLock, cache_failure

__all__ = ["Verification", "verify_entry"]


class Verification(NamedTuple):
    """The verdict on one entry: busy while it is built or removed, unknown without an inventory.

    There is none for what is thrown away or kept by PRESERVE_TMP, and for what another version built.
    """

    entry: CachedEntry
    verdict: Literal["sound", "damaged", "incomplete", "busy", "unknown"]
    differences: tuple[Difference, ...] = ()


def verify_entry(entry: CachedEntry) -> Verification:
    """Return what differs in `entry`, which is held meanwhile, so that nobody builds or removes it.

    Raises:
        RunnerError: E_CACHE when something in it cannot be read.
    """
    lock = EntryLock(entry.lock_path, entry.directory)
    try:
        if not lock.takes(fcntl.LOCK_SH) or not os.path.isdir(entry.directory):
            return Verification(entry, "busy")
        if not entry.is_complete:
            return Verification(entry, "incomplete")
        found = differences(entry.directory)
    except OSError as error:
        raise cache_failure(entry.directory, error) from error
    finally:
        lock.close()
    if found is None:
        return Verification(entry, "unknown")
    return Verification(entry, "damaged" if found else "sound", found)
