"""A report as a text and back, for bundlekit's own store: what comes back is equal, edits included.

The JSON document of `report` is for others: it rounds times, and leaves out what only `fix` needs.
"""

import json

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
from bundlekit.model.finding import Finding, Level, Report, Severity, Stage, StageName, StageStatus
from bundlekit.model.place import Place

__all__ = ["kept", "restored"]


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
            "findings": [(*finding[:-1], _kept_edit(finding.edit)) for finding in report.findings],
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
    fields["stages"] = tuple(
        Stage(StageName(name), StageStatus(status), *others) for name, status, *others in fields["stages"]
    )
    fields["findings"] = tuple(
        Finding(code, Severity(severity), *others)._replace(edit=_edit(edit))
        for code, severity, *others, edit in fields["findings"]
    )
    return Report(**fields)


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
