"""Where bundles are pushed to and pulled from, a registry or a directory: what both can do. Every digest is checked."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bundlekit.model.digest import Digest
from bundlekit.store.oci_documents import Descriptor

__all__ = ["BlobContent", "Depot", "Moved"]

BlobContent = bytes | Path
"""A blob's bytes, or the file that holds them."""

Moved = Callable[[int], None]
"""Called with bytes that were moved since the last call."""


class Depot(Protocol):
    """Has manifests by digest and by tag, and blobs by digest."""

    name: str
    """What it is called in messages."""

    def close(self) -> None:
        """Let go of it."""

    def digest_of(self, tag: str) -> Digest | None:
        """Return the digest of the manifest that `tag` stands for now, or None when there is no such tag."""

    def read_manifest(self, wanted: str) -> bytes:
        """Return the manifest with the digest or tag `wanted`.

        Raises:
            BundleNotFoundError: there is none.
            DigestMismatchError: it is not the one that was asked for.
            LimitExceededError: it is too long.
        """

    def read_blob(self, blob: Descriptor, limit: int) -> bytes:
        """Return a blob of at most `limit` bytes.

        Raises:
            DigestMismatchError, LimitExceededError: as for manifests.
        """

    def fetch_blob(self, blob: Descriptor, destination: Path, moved: Moved) -> None:
        """Have the blob in the file `destination`, going on where a transfer before has stopped; it is on the disk.

        Raises:
            DigestMismatchError: what came is not the blob, twice; then there is no such file.
        """

    def has_blob(self, blob: Descriptor) -> bool:
        """Return whether the blob is there already."""

    def put_blob(self, blob: Descriptor, content: BlobContent, moved: Moved) -> None:
        """Put a blob there that is not."""

    def put_manifest(self, document: bytes, tag: str | None) -> None:
        """Put a manifest there, whose blobs are, under its digest and perhaps a tag."""
