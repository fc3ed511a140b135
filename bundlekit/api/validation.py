"""Validate bundles: the static rules, then a private copy built, imported and smoke-run."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.inputs import BundleDirectory, bundle_directories, snapshot
from bundlekit.api.policies import check_codes, policy_of
from bundlekit.check.engine import check
from bundlekit.errors import BundlekitError, UsageError
from bundlekit.model.finding import (
    Finding,
    Level,
    Obstacle,
    Report,
    Severity,
    Stage,
    StageName,
    StagesOutcome,
    StageStatus,
)
from bundlekit.model.policy import Policy, judged
from bundlekit.model.project import Project, ProjectTable

__all__ = ["Progress", "ValidateOptions", "validate", "validate_directory"]

Progress = Callable[[str], None]
"""Is told, in a few words, what goes on now."""


class ValidateOptions(NamedTuple):
    """How far to go and what to look at. `select` and `ignore` are code prefixes; `python` a path or a version.

    `baseline` is a file of known findings, which do not count.
    """

    level: Level = Level.SMOKE
    job_spec: Path | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    sandbox: str = "auto"
    python: str | None = None
    baseline: Path | None = None


def validate(paths: Sequence[Path], options: ValidateOptions, progress: Progress) -> tuple[Report, ...]:
    """Return a report for every bundle that `paths` stand for; none for a repository without bundles.

    A path that is no bundle, or an archive that is not sound, gives a report with that obstacle; the others go on.

    Raises:
        UsageError: the level is not in this version, a code is no rule's, a job specification is not there.
    """
    if options.level is Level.ISOLATION:
        raise UsageError("--level isolation is not in this version: use static, import or smoke", subject="isolation")
    if options.select or options.ignore:
        check_codes((*options.select, *options.ignore))
    if options.job_spec is not None and not options.job_spec.is_file():
        msg = f"{options.job_spec} is no file: expected a job specification or a grid file in JSON"
        raise UsageError(msg, subject=options.job_spec)
    return tuple(report for path in paths for report in _validate_path(path, options, progress))


def _validate_path(path: Path, options: ValidateOptions, progress: Progress) -> Iterator[Report]:
    try:
        # A hook meets repositories that have no bundle (yet); who asks for more than reading means that there is one.
        with bundle_directories(path, may_be_none=options.level is Level.STATIC) as bundles:
            for bundle in bundles:
                yield validate_directory(
                    bundle, snapshot(bundle, job_spec=options.job_spec, python=options.python), options, progress
                )
    except BundlekitError as error:
        yield Report(str(path), None, None, None, None, options.level, "none", (), (), _obstacle(error))


def _obstacle(error: BundlekitError) -> Obstacle:
    return Obstacle(error.code, error.message, error.hint)


def validate_directory(
    bundle: BundleDirectory, project: Project, options: ValidateOptions, progress: Progress
) -> Report:
    """Return the report of one bundle whose snapshot has been read."""
    started = time.monotonic()
    progress(f"reading {bundle.label}")
    policy = policy_of(bundle, project, select=options.select, ignore=options.ignore, baseline=options.baseline)
    found = judged(check(project), policy)
    static = Stage(StageName.STATIC, _status(found.counted), time.monotonic() - started)
    dynamic = _dynamic((bundle.root, project), static, options, policy, progress)
    findings = (*found.counted, *dynamic.findings)
    if bundle.manifest is not None:
        # An archive is what it is: its findings have nothing that a fix could change.
        findings = tuple(finding._replace(edit=None) for finding in findings)
    return Report(
        path=bundle.label,
        name=project.name,
        version=project.version,
        digest=dynamic.digest,
        # What cannot be read declares nothing, which is not the same as declaring no dependencies.
        deps_hash=None if project.table is ProjectTable.UNREADABLE else project.dependencies.hash,
        level=options.level,
        sandbox=dynamic.sandbox,
        stages=(static, *dynamic.stages),
        findings=findings,
        obstacle=dynamic.obstacle,
        suppressed=Counter(each.by.value for each in (*found.suppressed, *dynamic.suppressed)),
    )


def _status(findings: Sequence[Finding]) -> StageStatus:
    return StageStatus.FAILED if any(each.severity is Severity.ERROR for each in findings) else StageStatus.PASSED


def _dynamic(
    bundle: tuple[Path, Project], static: Stage, options: ValidateOptions, policy: Policy, progress: Progress
) -> StagesOutcome:
    if options.level is Level.STATIC:
        return StagesOutcome()
    if static.status is StageStatus.FAILED:
        return StagesOutcome(stages=_skipped(options.level))
    from bundlekit.probe.stages import StageOptions, run_stages  # noqa: PLC0415 - the static level starts no process

    try:
        stage_options = StageOptions(options.level, options.sandbox, options.python, policy)
        return run_stages(*bundle, stage_options, progress)
    except BundlekitError as error:
        return StagesOutcome(stages=_skipped(options.level), obstacle=_obstacle(error))


def _skipped(level: Level) -> tuple[Stage, ...]:
    names = [StageName.ENVIRONMENT, StageName.IMPORT, *([StageName.SMOKE] if level is Level.SMOKE else [])]
    return tuple(Stage(name, StageStatus.SKIPPED, 0.0) for name in names)
