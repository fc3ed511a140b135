"""The bundles that this machine has: each under its full digest, as the archive and as the directory made of it.

An entry is ``bundles/<64 hex>`` in a cache directory, with a lock beside it and a marker that is written last, as every
entry of the cache (`cache_entry`): so `bundlekit cache` lists, verifies and clears bundles too. The entry's name is the
digest of the manifest in its archive, so nothing else is needed to tell whether it is as it was packed.

The order in which a bundle comes to the disk: the archive, synced; each file of the tree, its directories, the rename
of the tree, the entry's directory; the marker, synced and renamed; the entry's directory and its parent. Cut short
anywhere, it leaves an entry without a marker, which the next to ask for it makes anew.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.cold_runner.environments.cache_entry import held_entry, is_complete
from bundlekit.cold_runner.environments.entry_lock import EntryLock
from bundlekit.cold_runner.environments.writes import State, states_below
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import BundlekitError, CacheUnusableError, DigestMismatchError, FileAccessError, UsageError
from bundlekit.model.digest import Digest
from bundlekit.pack.archive_reader import read_archive, read_manifest
from bundlekit.pack.unpack import unpack_archive
from bundlekit.store.copies import copy_file, sync_directory
from bundlekit.store.stored_tree import tree_differences

__all__ = ["DAMAGED_FOLDER", "FOLDER", "ArchiveSource", "BundleStore", "StoredBundle", "damage_of", "told_here"]

FOLDER = "bundles"
DAMAGED_FOLDER = "damaged"
"""Where damaged entries go: somebody may want to see what became of them."""

_ARCHIVE = "bundle.tar.zst"
_TREE = "tree"
_PATIENCE_S = 900.0
_TRIES = 3
_LOOK_AGAIN_S = 1.0
"""A bundle in use is not looked at again for so long."""

ArchiveSource = Callable[[Path], None]
"""Writes a bundle's archive to a path where there is nothing, and brings it to the disk."""


class StoredBundle(NamedTuple):
    """A bundle of the store, found sound; it stays there as long as the store that gave it is open."""

    digest: Digest
    archive: Path
    tree: Path


class _Held(NamedTuple):
    bundle: StoredBundle
    lock: ExitStack
    states: Mapping[str, State]
    seen_s: float


class BundleStore:
    """The store in `cache_dir`. What it gives is held, and so never removed, until it is closed.

    Any number of threads and processes may use one directory. `log` hears what takes long and what was damaged.
    """

    def __init__(self, cache_dir: Path, log: Callable[[str], None] = lambda _line: None) -> None:
        self.cache_dir = cache_dir.absolute()
        self._log = log
        self._guard = threading.Lock()
        self._held: dict[Digest, _Held] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every bundle."""
        with self._guard:
            while self._held:
                self._held.popitem()[1].lock.close()

    def has(self, digest: Digest) -> bool:
        """Return whether the bundle is there; whether it is sound is only known once it is held."""
        return is_complete(str(self._entry(digest)), _key(digest), (_ARCHIVE, _TREE))

    def hold(self, digest: Digest, source: ArchiveSource | None = None) -> StoredBundle:
        """Return the bundle `digest`, made from `source` if it is not there; every byte of it was held against it.

        A damaged one is set aside, and made again from its own archive where that is sound, else from `source`.

        Raises:
            UsageError: it is not there, and there is no source.
            DigestMismatchError: it is damaged and there is no source, or somebody else is using it; or `source` gave
                another bundle.
            CacheUnusableError, FileAccessError: the store cannot be used.
            BundlekitError: whatever `source` raises, and what is wrong with the archive that it wrote.
        """
        with self._guard, told_here():
            known = self._held.get(digest)
            if known is not None:
                if self._is_unchanged(digest, known):
                    return known.bundle
                del self._held[digest]
                known.lock.close()
            for _ in range(_TRIES):
                bundle = self._sound(digest, source)
                if bundle is not None:
                    return bundle
            message = f"the stored bundle {digest} was damaged again each time that it was made"
            raise DigestMismatchError(message, subject=digest, hint="look at the disk of the cache")

    def adopt(self, archive: Path) -> StoredBundle:
        """Return the bundle of the file `archive`, copied into the store if it is not there.

        Raises:
            BundlekitError: as :meth:`hold`, and what is wrong with the archive.
        """
        return self.hold(read_manifest(archive).digest, partial(copy_file, archive))

    def _is_unchanged(self, digest: Digest, known: _Held) -> bool:
        if time.monotonic() - known.seen_s < _LOOK_AGAIN_S:
            return True
        if states_below(str(known.bundle.tree)) != known.states:
            return False
        self._held[digest] = known._replace(seen_s=time.monotonic())
        return True

    def _sound(self, digest: Digest, source: ArchiveSource | None) -> StoredBundle | None:
        """Return the bundle, held, or None when a damaged one was set aside and it is to be tried again."""
        entry = self._entry(digest)
        bundle = StoredBundle(digest, entry / _ARCHIVE, entry / _TREE)
        with ExitStack() as stack:
            was_there = stack.enter_context(self._opened(digest, source))
            if not was_there:
                # The marker, and the entry itself.
                sync_directory(entry)
                sync_directory(entry.parent)
            # Before the files are read: whoever writes to one meanwhile is noticed the next time.
            states = states_below(str(bundle.tree))
            damage = damage_of(bundle) if was_there else None
            if damage is None:
                self._held[digest] = _Held(bundle, stack.pop_all(), states, time.monotonic())
                return bundle
        self._log(f"Warning: the stored bundle {digest} is damaged: {damage}")
        self._heal(bundle, damage, source)
        return None

    def _opened(self, digest: Digest, source: ArchiveSource | None) -> AbstractContextManager[bool]:
        entry = self._entry(digest)
        return held_entry(
            str(entry),
            _key(digest),
            lambda directory, _lock: _build(Path(directory), digest, source),
            lock_path=self._lock_path(digest),
            needs=(_ARCHIVE, _TREE),
            deadline=time.monotonic() + _PATIENCE_S,
            log=self._log,
            lasting=False,
        )

    def _heal(self, bundle: StoredBundle, damage: str, source: ArchiveSource | None) -> None:
        """Set the damaged `bundle` aside, and make it again if its own archive is sound or there is a `source`."""
        entry = self._entry(bundle.digest)
        lock = EntryLock(self._lock_path(bundle.digest), str(entry))
        try:
            if not _soon(lock):
                message = f"the stored bundle {bundle.digest} is damaged ({damage}), and others are using it"
                raise DigestMismatchError(message, subject=bundle.digest, hint="end what uses it and try again")
            # Another may have healed it while this one waited.
            if not self.has(bundle.digest) or damage_of(bundle) is None:
                return
            aside = self.cache_dir / DAMAGED_FOLDER / f"{bundle.digest.hex}.{os.urandom(4).hex()}"
            aside.parent.mkdir(mode=0o700, exist_ok=True)
            entry.rename(aside)
            sync_directory(entry.parent)
        finally:
            lock.close()
        own = aside / _ARCHIVE
        if _is_sound_archive(own, bundle.digest):
            with self._opened(bundle.digest, partial(copy_file, own)):
                self._log(f"The bundle {bundle.digest} was made again from its archive; the damaged one is in {aside}")
        elif source is None:
            message = f"the stored bundle {bundle.digest} is damaged ({damage}), its archive too; it is now in {aside}"
            raise DigestMismatchError(message, subject=bundle.digest, hint="pull it again, or name its archive")

    def _entry(self, digest: Digest) -> Path:
        return self.cache_dir / FOLDER / digest.hex

    def _lock_path(self, digest: Digest) -> str:
        return str(self.cache_dir / "locks" / FOLDER / f"{digest.hex}.lock")


def damage_of(bundle: StoredBundle) -> str | None:
    """Return what is wrong with the tree of `bundle`, or None; its archive is only asked for the manifest."""
    try:
        content = read_manifest(bundle.archive)
        if content.digest != bundle.digest:
            return f"its archive is that of {content.digest}"
        changed = tree_differences(bundle.tree, content.manifest)
    except (BundlekitError, OSError) as error:
        return f"it cannot be read: {error}"
    if not changed:
        return None
    return f"{len(changed)} of its files differ, such as {changed[0].path!a}, {changed[0].change}"


@contextmanager
def told_here() -> Iterator[None]:
    """Let the cache's failures be told as the library's errors.

    Raises:
        FileAccessError: the disk is full, or an I/O error.
        CacheUnusableError: whatever else is wrong with the cache.
    """
    try:
        yield
    except RunnerError as error:
        kind = FileAccessError if error.code is ErrorCode.IO else CacheUnusableError
        raise kind(error.message) from error


def _key(digest: Digest) -> dict[str, str]:
    return {"schema": "bundlekit/stored-bundle/1", "digest": digest}


def _build(directory: Path, digest: Digest, source: ArchiveSource | None) -> None:
    if source is None:
        message = f"the bundle {digest} is not in the store"
        raise UsageError(message, subject=digest, hint="pull it, or name its archive or directory")
    directory.mkdir(mode=0o700)
    source(directory / _ARCHIVE)
    content = unpack_archive(directory / _ARCHIVE, directory / _TREE)
    if content.digest != digest:
        message = f"expected the archive of {digest}, found that of {content.digest}"
        raise DigestMismatchError(message, subject=content.digest)
    sync_directory(directory)


def _is_sound_archive(archive: Path, digest: Digest) -> bool:
    try:
        return read_archive(archive).digest == digest
    except BundlekitError:
        return False


def _soon(lock: EntryLock) -> bool:
    """Return whether the lock was had alone: readers that only verify let go of it in a moment."""
    limit = time.monotonic() + 10.0
    while not lock.takes(fcntl.LOCK_EX):
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True
