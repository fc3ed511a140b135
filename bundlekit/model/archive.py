"""What packing, reading and comparing archives gives."""

from typing import NamedTuple

from bundlekit.model.digest import Digest
from bundlekit.model.finding import Report
from bundlekit.model.manifest import Manifest
from bundlekit.model.project import Excluded
from bundlekit.model.receipt import CheckedReceipt

__all__ = ["InspectedArchive", "OciDigests", "PackRefusal", "Packed", "Unpacked"]


class Packed(NamedTuple):
    """An archive that was written, and the report beside it; `report` is None when validation was left out."""

    archive: str
    size: int
    archive_sha256: Digest
    manifest: Manifest
    digest: Digest
    left_out: tuple[Excluded, ...]
    report: Report | None
    report_path: str


class PackRefusal(NamedTuple):
    """Nothing was written, because the bundle did not pass, or passed only unproved."""

    report: Report


class OciDigests(NamedTuple):
    """The digests of the OCI manifest that a registry would have for a bundle, by layout.

    `modelops` is None for a bundle of too many files for that layout.
    """

    bundlekit: Digest
    modelops: Digest | None


class InspectedArchive(NamedTuple):
    """An archive's manifest and digest; `verified` when every byte was held against them.

    `oci_digests` are there when they were asked for, and `receipt`, what a receipt says of the archive.
    """

    archive: str
    manifest: Manifest
    digest: Digest
    verified: bool
    oci_digests: OciDigests | None = None
    receipt: CheckedReceipt | None = None


class Unpacked(NamedTuple):
    """An archive that was verified and laid out at `destination`."""

    destination: str
    manifest: Manifest
    digest: Digest
