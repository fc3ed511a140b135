"""The store as the repository that executors get bundles from: by any reference, or from one registry by digest.

See: CONTRACT sections 5 and 7 (BundleRepository).
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bundlekit.errors import BundlekitError, BundleNotFoundError, DigestMismatchError, UsageError
from bundlekit.model.contracts.tasks import digest_of_reference
from bundlekit.model.digest import Digest
from bundlekit.model.reference import (
    LayoutReference,
    OciReference,
    PathReference,
    StoredReference,
    parse_oci_reference,
    parse_reference,
)
from bundlekit.pack.archive_reader import read_manifest
from bundlekit.pack.archive_writer import write_archive
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest
from bundlekit.read.project import read_project
from bundlekit.store.bundle_store import BundleStore
from bundlekit.store.depot import Depot
from bundlekit.store.depots import RegistryOptions, open_depot
from bundlekit.store.http_transport import check_installed
from bundlekit.store.pull import Found, Workshop, find, stored
from bundlekit.store.push import bundle_tag
from bundlekit.store.stored_bundle import StoredBundle

__all__ = ["RegistryRepository", "StoreRepository"]


class StoreRepository:
    """A BundleRepository of every kind of reference (`bundlekit.model.reference`); what it gives is held by `store`."""

    def __init__(self, store: BundleStore, options: RegistryOptions = RegistryOptions()) -> None:  # noqa: B008 - frozen
        self._store = store
        self._options = options

    def ensure_local(self, bundle_ref: str) -> tuple[str, Path]:
        """Return the digest of the bundle that `bundle_ref` names, and the store's directory of it.

        Raises:
            BundlekitError: there is no such bundle, it is not sound, or it cannot be had.
        """
        bundle = self._bundle(bundle_ref)
        return bundle.digest, bundle.tree

    def exists(self, bundle_ref: str) -> bool:
        """Return whether the bundle can be had, without having it.

        Raises:
            UsageError: the reference is malformed.
            RegistryError: the registry that would know cannot be asked.
        """
        reference = parse_reference(bundle_ref)
        match reference:
            case StoredReference(digest):
                return self._store.has(digest)
            case PathReference(path):
                return _is_bundle(path)
            case OciReference() | LayoutReference():
                try:
                    with closing(open_depot(reference, self._options)) as depot:
                        depot.read_manifest(reference.wanted)
                except BundleNotFoundError:
                    return False
                return True

    def _bundle(self, bundle_ref: str) -> StoredBundle:
        reference = parse_reference(bundle_ref)
        match reference:
            case StoredReference(digest):
                return self._store.hold(digest)
            case PathReference(path) if path.is_dir():
                return _packed(self._store, path)
            case PathReference(path):
                return self._store.adopt(path)
            case OciReference() | LayoutReference():
                with closing(open_depot(reference, self._options)) as depot:
                    found = find(depot, reference.wanted)
                    return stored(self._store, depot, found, Workshop(self._store.cache_dir))


class RegistryRepository:
    """A BundleRepository for workers: bundles by digest, out of one registry or one repository of it.

    A reference is ``[repository@]sha256:...``, whose digest is a bundle's own or, as ModelOps has it, that of the OCI
    manifest. `registry` is ``host[:port][/path]``: with a path, that is where a reference without a repository leads.

    Raises:
        UsageError: the extra for registries is not installed.
    """

    def __init__(self, store: BundleStore, registry: str, options: RegistryOptions) -> None:
        check_installed()
        self._store = store
        self._registry = registry.removeprefix("oci://").removeprefix("https://").removeprefix("http://").rstrip("/")
        self._options = options
        self._bundles: dict[Digest, Digest] = {}

    def ensure_local(self, bundle_ref: str) -> tuple[str, Path]:
        """Return the digest in `bundle_ref`, and the store's directory of the bundle that it stands for.

        Raises:
            ContractError: the reference has no digest.
            UsageError: the registry has no such bundle, or the reference leads to no repository.
            BundlekitError: it is not sound, or cannot be had.
        """
        digest = digest_of_reference(bundle_ref)
        known = self._bundles.get(digest, digest)
        if self._store.has(known):
            return digest, self._store.hold(known, lambda archive: self._fetch(bundle_ref, digest, archive)).tree
        with self._found(bundle_ref, digest) as (depot, found):
            bundle = stored(self._store, depot, found, Workshop(self._store.cache_dir))
        self._bundles[digest] = bundle.digest
        return digest, bundle.tree

    def exists(self, bundle_ref: str) -> bool:
        """Return whether the bundle is in the store or in the registry.

        Raises:
            ContractError, RegistryError: as for :meth:`ensure_local`.
        """
        digest = digest_of_reference(bundle_ref)
        if self._store.has(digest):
            return True
        try:
            with self._found(bundle_ref, digest):
                return True
        except BundleNotFoundError:
            return False

    def _fetch(self, bundle_ref: str, digest: Digest, archive: Path) -> None:
        """Write the archive of a stored bundle that was damaged."""
        with self._found(bundle_ref, digest) as (depot, found):
            Workshop(self._store.cache_dir).source(depot, found)(archive)

    @contextmanager
    def _found(self, bundle_ref: str, digest: Digest) -> Iterator[tuple[Depot, Found]]:
        reference = self._reference(bundle_ref)
        with closing(open_depot(reference, self._options)) as depot:
            tagged = depot.digest_of(bundle_tag(digest))
            found = find(depot, tagged or digest)
            if digest not in {found.bundle_digest, found.digest}:
                message = f"{depot.name} has the bundle {found.bundle_digest} under the tag of {digest}"
                raise DigestMismatchError(message, subject=digest)
            yield depot, found

    def _reference(self, bundle_ref: str) -> OciReference:
        repository, _, digest = bundle_ref.rpartition("@")
        base = self._registry
        if not repository:
            name = base
        elif repository.startswith(base.partition("/")[0] + "/"):
            name = repository
        else:
            name = f"{base}/{repository}"
        if "/" not in name:
            message = f"the reference {digest} names no repository, and neither does the registry {base}"
            hint = "MODELOPS_BUNDLE_REGISTRY=host/repository, or references repository@sha256:..."
            raise UsageError(message, subject=bundle_ref, hint=hint)
        return parse_oci_reference(name)


def _packed(store: BundleStore, directory: Path) -> StoredBundle:
    """Return the bundle that `directory` is now, packed into the store if it is not there."""
    project = read_project(directory)
    digest = manifest_digest(manifest_of(project, hash_tree(directory, project.members)))
    return store.hold(digest, lambda archive: _write(directory, digest, archive))


def _write(directory: Path, digest: Digest, archive: Path) -> None:
    write_archive(read_project(directory), archive, expected=digest)


def _is_bundle(path: Path) -> bool:
    try:
        if path.is_dir():
            manifest_of(read_project(path), ())
        else:
            read_manifest(path)
    except BundlekitError:
        return False
    return True
