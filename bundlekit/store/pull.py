"""A bundle out of a registry or an image layout: which one it is, and its archive made of what is there.

Nothing is at its place before all of it was checked: the manifest by the digest or the tag that was asked for, the
config and the layers by the manifest, the files by the bundle's own manifest (DEFECTS 17, 28, 32).
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner.environments.scratch_claim import claimed
from bundlekit.cold_runner.environments.tree_removal import discard_tree
from bundlekit.errors import FileAccessError, LimitExceededError, UsageError
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import Manifest, ManifestFile
from bundlekit.model.project import Project
from bundlekit.pack.archive_writer import write_archive
from bundlekit.pack.hashing import Progress, hash_tree
from bundlekit.pack.limits import MAX_TOTAL_BYTES
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest
from bundlekit.read.project import read_project
from bundlekit.store.bundle_store import BundleStore
from bundlekit.store.copies import copy_tree, sync_directory
from bundlekit.store.depot import Depot
from bundlekit.store.oci_documents import (
    MAX_CONFIG_BYTES,
    Descriptor,
    Layout,
    OciManifest,
    listed_files,
    parse_oci_manifest,
)
from bundlekit.store.stored_bundle import ArchiveSource, StoredBundle
from bundlekit.store.transfers import Tally, at_once

__all__ = ["PARTIAL_FOLDER", "Found", "Workshop", "check_free", "digest_of_tree", "find", "publish_tree", "stored"]

PARTIAL_FOLDER = "partial"
"""Where transfers are that are not done, so that they can go on."""


class Found(NamedTuple):
    """A bundle in a depot: its digest there, and its own manifest unless whoever pushed it has no such thing."""

    digest: Digest
    oci: OciManifest
    manifest: Manifest | None
    files: tuple[ManifestFile, ...]

    @property
    def bundle_digest(self) -> Digest | None:
        """The bundle's digest, if it is known before its files are."""
        return None if self.manifest is None else manifest_digest(self.manifest)


def find(depot: Depot, wanted: str) -> Found:
    """Return the bundle with the tag or digest `wanted`.

    Raises:
        BundleNotFoundError: there is none.
        ManifestError, ArchiveUnsafeError, LimitExceededError: what is there is no bundle, or one that must not be had.
        DigestMismatchError: the depot sent something else.
        RegistryError: it cannot be used.
    """
    document = depot.read_manifest(wanted)
    oci = parse_oci_manifest(document)
    config = depot.read_blob(oci.config, MAX_CONFIG_BYTES)
    manifest, files = listed_files(oci, config)
    return Found(Digest.of(document), oci, manifest, files)


class Workshop:
    """Makes archives of what is in depots, in a cache directory where transfers that broke off are kept."""

    def __init__(self, cache_dir: Path, progress: Progress | None = None) -> None:
        self._directory = cache_dir.absolute() / PARTIAL_FOLDER
        self._progress = progress

    def source(self, depot: Depot, found: Found) -> ArchiveSource:
        """Return what writes the archive of `found`, whose manifest is known."""
        if found.oci.layout is Layout.BUNDLEKIT:
            return partial(self._fetch_archive, depot, found.oci.layers[0])
        return partial(self._write_archive, depot, found)

    @contextmanager
    def tree(self, depot: Depot, found: Found) -> Iterator[Path]:
        """Give a directory with the files of `found`, for as long as it is not moved elsewhere.

        Raises:
            BundlekitError: they cannot be fetched.
        """
        with self._told():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = self._directory / f"tree-{os.urandom(16).hex()}"
        claim = claimed(str(own))
        try:
            tree = own / "tree"
            with self._told():
                self._fetch_files(depot, found, tree)
            yield tree
        finally:
            discard_tree(str(own))
            if claim is not None:
                os.close(claim)

    def _fetch_archive(self, depot: Depot, layer: Descriptor, archive: Path) -> None:
        if layer.size > MAX_TOTAL_BYTES:
            message = f"the archive has {layer.size:,} bytes, and a bundle has at most {MAX_TOTAL_BYTES:,}"
            raise LimitExceededError(message, subject=layer.size)
        tally = Tally(layer.size, self._progress)
        with self._told():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            received = self._directory / layer.digest.hex
            depot.fetch_blob(layer, received, tally.move)
            received.rename(archive)

    def _write_archive(self, depot: Depot, found: Found, archive: Path) -> None:
        with self.tree(depot, found) as tree:
            write_archive(_project_of(tree, found), archive, expected=found.bundle_digest)

    def _fetch_files(self, depot: Depot, found: Found, tree: Path) -> None:
        layers = {layer.title: layer for layer in found.oci.layers}
        tally = Tally(sum(file.size for file in found.files), self._progress)
        tree.mkdir(mode=0o755)
        for directory in sorted({Path(file.path).parent for file in found.files}):
            (tree / directory).mkdir(mode=0o755, parents=True, exist_ok=True)

        def fetch(file: ManifestFile) -> None:
            depot.fetch_blob(layers[file.path], tree / file.path, tally.move)
            (tree / file.path).chmod(int(file.mode, 8))

        at_once(fetch, found.files)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"cannot write {error.filename or self._directory}: {error.strerror}"
            raise FileAccessError(message, subject=str(self._directory)) from error


def _project_of(tree: Path, found: Found) -> Project:
    """Return the project that the fetched files in `tree` are.

    Raises:
        UsageError: some of them would not ship by bundlekit's rules, so a bundle of the rest is another one.
    """
    project = read_project(tree)
    left_out = sorted({file.path for file in found.files} - {member.path for member in project.members})
    if left_out:
        message = f"{len(left_out)} files of the registry's bundle would not ship by bundlekit's rules, such as"
        message = f"{message} {left_out[0]!a}: it can only be pulled into a directory"
        raise UsageError(message, subject=tuple(left_out), hint="-o DIRECTORY")
    if found.manifest is not None:
        project = project._replace(name=found.manifest.name, version=found.manifest.version)
    return project


def digest_of_tree(tree: Path, found: Found) -> tuple[Digest, Project]:
    """Return the bundle digest of fetched files, and the project that they are.

    Raises:
        BundlekitError: they are no bundle that could be packed.
    """
    project = _project_of(tree, found)
    return manifest_digest(manifest_of(project, hash_tree(tree, project.members))), project


def stored(store: BundleStore, depot: Depot, found: Found, workshop: Workshop) -> StoredBundle:
    """Return the bundle `found` in `depot`, fetched into `store` if it is not there.

    Raises:
        UsageError: its files are no bundle of bundlekit's.
        BundlekitError: they cannot be fetched, or the store not be used.
    """
    if found.bundle_digest is not None:
        return store.hold(found.bundle_digest, workshop.source(depot, found))
    with workshop.tree(depot, found) as tree:
        digest, project = digest_of_tree(tree, found)
        return store.hold(digest, lambda archive: _write(project, digest, archive))


def _write(project: Project, digest: Digest, archive: Path) -> None:
    write_archive(project, archive, expected=digest)


def publish_tree(tree: Path, destination: Path) -> None:
    """Move a directory whose files are on the disk to `destination`, which must not exist or be empty.

    Raises:
        UsageError: `destination` is taken.
        FileAccessError: it cannot be written.
    """
    check_free(destination)
    try:
        for directory, _, _ in os.walk(tree):
            sync_directory(Path(directory))
        _move(tree, destination)
        sync_directory(destination.absolute().parent)
    except OSError as error:
        message = f"cannot write {destination}: {error.strerror}"
        raise FileAccessError(message, subject=str(destination)) from error


def check_free(destination: Path) -> None:
    """Refuse a `destination` that exists and is no empty directory.

    Raises:
        UsageError: it is such.
    """
    is_empty = destination.is_dir() and not any(destination.iterdir())
    if destination.is_symlink() or (destination.exists() and not is_empty):
        message = f"{destination} exists and is not an empty directory"
        raise UsageError(message, subject=str(destination), hint="name a directory that does not exist yet")


def _move(tree: Path, destination: Path) -> None:
    try:
        tree.rename(destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # The cache is on another file system: copied beside the destination first.
        staged = destination.absolute().with_name(f".bundlekit-{os.urandom(6).hex()}.unpack")
        try:
            copy_tree(tree, staged)
            staged.rename(destination)
        finally:
            discard_tree(str(staged))
