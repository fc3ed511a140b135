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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.cold_runner.environments.cache_entry import held_entry, is_complete
from bundlekit.cold_runner.environments.cache_place import warn_of_others
from bundlekit.cold_runner.environments.entry_inventory import Difference
from bundlekit.cold_runner.environments.entry_lock import EntryLock
from bundlekit.cold_runner.environments.writes import State, states_below
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import BundleNotFoundError, CacheUnusableError, DigestMismatchError, FileAccessError
from bundlekit.model.digest import Digest
from bundlekit.pack.archive_reader import read_manifest
from bundlekit.pack.unpack import unpack_archive
from bundlekit.store.copies import copy_file, sync_directory
from bundlekit.store.stored_bundle import ARCHIVE, TREE, ArchiveSource, StoredBundle, damage_of, recovery

__all__ = ["BundleStore", "told_here"]

_FOLDER = "bundles"
_DAMAGED_FOLDER = "damaged"
"""Where damaged entries go: somebody may want to see what became of them."""

_PATIENCE_S = 900.0
_TRIES = 3
_USERS_LET_GO_S = 10.0
"""Others that hold a damaged bundle notice it, when they are asked for it again, and let go."""

_LOOK_AGAIN_S = 1.0
"""A bundle in use is not looked at again for so long."""


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
        self._is_new = True

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
        return is_complete(str(self._entry(digest)), _key(digest), ())

    def hold(self, digest: Digest, source: ArchiveSource | None = None) -> StoredBundle:
        """Return the bundle `digest`, made from `source` if it is not there; every byte of it was held against it.

        A damaged one is set aside, and made again from its own archive where that is sound, else from `source`.

        Raises:
            BundleNotFoundError: it is not there, and there is no source.
            DigestMismatchError: it is damaged and there is no source, or somebody else is using it; or `source` gave
                another bundle.
            CacheUnusableError, FileAccessError: the store cannot be used.
            BundlekitError: whatever `source` raises, and what is wrong with the archive that it wrote.
        """
        with self._guard, told_here():
            if source is None and not self.has(digest):
                message = f"the bundle {digest} is not in the store"
                raise BundleNotFoundError(message, subject=digest, hint="pull it, or name its archive or directory")
            if self._is_new:
                self.cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
                warn_of_others(str(self.cache_dir), self.cache_dir.stat(), self._log)
                self._is_new = False
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

    def mend(self, digest: Digest) -> None:
        """Set the bundle `digest` aside if any of it is damaged, and make it again of what is sound.

        Raises:
            DigestMismatchError: others are using it, or nothing of it is sound; in that case it was set aside.
            CacheUnusableError, FileAccessError: the store cannot be used.
        """
        with told_here():
            bundle = StoredBundle.of(self._entry(digest), digest)
            self._mend(self._set_aside(bundle, thorough=True, patience_s=0.0), None)

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
        bundle = StoredBundle.of(entry, digest)
        with ExitStack() as stack:
            was_there = stack.enter_context(self._opened(digest, source))
            if not was_there:
                # The marker, and the entry itself.
                sync_directory(entry)
                sync_directory(entry.parent)
            # Before the files are read: whoever writes to one meanwhile is noticed the next time.
            states = states_below(str(bundle.tree))
            damage = damage_of(bundle) if was_there else ()
            if not damage:
                self._held[digest] = _Held(bundle, stack.pop_all(), states, time.monotonic())
                return bundle
        self._log(f"Warning: the stored bundle {digest} is damaged: {_shown(damage)}")
        self._mend(self._set_aside(bundle, thorough=False, patience_s=_USERS_LET_GO_S), source)
        return None

    def _opened(self, digest: Digest, source: ArchiveSource | None) -> AbstractContextManager[bool]:
        entry = self._entry(digest)
        return held_entry(
            str(entry),
            _key(digest),
            lambda directory, _lock: _build(Path(directory), digest, source),
            lock_path=self._lock_path(digest),
            needs=(),
            deadline=time.monotonic() + _PATIENCE_S,
            log=self._log,
            lasting=False,
        )

    def _mend(self, damaged: StoredBundle | None, source: ArchiveSource | None) -> None:
        """Make a bundle that was set aside again from what is sound of it; a `source` is for who asks next."""
        if damaged is None:
            return
        own = recovery(damaged)
        if own is not None:
            with self._opened(damaged.digest, own):
                self._log(f"The bundle {damaged.digest} was made again of what was sound; see {damaged.tree.parent}")
        elif source is None:
            message = f"the stored bundle {damaged.digest} was damaged beyond repair, and is now in"
            message = f"{message} {damaged.tree.parent}"
            raise DigestMismatchError(message, subject=damaged.digest, hint="pull it again, or name its archive")

    def _set_aside(self, bundle: StoredBundle, *, thorough: bool, patience_s: float) -> StoredBundle | None:
        """Return where the damaged `bundle` is now; None if another has mended it meanwhile.

        Raises:
            DigestMismatchError: others hold it for longer than `patience_s`.
        """
        entry = self._entry(bundle.digest)
        lock = EntryLock(self._lock_path(bundle.digest), str(entry))
        try:
            if not _soon(lock, patience_s):
                message = f"the stored bundle {bundle.digest} is damaged, and others are using it"
                raise DigestMismatchError(message, subject=bundle.digest, hint="end what uses it, and try again")
            if not self.has(bundle.digest) or not damage_of(bundle, thorough=thorough):
                return None
            aside = self.cache_dir / _DAMAGED_FOLDER / f"{bundle.digest.hex}.{os.urandom(4).hex()}"
            aside.parent.mkdir(mode=0o700, exist_ok=True)
            entry.rename(aside)
            sync_directory(entry.parent)
        finally:
            lock.close()
        return StoredBundle.of(aside, bundle.digest)

    def _entry(self, digest: Digest) -> Path:
        return self.cache_dir / _FOLDER / digest.hex

    def _lock_path(self, digest: Digest) -> str:
        return str(self.cache_dir / "locks" / _FOLDER / f"{digest.hex}.lock")


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
    except OSError as error:
        message = f"the cache cannot be used: {error.filename}: {error.strerror}"
        raise CacheUnusableError(message, subject=error.filename) from error


def _key(digest: Digest) -> dict[str, str]:
    return {"schema": "bundlekit/stored-bundle/1", "digest": digest}


def _build(directory: Path, digest: Digest, source: ArchiveSource | None) -> None:
    if source is None:
        message = f"the bundle {digest} went from the store a moment ago"
        raise BundleNotFoundError(message, subject=digest, hint="pull it again, or name its archive or directory")
    directory.mkdir(mode=0o700)
    source(directory / ARCHIVE)
    content = unpack_archive(directory / ARCHIVE, directory / TREE)
    if content.digest != digest:
        message = f"expected the archive of {digest}, found that of {content.digest}"
        raise DigestMismatchError(message, subject=content.digest)
    sync_directory(directory)


def _soon(lock: EntryLock, patience_s: float) -> bool:
    """Return whether the lock was had alone within `patience_s`."""
    limit = time.monotonic() + patience_s
    while not lock.takes(fcntl.LOCK_EX):
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def _shown(damage: Sequence[Difference]) -> str:
    return f"{len(damage)} of its files differ, such as {damage[0].path!a}, {damage[0].change}"
