"""Validate bundles: the static rules, then a private copy built, imported and smoke-run."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bundlekit.api.baselines import Baselines
from bundlekit.api.inputs import BundleDirectory, bundle_directories, snapshot
from bundlekit.errors import BundlekitError, UsageError
from bundlekit.model.finding import Finding, Level, Obstacle, Report, Severity, Stage, StageName, StageStatus
from bundlekit.model.stages import StagesOutcome

if TYPE_CHECKING:
    from bundlekit.model.digest import Digest
    from bundlekit.model.policy import Policy
    from bundlekit.model.project import Project

__all__ = ["Progress", "ValidateOptions", "validate", "validate_directory"]

Progress = Callable[[str], None]
"""Is told, in a few words, what goes on now."""


class ValidateOptions(NamedTuple):
    """How far to go and what to look at. `select` and `ignore` are code prefixes; `python` a path or a version.

    `baseline` is a file of known findings, which do not count; `write_baseline` makes all that is found known there,
    or in the files that the bundles' settings name. With `reuse`, the static report of a bundle that has not changed
    since it was made is taken from the store of known reports, and a new one is kept there; so are dynamic stages that
    a bundle of the same digest has passed. `with_digest` has the report give the bundle's digest at the static level
    too, and where the dynamic stages were not reached.
    """

    level: Level = Level.SMOKE
    job_spec: Path | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    sandbox: str = "auto"
    python: str | None = None
    baseline: Path | None = None
    write_baseline: bool = False
    reuse: bool = False
    with_digest: bool = False


def validate(paths: Sequence[Path], options: ValidateOptions, progress: Progress) -> tuple[Report, ...]:
    """Return a report for every bundle that `paths` stand for; none for a repository without bundles.

    A path that is no bundle, or an archive that is not sound, gives a report with that obstacle; the others go on, and
    no baseline is written.

    Raises:
        UsageError: the level is not in this version, a code is no rule's, a job specification is not there, a file
            stands where a baseline should be written.
        FileAccessError: the baseline cannot be written.
    """
    if options.select or options.ignore:
        from bundlekit.api.policies import check_codes, split_codes  # noqa: PLC0415 - most calls select nothing

        options = options._replace(select=split_codes(options.select), ignore=split_codes(options.ignore))
        check_codes((*options.select, *options.ignore))
    if options.job_spec is not None and not options.job_spec.is_file():
        msg = f"{options.job_spec} is no file: expected a job specification or a grid file in JSON"
        raise UsageError(msg, subject=options.job_spec)
    judged_by = _judge(options)
    baselines = Baselines(options.baseline, learns=options.write_baseline)
    reports = tuple(
        report for path in paths for report in _validate_path(path, options, baselines, judged_by, progress)
    )
    if options.write_baseline and not any(report.obstacle for report in reports):
        baselines.write()
    return reports


def _judge(options: ValidateOptions) -> str | None:
    """Return the state of what checks bundles, None where no report may be taken from the store."""
    # What else an interpreter's environment holds, no state of the bundle tells.
    if not options.reuse or options.write_baseline or options.level is not Level.STATIC or options.python is not None:
        return None
    if options.with_digest:
        return None
    from bundlekit.api.known_reports import judge  # noqa: PLC0415 - only the hook's level has a store

    return judge()


def _validate_path(
    path: Path, options: ValidateOptions, baselines: Baselines, judged_by: str | None, progress: Progress
) -> Iterator[Report]:
    try:
        # A hook meets repositories that have no bundle (yet); who asks for more than reading means that there is one.
        with bundle_directories(path, may_be_none=options.level is Level.STATIC) as bundles:
            for bundle in bundles:
                if judged_by is not None and bundle.manifest is None:
                    yield _reused(bundle, options, baselines, judged_by, progress)
                else:
                    project = snapshot(bundle, job_spec=options.job_spec, python=options.python)
                    yield _validated(bundle, project, options, baselines, progress)
    except BundlekitError as error:
        yield Report(str(path), None, None, None, None, options.level, "none", (), (), _obstacle(error))


def _reused(
    bundle: BundleDirectory, options: ValidateOptions, baselines: Baselines, judged_by: str, progress: Progress
) -> Report:
    from bundlekit.api.known_reports import KnownReport, Question  # noqa: PLC0415 - as above

    started = time.monotonic()
    told = (",".join(options.select), ",".join(options.ignore), str(options.job_spec), str(options.baseline))
    files = tuple(file for file in (options.job_spec, options.baseline) if file is not None)
    known = KnownReport.of(Question(bundle.root, bundle.label, told, files), judged_by)
    report = None if known is None else known.recall()
    if report is not None:
        seconds = time.monotonic() - started
        return report._replace(stages=tuple(stage._replace(seconds=seconds) for stage in report.stages))
    project = snapshot(bundle, job_spec=options.job_spec)
    report = _validated(bundle, project, options, baselines, progress)
    if known is not None and _depends_on_its_tree_alone(project, known.tree.unread):
        known.keep(report)
    return report


def _depends_on_its_tree_alone(project: "Project", unread: Sequence[str]) -> bool:
    """Whether no setting leads out of the bundle's directory, or into those of its entries that are not looked at."""
    from bundlekit.read.shipping_rules import read_rules  # noqa: PLC0415 - a known bundle is not read
    from bundlekit.read.tree_state import NEVER_READ  # noqa: PLC0415 - as above

    settings = project.settings
    if project.environment is not None or (settings.python is not None and "/" in settings.python):
        return False
    baseline = Path(settings.baseline or "")
    if baseline.is_absolute() or not {"..", *NEVER_READ}.isdisjoint(baseline.parts):
        return False
    rules, _ = read_rules(Path(project.root), settings.include, settings.exclude)
    # A pattern that starts with a wildcard may bring a directory back as a whole, the others what is in it.
    return not any(
        rules.reaches_into(path) or rules.decide(path, is_directory=True, default="a tool's", inherited=None) is None
        for path in unread
    )


def _obstacle(error: BundlekitError) -> Obstacle:
    return Obstacle(error.code, error.message, error.hint)


def validate_directory(
    bundle: BundleDirectory, project: "Project", options: ValidateOptions, progress: Progress
) -> Report:
    """Return the report of one bundle whose snapshot has been read."""
    return _validated(bundle, project, options, Baselines(options.baseline), progress)


def _validated(
    bundle: BundleDirectory, project: "Project", options: ValidateOptions, baselines: Baselines, progress: Progress
) -> Report:
    from bundlekit.api.policies import codes_of_runs, looked_for, policy_of, unused_after_run  # noqa: PLC0415 - a known bundle is not checked
    from bundlekit.check.engine import check  # noqa: PLC0415 - as above
    from bundlekit.model.policy import Means, Selection, judged  # noqa: PLC0415 - as above
    from bundlekit.model.project import ProjectTable  # noqa: PLC0415 - as above

    started = time.monotonic()
    progress(f"reading {bundle.label}")
    known = baselines.known(bundle, project)
    policy = policy_of(project, Selection(options.select, options.ignore), known.findings, learns=baselines.learns)
    later = codes_of_runs() if project.ignores or project.settings.named_codes else {}
    read = judged(check(project, later=later), policy)
    static = Stage(StageName.STATIC, _status(read.counted), time.monotonic() - started)
    dynamic = _dynamic((bundle, project), static, options, policy, progress)
    found = read.joined(dynamic.judgement).everything()
    sought = looked_for(policy, dynamic.stages, found) if known.file or policy.comments else frozenset[str]()
    whole = read.joined(judged(unused_after_run(policy, found, sought), policy)).joined(dynamic.judgement)
    in_baseline = [each.finding for each in whole.suppressed if each.by is Means.BASELINE]
    baselines.learn(known, in_baseline, sought)
    return Report(
        path=bundle.label,
        name=project.name,
        version=project.version,
        digest=dynamic.digest or (_digest_of(bundle.root, project) if options.with_digest else None),
        # What cannot be read declares nothing, which is not the same as declaring no dependencies.
        deps_hash=None if project.table is ProjectTable.UNREADABLE else project.dependencies.hash,
        level=options.level,
        sandbox=dynamic.sandbox,
        stages=(static, *dynamic.stages),
        # An archive is what it is: nothing in it can be mended.
        findings=tuple(each if bundle.manifest is None else each._replace(edit=None) for each in whole.counted),
        obstacle=dynamic.obstacle,
        suppressed=Counter(each.by.value for each in whole.suppressed),
        reweighed=whole.reweighed,
        network=dynamic.network,
        envelope=dynamic.envelope,
        isolation=dynamic.isolation,
        gone=0 if baselines.learns else known.gone(in_baseline, sought),
    )


def _digest_of(root: Path, project: "Project") -> "Digest | None":
    """Return the digest of what was checked, None for a bundle that cannot be packed as it is."""
    from bundlekit.api.bundle_digests import listed  # noqa: PLC0415 - only receipts ask for it

    try:
        return listed(root, project)[1]
    except BundlekitError:
        return None


def _status(findings: Sequence[Finding]) -> StageStatus:
    return StageStatus.FAILED if any(each.severity is Severity.ERROR for each in findings) else StageStatus.PASSED


def _dynamic(
    read: tuple[BundleDirectory, "Project"],
    static: Stage,
    options: ValidateOptions,
    policy: "Policy",
    progress: Progress,
) -> StagesOutcome:
    if options.level is Level.STATIC:
        return StagesOutcome()
    if static.status is StageStatus.FAILED:
        return StagesOutcome(stages=_skipped(options.level))
    from bundlekit.api.known_runs import run_or_recall  # noqa: PLC0415 - the static level starts no process
    from bundlekit.probe.stages import StageOptions  # noqa: PLC0415 - as above

    stage_options = StageOptions(options.level, options.sandbox, options.python, policy)
    try:
        may_recall = options.reuse and not options.write_baseline
        dynamic = run_or_recall(read, stage_options, options.job_spec, progress, may_recall=may_recall)
        if options.level is not Level.ISOLATION:
            return dynamic
        from bundlekit.api.isolation_stage import with_isolation  # noqa: PLC0415 - the other levels end before

        return with_isolation(dynamic, read, stage_options, options.job_spec, progress)
    except BundlekitError as error:
        return StagesOutcome(stages=_skipped(options.level), obstacle=_obstacle(error))


def _skipped(level: Level) -> tuple[Stage, ...]:
    names = [StageName.ENVIRONMENT, StageName.IMPORT]
    names += [StageName.SMOKE] if level in {Level.SMOKE, Level.ISOLATION} else []
    names += [StageName.ISOLATION] if level is Level.ISOLATION else []
    return tuple(Stage(name, StageStatus.SKIPPED, 0.0) for name in names)
