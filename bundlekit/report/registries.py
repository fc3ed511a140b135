"""What pushing and pulling gave -> JSON documents and lines for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bundlekit.model.transfer import Pulled, Pushed
from bundlekit.report.printable import printable
from bundlekit.report.text import Style

if TYPE_CHECKING:
    from bundlekit.model.documents.registries import PullDocument, PushDocument

__all__ = ["pull_document", "pull_lines", "push_document", "push_lines"]


def push_document(pushed: Pushed) -> "PushDocument":
    """Return the JSON document of ``push``."""
    return {
        "schema": "bundlekit/push/1",
        "reference": pushed.reference,
        "layout": "modelops" if pushed.layout == "modelops" else "bundlekit",
        "name": pushed.manifest.name,
        "version": pushed.manifest.version,
        "digest": pushed.digest,
        "oci_digest": pushed.oci_digest,
        "sent": pushed.sent,
        "sent_bytes": pushed.sent_bytes,
        "present": pushed.present,
        "replaced": pushed.replaced,
    }


def push_lines(pushed: Pushed, style: Style) -> Iterator[str]:
    """Yield where the bundle is now, under which digests, and what the tag was before."""
    yield (
        f"{style('pushed', 'good')} {printable(pushed.reference)}: {pushed.sent} blobs sent "
        f"({pushed.sent_bytes:,} bytes), {pushed.present} were there"
    )
    yield f"digest     {pushed.digest}"
    yield f"in the registry, layout {pushed.layout}: {pushed.oci_digest}"
    if pushed.replaced is not None:
        yield f"{style('moved', 'warning')} the tag from {pushed.replaced}"


def pull_document(pulled: Pulled) -> "PullDocument":
    """Return the JSON document of ``pull``."""
    return {
        "schema": "bundlekit/pull/1",
        "reference": pulled.reference,
        "layout": "modelops" if pulled.layout == "modelops" else "bundlekit",
        "digest": pulled.digest,
        "oci_digest": pulled.oci_digest,
        "path": pulled.path,
        "files": pulled.files,
    }


def pull_lines(pulled: Pulled, style: Style) -> Iterator[str]:
    """Yield where the bundle is now, and under which digests."""
    yield f"{style('pulled', 'good')} {printable(pulled.reference)} to {printable(pulled.path)}: {pulled.files} files"
    yield f"digest     {pulled.digest or 'none: bundlekit would not pack these files'}"
    yield f"in the registry, layout {pulled.layout}: {pulled.oci_digest}"
