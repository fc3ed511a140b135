"""Bundles of a directory, found by their digests: archives that pack made, and bundles as they are worked on."""

import logging
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bundlekit.errors import BundlekitError, FileAccessError, UsageError
from bundlekit.model.contracts.tasks import digest_of_reference
from bundlekit.model.digest import Digest
from bundlekit.pack.archive_reader import read_manifest
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest
from bundlekit.read.project import read_project
from bundlekit.store.bundle_store import BundleStore
from bundlekit.store.copies import copy_file

__all__ = ["BundleDirectory"]

_LOG = logging.getLogger("bundlekit.executors")


class _Listed(NamedTuple):
    """What is in the directory: bundles by digest, and what is no bundle, with the reason."""

    paths: dict[Digest, Path]
    others: list[str]


class BundleDirectory:
    """A BundleRepository over the children of `directory`; archives are kept in the store in `cache_dir`.

    Any number of threads and processes may use one cache. What is new in the directory is found when it is asked for.
    """

    def __init__(self, directory: Path, cache_dir: Path) -> None:
        self._directory = directory
        self._store = BundleStore(cache_dir, _LOG.warning)
        self._lock = threading.Lock()
        self._local: dict[Digest, Path] = {}

    def ensure_local(self, bundle_ref: str) -> tuple[str, Path]:
        """Return the digest of the bundle that `bundle_ref` names, and a directory that holds it.

        Raises:
            ContractError: the reference has no digest.
            UsageError: no bundle of the directory has that digest.
            BundlekitError: it cannot be read, or the store not be used.
        """
        digest = digest_of_reference(bundle_ref)
        with self._lock:
            if digest not in self._local:
                self._local[digest] = self._found(digest)
            path = self._local[digest]
            return digest, path if path.is_dir() else self._store.hold(digest, partial(copy_file, path)).tree

    def exists(self, bundle_ref: str) -> bool:
        """Return whether a bundle of the directory has the digest of `bundle_ref`."""
        return digest_of_reference(bundle_ref) in self._listed().paths

    def _found(self, digest: Digest) -> Path:
        listed = self._listed()
        path = listed.paths.get(digest)
        if path is None:
            there = [f"{each.name} {known}" for known, each in listed.paths.items()]
            msg = (
                f"no bundle in {self._directory} has the digest {digest}; "
                f"there are: {', '.join([*there, *listed.others]) or 'none'}"
            )
            raise UsageError(msg, subject=digest, hint="pack the bundle, and put the archive into that directory")
        return path

    def _listed(self) -> _Listed:
        listed = _Listed({}, [])
        for path in self._children():
            try:
                listed.paths[_digest(path)] = path
            except BundlekitError as error:
                listed.others.append(f"{path.name} (no bundle: {error.message:.200})")
        return listed

    def _children(self) -> Iterator[Path]:
        try:
            children = sorted(self._directory.iterdir())
        except OSError as error:
            msg = f"cannot read MODELOPS_BUNDLES_DIR {self._directory}: {error.strerror}"
            raise FileAccessError(msg, subject=str(self._directory)) from error
        for path in children:
            if path.name.endswith(".tar.zst") or (path.is_dir() and not path.name.startswith(".")):
                yield path


def _digest(path: Path) -> Digest:
    if not path.is_dir():
        return read_manifest(path).digest
    project = read_project(path)
    return manifest_digest(manifest_of(project, hash_tree(path, project.members)))
