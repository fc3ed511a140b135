"""The documents of ``push`` and ``pull``; sizes in bytes."""

from typing import Literal

from typing_extensions import TypedDict

from bundlekit.model.documents.texts import DigestText

__all__ = ["PullDocument", "PushDocument"]

Layout = Literal["bundlekit", "modelops"]


class PushDocument(TypedDict):
    """What `push` did: `oci_digest` is the digest in the registry; `sent` and `present` count blobs."""

    schema: Literal["bundlekit/push/1"]
    reference: str
    layout: Layout
    name: str
    version: str
    digest: DigestText
    oci_digest: DigestText
    sent: int
    sent_bytes: int
    present: int
    replaced: DigestText | None


class PullDocument(TypedDict):
    """What `pull` brought to `path`; `digest` is null where bundlekit would not pack the files."""

    schema: Literal["bundlekit/pull/1"]
    reference: str
    layout: Layout
    digest: DigestText | None
    oci_digest: DigestText
    path: str
    files: int
