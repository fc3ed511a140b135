"""Report -> the receipt of a validation, and what a receipt says of an archive -> document and lines."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from bundlekit.model.finding import Report
from bundlekit.model.policy import Means
from bundlekit.model.receipt import PREDICATE_TYPE, STATEMENT_TYPE, CheckedReceipt, Result, Versions
from bundlekit.pack.ustar import MANIFEST_PATH
from bundlekit.report.printable import printable
from bundlekit.report.text import Style

if TYPE_CHECKING:
    from bundlekit.model.digest import Digest
    from bundlekit.model.documents.receipts import ReceiptCheckDocument, ReceiptDocument

__all__ = ["Asked", "checked_document", "checked_lines", "receipt_document", "result_of"]


class Asked(NamedTuple):
    """What the command line asked for beyond the bundle's own settings."""

    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    baseline: bool = False


def result_of(report: Report) -> Result:
    """Return how the validation ended, in one word."""
    if not report.passed:
        return Result.FAILED
    return Result.UNPROVED if report.unproved else Result.PASSED


def receipt_document(
    report: Report, bundle: tuple["Digest", "Digest"], versions: Versions, asked: Asked
) -> "ReceiptDocument":
    """Return the statement about the `bundle`, its digest and dependency hash, that a report allows."""
    digest, deps_hash = bundle
    isolation = report.isolation
    return {
        "_type": STATEMENT_TYPE,
        "predicateType": PREDICATE_TYPE,
        "subject": [{"name": MANIFEST_PATH, "digest": {"sha256": digest.hex}}],
        "predicate": {
            "result": result_of(report).value,
            "level": report.level.value,
            "bundle": {
                "name": report.name or "",
                "version": report.version or "",
                "digest": digest,
                "deps_hash": deps_hash,
            },
            "versions": {"tool": versions.tool, "rules": versions.rules, "runner": versions.runner},
            "validated_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "sandbox": report.sandbox,
            "network": report.network,
            "stages": [
                {"name": stage.name.value, "status": stage.status.value, "detail": stage.detail}
                for stage in report.stages
            ],
            "isolation": isolation and isolation.verdict and isolation.verdict.value,
            "findings": [
                {
                    "code": each.code,
                    "severity": each.severity.value,
                    "path": each.path,
                    "line": each.line,
                    "message": each.message,
                }
                for each in report.findings
            ],
            "policy": {
                "select": list(asked.select),
                "ignore": list(asked.ignore),
                "baseline": asked.baseline,
                "suppressed": {Means(by).value: count for by, count in sorted(report.suppressed.items())},
            },
        },
    }


def checked_document(checked: CheckedReceipt) -> "ReceiptCheckDocument":
    """Return the part of the document of ``verify`` that is about a receipt."""
    return {
        "path": checked.path,
        "result": checked.result.value,
        "level": checked.level,
        "tool": checked.tool,
        "same_rules": checked.same_rules,
        "same_runner": checked.same_runner,
        "validated_at": checked.validated_at,
        "isolation": checked.isolation,
        "signed": False,
    }


def checked_lines(checked: CheckedReceipt, style: Style) -> Iterator[str]:
    """Yield what the receipt says, by what it was found, and what it does not prove."""
    word = {Result.PASSED: "good", Result.UNPROVED: "warning", Result.FAILED: "error"}[checked.result]
    isolation = "" if checked.isolation is None else f", {printable(checked.isolation)}"
    yield (
        f"receipt    {style(checked.result.value, word)} at level {printable(checked.level)}{isolation}, "
        f"{printable(checked.validated_at)}, by {printable(checked.tool)}"
    )
    others = [name for name, same in (("rules", checked.same_rules), ("runner", checked.same_runner)) if not same]
    if others:
        yield f"           the {' and the '.join(others)} of this installation are others: validate again to hear them"
    yield "           unsigned: it is about these very files, and nothing proves who wrote it"
