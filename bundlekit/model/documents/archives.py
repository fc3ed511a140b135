"""The manifest, and the documents of ``pack``, ``verify``, ``inspect``, ``unpack`` and ``diff``."""

from typing import Literal

from typing_extensions import TypedDict

from bundlekit.model.documents.receipts import ReceiptCheckDocument
from bundlekit.model.documents.reports import ReportDocument
from bundlekit.model.documents.texts import DigestText

__all__ = [
    "ChangedDeclarationDocument",
    "ChangedFileDocument",
    "DependenciesDocument",
    "DifferenceDocument",
    "FileDocument",
    "InspectionDocument",
    "LeftOutDocument",
    "LockDocument",
    "ManifestDocument",
    "ManifestWireDocument",
    "OciDigestsDocument",
    "PackDocument",
    "PackReportDocument",
    "UnpackDocument",
]


class ManifestWireDocument(TypedDict):
    """The wire function as declared."""

    source: Literal["entry-point", "manifest.json", "modelops.toml", "wire.py"]
    name: str
    value: str


class LockDocument(TypedDict):
    """A lock file that ships, by content."""

    path: str
    sha256: DigestText


class DependenciesDocument(TypedDict):
    """Declared requirements, the lock and the lexical hash of both."""

    declared: list[str]
    lock: LockDocument | None
    hash: DigestText


class FileDocument(TypedDict):
    """One file that ships."""

    path: str
    size: int
    mode: Literal["0644", "0755"]
    sha256: DigestText


class ManifestDocument(TypedDict):
    """The manifest; the sha256 of its canonical JSON is the bundle's digest."""

    schema: Literal["bundlekit/manifest/1"]
    name: str
    version: str
    requires_python: str | None
    wire: ManifestWireDocument
    targets: list[str]
    dependencies: DependenciesDocument
    requires_fresh_process: bool
    files: list[FileDocument]


class LeftOutDocument(TypedDict):
    """A file or directory that was left out of the archive, and the pattern that did it."""

    path: str
    pattern: str


class PackDocument(TypedDict):
    """What `pack` made; `report` is the path of the report beside the archive; sizes are in bytes."""

    schema: Literal["bundlekit/pack/1"]
    archive: str
    size: int
    digest: DigestText
    deps_hash: DigestText
    name: str
    version: str
    files: int
    left_out: list[LeftOutDocument]
    report: str


class PackReportDocument(TypedDict):
    """The report beside an archive: what was packed, what was proved about it, what was left out."""

    schema: Literal["bundlekit/pack-report/1"]
    tool: str
    digest: DigestText
    archive_sha256: DigestText
    validation: ReportDocument | None
    left_out: list[LeftOutDocument]


class OciDigestsDocument(TypedDict):
    """The digests that a registry would have for a bundle, by layout; null where it is too large for one."""

    bundlekit: DigestText
    modelops: DigestText | None


class InspectionDocument(TypedDict):
    """What `inspect` and `verify` tell about an archive; `oci_digests` is null for `verify`, `receipt` without one."""

    schema: Literal["bundlekit/inspection/1"]
    archive: str
    digest: DigestText
    deps_hash: DigestText
    name: str
    version: str
    verified: bool
    oci_digests: OciDigestsDocument | None
    files: list[FileDocument]
    manifest: ManifestDocument
    receipt: ReceiptCheckDocument | None


class UnpackDocument(TypedDict):
    """Where an archive was unpacked."""

    schema: Literal["bundlekit/unpack/1"]
    destination: str
    digest: DigestText
    files: int


class ChangedFileDocument(TypedDict):
    """A file that both sides have and that differs in content or mode."""

    path: str
    before: FileDocument
    after: FileDocument


class ChangedDeclarationDocument(TypedDict):
    """A declaration of the manifest that differs, each side as JSON text."""

    key: str
    before: str
    after: str


class DifferenceDocument(TypedDict):
    """What `diff A B` found; equal digests mean that nothing below is filled."""

    schema: Literal["bundlekit/difference/1"]
    a: DigestText
    b: DigestText
    same: bool
    added: list[FileDocument]
    removed: list[FileDocument]
    changed: list[ChangedFileDocument]
    declarations: list[ChangedDeclarationDocument]
