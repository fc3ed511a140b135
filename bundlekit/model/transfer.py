"""What pushing and pulling bundles gives."""

from typing import NamedTuple

from bundlekit.model.digest import Digest
from bundlekit.model.manifest import Manifest

__all__ = ["Pulled", "Pushed"]


class Pushed(NamedTuple):
    """A bundle that is in a registry now. `oci_digest` is that of the OCI manifest; `replaced` what the tag was before.

    `sent` and `present` count blobs: those that were sent, and those that were there.
    """

    reference: str
    layout: str
    manifest: Manifest
    digest: Digest
    oci_digest: Digest
    sent: int
    sent_bytes: int
    present: int
    replaced: Digest | None


class Pulled(NamedTuple):
    """A bundle that is here now, at `path`: of the store unless another was asked for.

    `digest` is None where the files are none that bundlekit would pack.
    """

    reference: str
    layout: str
    digest: Digest | None
    oci_digest: Digest
    path: str
    files: int
