"""A report, or what its dynamic stages gave, as a text and back, for bundlekit's own store: what comes back is equal.

The JSON document of `report` is for others: it rounds times, and leaves out what only `fix` needs.
"""

import json
from collections.abc import Iterable

from bundlekit.model.digest import Digest
from bundlekit.model.edit import (
    AddEntryPoint,
    AddParameter,
    AddRequirement,
    AddSmokeTask,
    CreateFile,
    Edit,
    RenameKey,
    ReplaceText,
    RequireFreshProcess,
)
from bundlekit.model.envelope import Envelope, TaskEnvelope
from bundlekit.model.finding import Finding, Level, Report, Severity, Stage, StageName, StageStatus
from bundlekit.model.outcome import MemoryUse
from bundlekit.model.place import Place
from bundlekit.model.policy import Judgement, Means, Suppressed
from bundlekit.model.stages import StagesOutcome

__all__ = ["kept", "kept_outcome", "restored", "restored_outcome"]

_FindingRow = tuple[str, str, str, str | None, int | None, int | None, str | None, str | None, list[str] | None]
"""The fields of a finding, as JSON has them."""


def kept(report: Report) -> str:
    """Return the text of a report that has no obstacle and tells of no fix: one that does is nothing to keep."""
    return json.dumps(
        {
            "path": report.path,
            "name": report.name,
            "version": report.version,
            "digest": report.digest,
            "deps_hash": report.deps_hash,
            "level": report.level,
            "sandbox": report.sandbox,
            "stages": report.stages,
            "findings": [_kept_finding(finding) for finding in report.findings],
            "suppressed": dict(report.suppressed),
            "reweighed": report.reweighed,
            "gone": report.gone,
            "network": report.network,
        }
    )


def restored(text: str) -> Report:
    """Return the report whose text :func:`kept` gave.

    Raises:
        ValueError, TypeError, KeyError: the text is none of those.
    """
    fields = json.loads(text)
    fields["level"] = Level(fields["level"])
    for name in ("digest", "deps_hash"):
        fields[name] = None if fields[name] is None else Digest.parse(fields[name])
    fields["stages"] = _stages(fields["stages"])
    fields["findings"] = tuple(_finding(row) for row in fields["findings"])
    return Report(**fields)


def kept_outcome(outcome: StagesOutcome) -> str:
    """Return the text of what dynamic stages gave that nothing stood in the way of."""
    return json.dumps(
        {
            "digest": outcome.digest,
            "sandbox": outcome.sandbox,
            "network": outcome.network,
            "stages": outcome.stages,
            "counted": [_kept_finding(finding) for finding in outcome.judgement.counted],
            "suppressed": [(_kept_finding(each.finding), each.by) for each in outcome.judgement.suppressed],
            "reweighed": outcome.judgement.reweighed,
            "envelope": outcome.envelope and outcome.envelope.tasks,
        }
    )


def restored_outcome(text: str) -> StagesOutcome:
    """Return the outcome whose text :func:`kept_outcome` gave.

    Raises:
        ValueError, TypeError, KeyError: the text is none of those.
    """
    fields = json.loads(text)
    judgement = Judgement(
        tuple(_finding(row) for row in fields["counted"]),
        tuple(Suppressed(_finding(row), Means(by)) for row, by in fields["suppressed"]),
        fields["reweighed"],
    )
    return StagesOutcome(
        digest=Digest.parse(fields["digest"]),
        sandbox=fields["sandbox"],
        stages=_stages(fields["stages"]),
        judgement=judgement,
        network=fields["network"],
        envelope=fields["envelope"] and Envelope(tuple(_task_envelope(*row) for row in fields["envelope"])),
    )


def _task_envelope(
    entrypoint: str, seed: int, memory: list[int] | None, seconds: float, output_bytes: int
) -> TaskEnvelope:
    return TaskEnvelope(entrypoint, seed, None if memory is None else MemoryUse(*memory), seconds, output_bytes)


def _stages(rows: Iterable[tuple[str, str, float, str | None]]) -> tuple[Stage, ...]:
    return tuple(Stage(StageName(name), StageStatus(status), seconds, detail) for name, status, seconds, detail in rows)


def _kept_finding(finding: Finding) -> tuple[object, ...]:
    return (*finding[:-1], _kept_edit(finding.edit))


def _finding(row: _FindingRow) -> Finding:
    code, severity, message, path, line, column, hint, entity, edit = row
    return Finding(code, Severity(severity), message, path, line, column, hint, entity, _edit(edit))


def _kept_edit(edit: Edit | None) -> tuple[object, ...] | None:
    return None if edit is None else (type(edit).__name__, *edit)


def _edit(row: list[str] | None) -> Edit | None:
    if row is None:
        return None
    kind, *fields = row
    kinds = {
        each.__name__: each for each in (AddEntryPoint, AddRequirement, AddSmokeTask, CreateFile, RequireFreshProcess)
    }
    if kind in kinds:
        return kinds[kind](*fields)
    place, *texts = fields
    if kind == RenameKey.__name__:
        keys, new = texts
        return RenameKey(place, tuple(keys), new)
    placed = {each.__name__: each for each in (AddParameter, ReplaceText)}
    return placed[kind](Place(*place), *texts)
