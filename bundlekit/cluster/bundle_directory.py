"""Bundles of a directory, found by their digests: archives that pack made, and bundles as they are worked on."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bundlekit.errors import BundlekitError, DigestMismatchError, FileAccessError, UsageError
from bundlekit.model.contracts.tasks import digest_of_reference
from bundlekit.model.digest import Digest
from bundlekit.pack.archive_reader import read_manifest
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest
from bundlekit.pack.unpack import unpack_archive
from bundlekit.read.project import read_project

__all__ = ["BundleDirectory"]


class _Listed(NamedTuple):
    """What is in the directory: bundles by digest, and what is no bundle, with the reason."""

    paths: dict[Digest, Path]
    others: list[str]


class BundleDirectory:
    """A BundleRepository over the children of `directory`; archives are unpacked once, below `cache_dir`.

    Any number of threads and processes may use one cache. What is new in the directory is found when it is asked for.
    """

    def __init__(self, directory: Path, cache_dir: Path) -> None:
        self._directory = directory
        self._cache_dir = cache_dir
        self._lock = threading.Lock()
        self._local: dict[Digest, Path] = {}

    def ensure_local(self, bundle_ref: str) -> tuple[str, Path]:
        """Return the digest of the bundle that `bundle_ref` names, and a directory that holds it.

        Raises:
            ContractError: the reference has no digest.
            UsageError: no bundle of the directory has that digest.
            BundlekitError: it cannot be read or unpacked.
        """
        digest = digest_of_reference(bundle_ref)
        with self._lock:
            if digest not in self._local:
                self._local[digest] = self._found(digest)
            return digest, self._local[digest]

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
        return path if path.is_dir() else self._unpacked(path, digest)

    def _unpacked(self, archive: Path, digest: Digest) -> Path:
        destination = self._cache_dir / digest.hex
        try:
            self._cache_dir.mkdir(parents=True, exist_ok=True)
            if not destination.is_dir():
                unpack_archive(archive, destination)
        except OSError as error:
            msg = f"cannot make {self._cache_dir}: {error.strerror}"
            raise FileAccessError(msg, subject=str(self._cache_dir)) from error
        except (UsageError, FileAccessError):
            # Another worker of this machine may have been faster: what it has published is whole.
            if not destination.is_dir():
                raise
        _check_unpacked(archive, destination, digest)
        return destination

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


def _check_unpacked(archive: Path, destination: Path, digest: Digest) -> None:
    """Hold a directory that may be as old as the cache against the archive's manifest.

    Raises:
        DigestMismatchError: a file of it is not as it was packed, or the archive is another one by now.
    """
    content = read_manifest(archive)
    there = hash_tree(destination, read_project(destination).members)
    changed = sorted({each.path for each in set(there) ^ set(content.manifest.files)})
    if content.digest != digest or changed:
        what = (
            f"{len(changed)} of its files differ, such as {changed[0]}" if changed else f"{archive} is another one now"
        )
        msg = f"{destination} is not the bundle {digest} any more: {what}"
        raise DigestMismatchError(msg, subject=str(destination), hint="remove that directory; it is unpacked again")


def _digest(path: Path) -> Digest:
    if not path.is_dir():
        return read_manifest(path).digest
    project = read_project(path)
    return manifest_digest(manifest_of(project, hash_tree(path, project.members)))
