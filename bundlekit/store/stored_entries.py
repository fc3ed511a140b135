"""Bundles of the store as entries of the cache: held against their own digests by who looks after the cache."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from bundlekit.cold_runner.environments.cache_verification import Verification
from bundlekit.cold_runner.environments.cached_entries import CachedEntry
from bundlekit.cold_runner.environments.entry_lock import EntryLock, cache_failure
from bundlekit.errors import DigestMismatchError
from bundlekit.model.digest import Digest
from bundlekit.store.bundle_store import BundleStore
from bundlekit.store.stored_bundle import StoredBundle, damage_of

__all__ = ["set_aside", "verify_stored"]


def verify_stored(entry: CachedEntry) -> Verification:
    """Return what differs in the bundle `entry`, which is held meanwhile; its archive is read through too.

    Raises:
        RunnerError: E_CACHE when something in it cannot be read.
    """
    lock = EntryLock(entry.lock_path, entry.directory)
    try:
        if not lock.takes(fcntl.LOCK_SH) or not os.path.isdir(entry.directory):  # noqa: PTH112 - the entry's is a text
            return Verification(entry, "busy")
        if not entry.is_complete:
            return Verification(entry, "incomplete")
        bundle = StoredBundle.of(Path(entry.directory), Digest.from_hex(entry.name))
        found = damage_of(bundle, thorough=True)
    except OSError as error:
        raise cache_failure(entry.directory, error) from error
    finally:
        lock.close()
    return Verification(entry, "damaged" if found else "sound", found)


def set_aside(entry: CachedEntry) -> bool:
    """Set the damaged bundle `entry` aside, made again of what is sound of it; return False if others use it.

    Raises:
        BundlekitError: the store cannot be used.
    """
    directory = Path(entry.directory)
    before = directory.stat().st_ino
    with BundleStore(directory.parent.parent) as store, suppress(DigestMismatchError):
        store.mend(Digest.from_hex(entry.name))
    return not directory.exists() or directory.stat().st_ino != before
