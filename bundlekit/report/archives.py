"""What packing, reading and comparing archives gave -> JSON documents and lines for people."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bundlekit.model.archive import InspectedArchive, Packed, Unpacked
from bundlekit.model.finding import Report
from bundlekit.pack.difference import Difference
from bundlekit.pack.manifest_json import manifest_json
from bundlekit.report.documents import TOOL, json_text, report_document
from bundlekit.report.printable import printable
from bundlekit.report.receipts import checked_document, checked_lines
from bundlekit.report.text import Style

if TYPE_CHECKING:
    from bundlekit.model.documents.archives import (
        DifferenceDocument,
        FileDocument,
        InspectionDocument,
        LeftOutDocument,
        ManifestDocument,
        OciDigestsDocument,
        PackDocument,
        PackReportDocument,
        UnpackDocument,
    )
    from bundlekit.model.manifest import Manifest, ManifestFile

__all__ = [
    "difference_document",
    "difference_lines",
    "inspection_document",
    "inspection_lines",
    "pack_document",
    "pack_lines",
    "pack_report_text",
    "refusal_line",
    "unpack_document",
    "unpack_line",
]

_LEFT_OUT_SHOWN = 10


def pack_document(packed: Packed) -> "PackDocument":
    """Return the JSON document of ``pack``."""
    return {
        "schema": "bundlekit/pack/1",
        "archive": packed.archive,
        "size": packed.size,
        "digest": packed.digest,
        "deps_hash": packed.manifest.dependencies.hash,
        "name": packed.manifest.name,
        "version": packed.manifest.version,
        "files": len(packed.manifest.files),
        "left_out": _left_out(packed),
        "report": packed.report_path,
    }


def pack_report_text(packed: Packed) -> str:
    """Return the text of the report beside the archive; `validation` is null when none was asked for."""
    document: PackReportDocument = {
        "schema": "bundlekit/pack-report/1",
        "tool": TOOL,
        "digest": packed.digest,
        "archive_sha256": packed.archive_sha256,
        "validation": None if packed.report is None else report_document(packed.report),
        "left_out": _left_out(packed),
    }
    return json_text(document)


def pack_lines(packed: Packed, style: Style) -> Iterator[str]:
    """Yield what was written, and what was left out and why."""
    shown = packed.left_out[:_LEFT_OUT_SHOWN]
    for each in shown:
        yield f"left out {printable(each.path)} by {printable(each.pattern)}"
    if len(packed.left_out) > len(shown):
        yield f"left out {len(packed.left_out) - len(shown)} more; all are listed in the report"
    yield (
        f"{style('packed', 'good')} {printable(packed.archive)}: {len(packed.manifest.files)} files, "
        f"{packed.size:,} bytes, digest {packed.digest}"
    )
    yield f"report {printable(packed.report_path)}"


def refusal_line(report: Report) -> str:
    """Return why nothing was packed."""
    if not report.passed:
        return "not packed: the bundle did not pass; mend the errors above and pack again"
    return (
        "not packed: the bundle is unproved; describe a task that works in [[tool.bundlekit.smoke]], "
        "or use --allow-unproved"
    )


def inspection_document(archive: InspectedArchive) -> "InspectionDocument":
    """Return the JSON document of ``verify`` and ``inspect``."""
    manifest = archive.manifest
    return {
        "schema": "bundlekit/inspection/1",
        "archive": archive.archive,
        "digest": archive.digest,
        "deps_hash": manifest.dependencies.hash,
        "name": manifest.name,
        "version": manifest.version,
        "verified": archive.verified,
        "oci_digests": _oci_digests(archive),
        "files": [_file(each) for each in manifest.files],
        "manifest": _manifest(manifest),
        "receipt": None if archive.receipt is None else checked_document(archive.receipt),
    }


def inspection_lines(archive: InspectedArchive, style: Style) -> Iterator[str]:
    """Yield who the archive is; ``inspect`` lists the files below, ``verify`` tells that all of them hold."""
    manifest = archive.manifest
    total = sum(each.size for each in manifest.files)
    if archive.verified:
        yield f"{style('verified', 'good')} {printable(archive.archive)}: {len(manifest.files)} files, {total:,} bytes"
    yield f"name       {printable(manifest.name)} {printable(manifest.version)}"
    yield f"digest     {archive.digest}"
    yield f"deps hash  {manifest.dependencies.hash}"
    yield f"wire       {printable(manifest.wire.value)} ({manifest.wire.source.value})"
    for target in manifest.targets:
        yield f"target     {printable(target)}"
    if archive.oci_digests is not None:
        yield f"registry   {archive.oci_digests.bundlekit} (layout bundlekit)"
        yield f"registry   {archive.oci_digests.modelops or 'none, too many files'} (layout modelops)"
    if archive.receipt is not None:
        yield from checked_lines(archive.receipt, style)
    if not archive.verified:
        for each in manifest.files:
            yield f"{each.mode} {each.size:>12,}  {printable(each.path)}"


def unpack_document(unpacked: Unpacked) -> "UnpackDocument":
    """Return the JSON document of ``unpack``."""
    return {
        "schema": "bundlekit/unpack/1",
        "destination": unpacked.destination,
        "digest": unpacked.digest,
        "files": len(unpacked.manifest.files),
    }


def unpack_line(unpacked: Unpacked, style: Style) -> str:
    """Return where the archive's files are now."""
    count = len(unpacked.manifest.files)
    return f"{style('unpacked', 'good')} {count} files into {printable(unpacked.destination)}, digest {unpacked.digest}"


def difference_document(a: InspectedArchive, b: InspectedArchive, found: Difference) -> "DifferenceDocument":
    """Return the JSON document of ``diff``."""
    return {
        "schema": "bundlekit/difference/1",
        "a": a.digest,
        "b": b.digest,
        "same": a.digest == b.digest,
        "added": [_file(each) for each in found.added],
        "removed": [_file(each) for each in found.removed],
        "changed": [
            {"path": after.path, "before": _file(before), "after": _file(after)} for before, after in found.changed
        ],
        "declarations": [{"key": each.key, "before": each.before, "after": each.after} for each in found.declarations],
    }


def difference_lines(a: InspectedArchive, b: InspectedArchive, found: Difference, style: Style) -> Iterator[str]:
    """Yield one line for each file and declaration that differs, and the verdict."""
    for declared in found.declarations:
        yield f"{style('~', 'warning')} {declared.key}: {printable(declared.before)} -> {printable(declared.after)}"
    for sign, word, files in (("-", "error", found.removed), ("+", "good", found.added)):
        for each in files:
            yield f"{style(sign, word)} {printable(each.path)} ({each.size:,} bytes)"
    for before, after in found.changed:
        mode = "" if before.mode == after.mode else f", mode {before.mode} -> {after.mode}"
        yield f"{style('~', 'warning')} {printable(after.path)} ({before.size:,} -> {after.size:,} bytes{mode})"
    yield f"same digest {a.digest}" if a.digest == b.digest else f"different: {a.digest} and {b.digest}"


def _oci_digests(archive: InspectedArchive) -> "OciDigestsDocument | None":
    known = archive.oci_digests
    return None if known is None else {"bundlekit": known.bundlekit, "modelops": known.modelops}


def _left_out(packed: Packed) -> "list[LeftOutDocument]":
    return [{"path": each.path, "pattern": each.pattern} for each in packed.left_out]


def _manifest(manifest: "Manifest") -> "ManifestDocument":
    document: ManifestDocument = json.loads(manifest_json(manifest))
    return document


def _file(file: "ManifestFile") -> "FileDocument":
    return {
        "path": file.path,
        "size": file.size,
        "mode": "0755" if file.mode == "0755" else "0644",
        "sha256": file.sha256,
    }
