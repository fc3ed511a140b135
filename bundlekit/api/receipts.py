"""Receipts: what a validation found, about the digest of a bundle, written and held against an archive later."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bundlekit import __version__
from bundlekit.cold_runner.export import runner_file
from bundlekit.cold_runner.strict_json import StrictJsonError, loads
from bundlekit.errors import DigestMismatchError, FileAccessError, ManifestError, UsageError
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Report
from bundlekit.model.receipt import PREDICATE_TYPE, CheckedReceipt, Result, Versions
from bundlekit.report.documents import json_text
from bundlekit.report.outputs import check_replaceable, write_atomically
from bundlekit.report.receipts import Asked, receipt_document

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["check_place", "check_receipt", "versions", "write_only_receipt", "write_receipt"]

_JUDGES = ("check", "isolation", "model", "probe", "read")
"""The packages that decide what is found."""

_MARK = f'"{PREDICATE_TYPE}"'
_MOST_BYTES = 8 << 20


def check_place(path: Path) -> None:
    """Refuse, before any work, a place where a receipt cannot be written.

    Raises:
        UsageError: no such directory, or a file that is no receipt.
    """
    check_replaceable(path, _MARK)


def write_receipt(path: Path, report: Report, asked: Asked) -> None:
    """Write what `report` says, about the bundle of its digest.

    Raises:
        UsageError: the bundle has no digest, since it cannot be packed.
        FileAccessError: the file cannot be written.
    """
    if report.digest is None or report.deps_hash is None:
        message = f"no receipt was written: {report.path} cannot be packed as it is, so it has no digest"
        raise UsageError(message, subject=report.path, hint="mend what `bundlekit validate` reports")
    document = receipt_document(report, (report.digest, report.deps_hash), versions(), asked)
    write_atomically(path, json_text(document))


def write_only_receipt(path: Path, reports: Sequence[Report], asked: Asked) -> None:
    """Write the receipt of the one report that there is.

    Raises:
        UsageError: there are several, or none.
        As :func:`write_receipt`.
    """
    if len(reports) != 1:
        message = f"no receipt was written: it is about one bundle, and {len(reports)} were validated"
        raise UsageError(message, subject=str(path), hint="name one bundle")
    write_receipt(path, reports[0], asked)


def check_receipt(path: Path, digest: Digest, deps_hash: Digest) -> CheckedReceipt:
    """Return what the receipt at `path` says of the bundle with this digest and dependency hash.

    Raises:
        UsageError: there is no such file.
        FileAccessError: it cannot be read.
        ManifestError: it is no receipt of a version that is known here.
        DigestMismatchError: it is about another bundle.
    """
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - most archives are verified without a receipt

    from bundlekit.model.documents.receipts import ReceiptDocument  # noqa: PLC0415 - as above

    try:
        document = TypeAdapter(ReceiptDocument).validate_python(loads(_read(path)), strict=True)
    except (StrictJsonError, ValidationError) as error:
        message = f"{path} is no receipt of bundlekit: expected an in-toto statement of the type {PREDICATE_TYPE}"
        raise ManifestError(f"{message}; {_first_reason(error)}", subject=str(path)) from error
    told, subjects = document["predicate"], {each["digest"]["sha256"] for each in document["subject"]}
    if subjects != {digest.hex} or told["bundle"]["digest"] != digest or told["bundle"]["deps_hash"] != deps_hash:
        message = f"{path} is about the bundle {told['bundle']['digest']}, and the archive holds {digest}"
        raise DigestMismatchError(message, subject=str(path), hint="validate the archive to have a receipt for it")
    ours, theirs = versions(), told["versions"]
    return CheckedReceipt(
        path=str(path),
        result=Result(told["result"]),
        level=told["level"],
        tool=theirs["tool"],
        same_rules=theirs["rules"] == ours.rules,
        same_runner=theirs["runner"] == ours.runner,
        validated_at=told["validated_at"],
        isolation=told["isolation"],
    )


def _first_reason(error: "StrictJsonError | ValidationError") -> str:
    if isinstance(error, StrictJsonError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def versions() -> Versions:
    """Return what this installation validates with."""
    rules = hashlib.sha256()
    for path, data in _sources():
        rules.update(f"{path}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return Versions(f"bundlekit {__version__}", Digest.from_hex(rules.hexdigest()), Digest.of(runner_file()))


def _sources() -> Iterator[tuple[str, bytes]]:
    package = Path(__file__).parents[1]
    for path in sorted(path for judge in _JUDGES for path in (package / judge).rglob("*.py")):
        yield path.relative_to(package).as_posix(), path.read_bytes()


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            message = f"{path} is no file: expected a receipt that `pack` or `validate` wrote"
            raise UsageError(message, subject=str(path))
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise FileAccessError(message, subject=str(path)) from error
    if len(data) > _MOST_BYTES:
        message = f"{path} has more than {_MOST_BYTES:,} bytes, and no receipt of bundlekit has"
        raise ManifestError(message, subject=str(path))
    return data
