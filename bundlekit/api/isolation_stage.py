"""The last stage of validation: the isolation experiment, and what its rules say of what it showed."""

import time
from pathlib import Path

from bundlekit.api.grids import read_tasks
from bundlekit.api.inputs import BundleDirectory
from bundlekit.api.isolation import experiment_on, smoke_grid
from bundlekit.api.isolation_options import IsolationOptions, IsolationWatcher
from bundlekit.cold_runner.codes import EXIT_STATUS, ErrorCode
from bundlekit.model.counted import counted
from bundlekit.model.finding import Stage, StageName, StageStatus
from bundlekit.model.isolation import IsolationOutcome
from bundlekit.model.policy import fails, judged
from bundlekit.model.project import Project
from bundlekit.model.stages import StagesOutcome
from bundlekit.probe.evidence import Evidence
from bundlekit.probe.gather import Progress
from bundlekit.probe.rules import RULES_OF_STAGE
from bundlekit.probe.stages import StageOptions

__all__ = ["with_isolation"]

_NOT_OF_THE_BUNDLE = {EXIT_STATUS[ErrorCode.VENV], EXIT_STATUS[ErrorCode.INTERNAL], EXIT_STATUS[ErrorCode.USAGE]}


def with_isolation(
    before: StagesOutcome,
    read: tuple[BundleDirectory, Project],
    options: StageOptions,
    spec: Path | None,
    progress: Progress,
) -> StagesOutcome:
    """Return the outcome of the stages `before` with this one, which runs the tasks of `spec`, else the smoke tasks.

    Raises:
        BundlekitError: as :func:`bundlekit.api.isolation.run_isolation`.
    """
    if before.obstacle is not None or any(stage.status is not StageStatus.PASSED for stage in before.stages):
        return before._replace(stages=(*before.stages, Stage(StageName.ISOLATION, StageStatus.SKIPPED, 0.0)))
    bundle, project = read
    started = time.monotonic()
    grid = smoke_grid(project) if spec is None else read_tasks(spec, progress)
    asked = IsolationOptions(spec, python=options.python, sandbox=options.sandbox)
    outcome = experiment_on(bundle, project, grid, asked, IsolationWatcher(progress, progress))
    evidence = Evidence(project, {}, isolation=outcome)
    found = [finding for rule in RULES_OF_STAGE[StageName.ISOLATION] for finding in rule.check(evidence)]
    is_blocked = outcome.obstacle is not None and outcome.exit_status in _NOT_OF_THE_BUNDLE
    status = StageStatus.PASSED
    if is_blocked or fails(found, options.policy):
        status = StageStatus.FAILED
    elif outcome.verdict is None:
        status = StageStatus.UNPROVED
    stage = Stage(StageName.ISOLATION, status, time.monotonic() - started, _detail(outcome))
    return before._replace(
        stages=(*before.stages, stage),
        judgement=before.judgement.joined(judged(found, options.policy)),
        obstacle=outcome.obstacle if is_blocked else None,
        isolation=outcome,
    )


def _detail(outcome: IsolationOutcome) -> str:
    verdict = "no verdict" if outcome.verdict is None else outcome.verdict.value
    if outcome.obstacle is not None:
        verdict += f": {outcome.obstacle.message}"
    return f"{verdict}, {counted(outcome.budget.tasks_used, 'execution')}"
