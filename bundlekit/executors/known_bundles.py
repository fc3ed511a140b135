"""The bundles that an executor has met: each read and hashed once, however many tasks of it there are."""

import threading
from pathlib import Path
from typing import NamedTuple

from bundlekit.errors import DigestMismatchError
from bundlekit.executors.backend import BundleToRun, run_settings
from bundlekit.model.contracts.ports import BundleRepository
from bundlekit.model.digest import Digest
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import check_entries
from bundlekit.read.project import read_project

__all__ = ["KnownBundles", "bundle_to_run"]


class _Key(NamedTuple):
    digest: Digest
    path: Path


class KnownBundles:
    """Gets bundles from `repository`; any number of threads may ask."""

    def __init__(self, repository: BundleRepository) -> None:
        self._repository = repository
        self._known: dict[_Key, BundleToRun] = {}
        self._changing = threading.Lock()
        self._reading: dict[_Key, threading.Lock] = {}

    def __len__(self) -> int:
        return len(self._known)

    def bundle(self, bundle_ref: str, digest: Digest) -> BundleToRun:
        """Return the bundle that `bundle_ref` names, whose digest is `digest`.

        Raises:
            DigestMismatchError: the repository gave another bundle.
            NameRefusedError: the directory holds what cannot ship, and would be left out.
            FileAccessError: the directory cannot be read.
        """
        answered, path = self._repository.ensure_local(bundle_ref)
        if _digest(answered) != digest:
            msg = f"the repository was asked for the bundle {digest} and gave one with the digest {answered!r:.100}"
            raise DigestMismatchError(msg, subject=answered)
        key = _Key(digest, Path(path))
        with self._changing:
            reading = self._reading.setdefault(key, threading.Lock())
        with reading:
            if key not in self._known:
                self._known[key] = bundle_to_run(key.path, digest)
            return self._known[key]


def bundle_to_run(path: Path, digest: Digest) -> BundleToRun:
    """Return the bundle in the directory `path`: the files that ship, and how its settings want its tasks run.

    Raises:
        NameRefusedError: see :meth:`KnownBundles.bundle`.
        FileAccessError: as above.
    """
    project = read_project(path)
    check_entries(project)
    return BundleToRun(path, hash_tree(path, project.members), digest, run_settings(project.settings))


def _digest(answered: str) -> Digest | None:
    """Return what a repository calls a digest, which may lack its algorithm, as one; None if it is none."""
    try:
        return Digest.parse(answered) if answered.startswith("sha256:") else Digest.from_hex(answered)
    except ValueError:
        return None
