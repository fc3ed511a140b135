"""The digests that a registry will have for an archive, known before it is pushed."""

import hashlib
from pathlib import Path

from bundlekit.errors import FileAccessError, LimitExceededError
from bundlekit.model.archive import OciDigests
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import Manifest
from bundlekit.store.oci_documents import WrittenManifest, archive_manifest, modelops_manifest

__all__ = ["oci_digests", "written_manifest"]


def written_manifest(manifest: Manifest, archive: Path) -> WrittenManifest:
    """Return the OCI manifest of layout ``bundlekit`` for the file `archive`, which is read through.

    Raises:
        FileAccessError: it cannot be read.
    """
    try:
        with archive.open("rb") as file:
            digest = Digest.from_hex(hashlib.file_digest(file, "sha256").hexdigest())
            size = file.seek(0, 2)
    except OSError as error:
        message = f"cannot read {archive}: {error.strerror}"
        raise FileAccessError(message, subject=str(archive)) from error
    return archive_manifest(manifest, digest, size)


def oci_digests(manifest: Manifest, archive: Path) -> OciDigests:
    """Return the digests for the bundle of `archive`, by layout.

    Raises:
        FileAccessError: the archive cannot be read.
    """
    try:
        modelops: Digest | None = modelops_manifest(manifest).digest
    except LimitExceededError:
        modelops = None
    return OciDigests(written_manifest(manifest, archive).digest, modelops)
