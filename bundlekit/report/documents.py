"""Report -> the JSON document of DESIGN, "Shapes"."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bundlekit import __version__
from bundlekit.cold_runner.codes import EXIT_STATUS
from bundlekit.model.edit import summary
from bundlekit.model.envelope import WORKER_RULE
from bundlekit.model.policy import Means

if TYPE_CHECKING:
    from bundlekit.model.documents.errors import ErrorDocument
    from bundlekit.model.documents.isolation import IsolationDocument
    from bundlekit.model.documents.reports import (
        EnvelopeDocument,
        FindingDocument,
        FixDocument,
        ReportDocument,
        ReportsDocument,
        TaskEnvelopeDocument,
    )
    from bundlekit.model.envelope import Envelope, TaskEnvelope
    from bundlekit.model.finding import Finding, Fixed, Obstacle, Report, Unfixed
    from bundlekit.model.isolation import IsolationOutcome

__all__ = ["TOOL", "error_document", "json_text", "report_document", "reports_document"]

TOOL = f"bundlekit {__version__}"


def json_text(document: object) -> str:
    """Return `document` as strict JSON: UTF-8 text, two spaces of indent, a line end at the end."""
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def reports_document(reports: Sequence["Report"]) -> "ReportDocument | ReportsDocument":
    """Return one report as itself and several under the key ``reports``."""
    documents = [report_document(report) for report in reports]
    return documents[0] if len(documents) == 1 else {"reports": documents}


def report_document(report: "Report") -> "ReportDocument":
    """Return the document of one bundle's report."""
    return {
        "schema": "bundlekit/report/1",
        "tool": TOOL,
        "bundle": {
            "path": report.path,
            "name": report.name,
            "version": report.version,
            "digest": report.digest,
            "deps_hash": report.deps_hash,
        },
        "level": report.level.value,
        "passed": report.passed,
        "sandbox": report.sandbox,
        "network": report.network,
        "stages": [
            {
                "name": stage.name.value,
                "status": stage.status.value,
                "seconds": round(stage.seconds, 3),
                "detail": stage.detail,
            }
            for stage in report.stages
        ],
        "findings": [_finding_document(finding) for finding in report.findings],
        "error": None if report.obstacle is None else error_document(report.obstacle),
        "suppressed": {Means(by).value: count for by, count in sorted(report.suppressed.items())},
        "reweighed": report.reweighed,
        "gone": report.gone,
        "fixed": [_fix_document(each) for each in report.fixed],
        "unfixed": [{**_fix_document(each), "reason": each.reason} for each in report.unfixed],
        "difference": report.difference,
        "envelope": None if report.envelope is None else _envelope_document(report.envelope),
        "isolation": None if report.isolation is None else _isolation_document(report.isolation),
    }


def _isolation_document(outcome: "IsolationOutcome") -> "IsolationDocument":
    from bundlekit.report.isolation import isolation_document  # noqa: PLC0415 - most reports come without

    return isolation_document(outcome)


def error_document(obstacle: "Obstacle") -> "ErrorDocument":
    """Return why a command came to nothing."""
    return {
        "code": EXIT_STATUS[obstacle.code],
        "error_code": obstacle.code.value,
        "message": obstacle.message,
        "hint": obstacle.hint,
    }


def _finding_document(finding: "Finding") -> "FindingDocument":
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "hint": finding.hint,
        "entity": finding.entity,
        "fixable": finding.edit is not None,
    }


def _envelope_document(envelope: "Envelope") -> "EnvelopeDocument":
    memory, limit = envelope.memory, envelope.worker_limit_bytes
    return {
        "peak_memory_bytes": None if memory is None else memory.peak_bytes,
        "processes": None if memory is None else memory.processes,
        "seconds": round(envelope.seconds, 3),
        "output_bytes": envelope.output_bytes,
        "worker": None if limit is None else {"memory_limit_bytes": limit, "rule": WORKER_RULE},
        "tasks": [_task_envelope_document(task) for task in envelope.tasks],
    }


def _task_envelope_document(task: "TaskEnvelope") -> "TaskEnvelopeDocument":
    return {
        "entrypoint": task.entrypoint,
        "seed": task.seed,
        "peak_memory_bytes": None if task.memory is None else task.memory.peak_bytes,
        "processes": None if task.memory is None else task.memory.processes,
        "seconds": round(task.seconds, 3),
        "output_bytes": task.output_bytes,
    }


def _fix_document(made: "Fixed | Unfixed") -> "FixDocument":
    finding = made.finding
    return {
        "code": finding.code,
        "message": finding.message,
        "path": made.path,
        "change": "" if finding.edit is None else summary(finding.edit),
    }
