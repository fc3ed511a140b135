"""Rules of the smoke stage: does a task run, and do the targets take what it gives?"""

from collections.abc import Iterator

from bundlekit.model.edit import AddSmokeTask
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.outcome import Failure
from bundlekit.model.project import ProjectTable
from bundlekit.model.rule import Rule
from bundlekit.probe.evidence import Evidence, Rehearsal, SmokeRun
from bundlekit.probe.example_bundle import SOUND, varied
from bundlekit.probe.rule_type import EvidenceCheck
from bundlekit.probe.sandbox_hints import failure_hint

__all__ = ["SMOKE_RULES"]

_PATHS_SHOWN = 5
_READABLE = {ProjectTable.PRESENT, ProjectTable.WITHOUT_PROJECT}


def _smoke(evidence: Evidence) -> Iterator[Finding]:
    for smoke in evidence.smoke:
        if not smoke.is_default and isinstance(smoke.run.outcome, Failure):
            yield _task_failure("BK701", Severity.ERROR, smoke, failure_hint(smoke.run.outcome, evidence))


def _default_task(evidence: Evidence) -> Iterator[Finding]:
    for smoke in evidence.smoke:
        if smoke.is_default and isinstance(smoke.run.outcome, Failure):
            finding = _task_failure("BK702", Severity.WARNING, smoke, None)
            yield finding._replace(
                path="pyproject.toml",
                hint="describe a task that should work in [[tool.bundlekit.smoke]]: entrypoint, params, seed",
                edit=AddSmokeTask(smoke.task.entrypoint) if evidence.project.table in _READABLE else None,
            )


def _task_failure(code: str, severity: Severity, smoke: SmokeRun, hint: str | None) -> Finding:
    task, place = smoke.task, smoke.task.place
    named = f"{'default ' * smoke.is_default}smoke task {task.entrypoint!r} with seed {task.seed}"
    return Finding(
        code,
        severity,
        f"{named} failed: {smoke.run.outcome}",
        path=None if place is None else place.path,
        line=None if place is None else place.line,
        column=None if place is None else place.column,
        hint=hint,
        entity=task.entrypoint,
    )


def _rehearsals(evidence: Evidence) -> Iterator[Finding]:
    for rehearsal in evidence.rehearsals:
        failure = rehearsal.with_bytes.outcome
        text_fails = rehearsal.with_text is None or isinstance(rehearsal.with_text.outcome, Failure)
        if isinstance(failure, Failure) and text_fails:
            message = f"target {rehearsal.target.value!r} fails on the smoke run's outputs: {failure}"
            yield _at(rehearsal, Finding("BK703", Severity.ERROR, message, hint=failure_hint(failure, evidence)))


def _one_kind_of_data(evidence: Evidence) -> Iterator[Finding]:
    for rehearsal in evidence.rehearsals:
        if rehearsal.with_text is None:
            continue
        works = [not isinstance(run.outcome, Failure) for run in (rehearsal.with_bytes, rehearsal.with_text)]
        if sum(works) == 1:
            kind, other = ("bytes", "base64 text") if works[0] else ("base64 text", "bytes")
            message = f"target {rehearsal.target.value!r} works when outputs arrive as {kind}, and fails with {other}"
            hint = "runners differ here: accept both, `base64.b64decode(data) if isinstance(data, str) else data`"
            yield _at(rehearsal, Finding("BK705", Severity.WARNING, message, hint=hint))


def _at(rehearsal: Rehearsal, finding: Finding) -> Finding:
    place = rehearsal.target.place
    return finding._replace(path=place.path, line=place.line, column=place.column, entity=rehearsal.target.value)


def _writes(evidence: Evidence) -> Iterator[Finding]:
    runs = [("task", each.task.entrypoint, each.run) for each in evidence.smoke]
    runs += [("target", each.target.value, each.with_bytes) for each in evidence.rehearsals]
    for kind, name, run in runs:
        if run.writes:
            shown = ", ".join(f"{write.path} ({write.change})" for write in run.writes[:_PATHS_SHOWN])
            more = len(run.writes) - _PATHS_SHOWN
            message = (
                f"{kind} {name!r} wrote into its copy of the bundle: {shown}"
                f"{f' and {more} more' if more > 0 else ''}; that was thrown away with the copy"
            )
            hint = "return data as outputs; use tempfile for scratch"
            yield Finding("BK704", Severity.INFO, message, hint=hint, entity=name)


_RAISES = ('{"raw": b"ok"}', 'params["beta"]')

SMOKE_RULES: tuple[Rule[EvidenceCheck], ...] = (
    Rule(
        code="BK701",
        title="A smoke task fails",
        why="The task that stands for the real work fails in a fresh process, so the real work will.",
        severity=Severity.ERROR,
        check=_smoke,
        good=SOUND,
        bad=varied(_RAISES),
    ),
    Rule(
        code="BK702",
        title="The default smoke task fails, so nothing is proved",
        why="Without a described task, bundlekit calls `main` with no parameters; many models need some.",
        severity=Severity.WARNING,
        check=_default_task,
        good=SOUND,
        bad=varied(_RAISES, ('[[tool.bundlekit.smoke]]\nentrypoint = "main"\nseed = 1\n', "")),
    ),
    Rule(
        code="BK703",
        title="A target fails on real outputs",
        why="The target is called on the very outputs that the smoke run gave; on the cluster it meets the same.",
        severity=Severity.ERROR,
        check=_rehearsals,
        good=SOUND,
        bad=varied(("float(len(data))", "float(data)")),
    ),
    Rule(
        code="BK704",
        title="A task writes into the bundle's directory",
        why="Each task has a throw-away copy: what it writes there is gone afterwards and no other task sees it.",
        severity=Severity.INFO,
        check=_writes,
        good=SOUND,
        bad=varied(('    return {"raw"', '    open("notes.txt", "w").close()\n    return {"raw"')),
    ),
    Rule(
        code="BK705",
        title="A target takes only one of the two forms in which outputs arrive",
        why="One of today's runners hands over bytes, the other base64 text.",
        severity=Severity.WARNING,
        check=_one_kind_of_data,
        good=SOUND,
        bad=varied(("base64.b64decode(data) if isinstance(data, str) else data", "bytes(data)")),
    ),
)
