"""The receipt of a validation: an in-toto Statement whose predicate is bundlekit's own.

See: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md.
"""

from typing import Literal

from typing_extensions import TypedDict

from bundlekit.model.documents.texts import ChecksumText, DigestText

__all__ = ["ReceiptCheckDocument", "ReceiptDocument"]


class SubjectDigestDocument(TypedDict):
    """The digest of a subject, in hex as in-toto has it."""

    sha256: ChecksumText


class SubjectDocument(TypedDict):
    """What the receipt is about: the manifest, which names every file of the bundle by its digest."""

    name: str
    digest: SubjectDigestDocument


class ReceiptBundleDocument(TypedDict):
    """The bundle by name, and what of it decides the environment."""

    name: str
    version: str
    digest: DigestText
    deps_hash: DigestText


class VersionsDocument(TypedDict):
    """What validated: bundlekit, its rules and the runner of its tasks, the last two by the digest of their sources."""

    tool: str
    rules: DigestText
    runner: DigestText


class ReceiptStageDocument(TypedDict):
    """One stage and how it ended."""

    name: str
    status: Literal["passed", "failed", "skipped", "unproved"]
    detail: str | None


class ReceiptFindingDocument(TypedDict):
    """One finding."""

    code: str
    severity: Literal["error", "warning", "info"]
    path: str | None
    line: int | None
    message: str


class ReceiptPolicyDocument(TypedDict):
    """What the command line added to the bundle's own settings, which its digest covers."""

    select: list[str]
    ignore: list[str]
    baseline: bool
    suppressed: dict[str, int]


class PredicateDocument(TypedDict):
    """What was found, how far it went, and what held while bundle code ran.

    `isolation` is the verdict of the isolation experiment, null where it was not made.
    """

    result: Literal["passed", "unproved", "failed"]
    level: Literal["static", "import", "smoke", "isolation"]
    bundle: ReceiptBundleDocument
    versions: VersionsDocument
    validated_at: str
    sandbox: str
    network: str
    stages: list[ReceiptStageDocument]
    isolation: str | None
    findings: list[ReceiptFindingDocument]
    policy: ReceiptPolicyDocument


class ReceiptDocument(TypedDict):
    """The statement; its names are in-toto's."""

    _type: Literal["https://in-toto.io/Statement/v1"]
    predicateType: Literal["urn:bundlekit:validation:1"]
    subject: list[SubjectDocument]
    predicate: PredicateDocument


class ReceiptCheckDocument(TypedDict):
    """What a receipt says of the archive that it was held against; nothing proves who wrote it, as it is unsigned."""

    path: str
    result: Literal["passed", "unproved", "failed"]
    level: str
    tool: str
    same_rules: bool
    same_runner: bool
    validated_at: str
    isolation: str | None
    signed: Literal[False]
