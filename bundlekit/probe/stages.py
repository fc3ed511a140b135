"""The dynamic stages in their order: environment, import, smoke; a stage that fails ends the run."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.check.engine import StaticAnswers
from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.executors.backend import run_settings
from bundlekit.executors.cold import BundleToRun, ColdExecutor, ColdOptions
from bundlekit.model.counted import counted
from bundlekit.model.finding import Finding, Level, Obstacle, Stage, StageName, StageStatus
from bundlekit.model.outcome import Failure, Prepared
from bundlekit.model.policy import Judgement, Policy, fails, judged
from bundlekit.model.project import Project
from bundlekit.model.stages import StagesOutcome
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest
from bundlekit.probe.envelope import envelope_of
from bundlekit.probe.environment_rules import INTERPRETER_ERROR
from bundlekit.probe.evidence import Evidence, StaticSignatures
from bundlekit.probe.gather import Progress, gather_environment, gather_imports, gather_smoke
from bundlekit.probe.rules import RULES_OF_STAGE

__all__ = ["StageOptions", "run_stages"]

_UNPROVED = "BK702"
_SMOKED = {Level.SMOKE, Level.ISOLATION}
_NOTHING_INSTALLED = "none"
_INFRASTRUCTURE = frozenset({ErrorCode.IO, ErrorCode.CACHE, ErrorCode.INTERNAL, ErrorCode.SOURCE, ErrorCode.USAGE})


class StageOptions(NamedTuple):
    """How far to go, in which sandbox, under which interpreter (a path or a version), and which findings count."""

    level: Level
    sandbox: str
    python: str | None
    policy: Policy = Policy()


class _Plan(NamedTuple):
    name: StageName
    gather: Callable[[ColdExecutor, Evidence, Progress], Evidence]
    detail: Callable[[Evidence], str | None]


def _interpreter(evidence: Evidence) -> str | None:
    prepared = evidence.prepared
    if not isinstance(prepared, Prepared):
        return None
    # Which installer it was is told here too: pip stands in for a uv that cannot run, and resolves differently.
    by = "" if prepared.installer == _NOTHING_INSTALLED else f", {prepared.installer}"
    return f"Python {prepared.version}{by}"


def _imported(evidence: Evidence) -> str:
    return counted(len(evidence.imports), "object")


def _smoked(evidence: Evidence) -> str:
    tasks = counted(len(evidence.smoke), "task")
    return f"{tasks}, {counted(len(evidence.rehearsals), 'target')}" if evidence.rehearsals else tasks


_PLANS = (
    _Plan(StageName.ENVIRONMENT, gather_environment, _interpreter),
    _Plan(StageName.IMPORT, gather_imports, _imported),
    _Plan(StageName.SMOKE, gather_smoke, _smoked),
)


def run_stages(root: Path, project: Project, options: StageOptions, progress: Progress) -> StagesOutcome:
    """Build, import and smoke-run the private copy of the bundle at `root`, up to the level asked for.

    Raises:
        BundlekitError: a file cannot be read, or the cold runner broke down.
    """
    progress("hashing the files that ship")
    files = hash_tree(root, project.members)
    digest = None if project.name is None else manifest_digest(manifest_of(project, files))
    # The experiment names variables of libraries, and what is built with their names for it need not be built twice.
    named = options.level is Level.ISOLATION
    asked = ColdOptions(python=options.python, sandbox=options.sandbox, measured=True, keep_symbols=named)
    cold_options = asked.within(run_settings(project.settings))
    evidence = Evidence(project, _static_signatures(project))
    plans = [plan for plan in _PLANS if plan.name is not StageName.SMOKE or options.level in _SMOKED]
    with ColdExecutor(BundleToRun(root, files, digest), cold_options, _unheard) as executor:
        return _run(executor, plans, evidence, options, progress)._replace(digest=digest)


def _unheard(_line: str) -> None:
    """Let a line of the log go: what matters of it is in each failure, and progress speaks of stages."""


def _run(
    executor: ColdExecutor,
    plans: Sequence[_Plan],
    evidence: Evidence,
    options: StageOptions,
    progress: Progress,
) -> StagesOutcome:
    stages: list[Stage] = []
    judgement = Judgement()
    obstacle: Obstacle | None = None
    for plan in plans:
        if stages and stages[-1].status in {StageStatus.FAILED, StageStatus.SKIPPED}:
            stages.append(Stage(plan.name, StageStatus.SKIPPED, 0.0))
            continue
        started = time.monotonic()
        evidence = plan.gather(executor, evidence, progress)
        obstacle = _obstacle(evidence, options)
        found = [] if obstacle else [finding for rule in RULES_OF_STAGE[plan.name] for finding in rule.check(evidence)]
        # Nothing can follow an environment that is not there, whatever is ignored.
        is_blocked = obstacle is not None or isinstance(evidence.prepared, Failure)
        status = StageStatus.FAILED if is_blocked else _status(found, options)
        stages.append(Stage(plan.name, status, time.monotonic() - started, plan.detail(evidence)))
        judgement = judgement.joined(judged(found, options.policy))
    sandbox, network = _sandbox(evidence)
    return StagesOutcome(None, sandbox, tuple(stages), judgement, obstacle, network, envelope_of(evidence.smoke))


def _status(findings: Sequence[Finding], options: StageOptions) -> StageStatus:
    if fails(findings, options.policy):
        return StageStatus.FAILED
    if any(finding.code == _UNPROVED for finding in findings):
        return StageStatus.UNPROVED
    return StageStatus.PASSED


def _obstacle(evidence: Evidence, options: StageOptions) -> Obstacle | None:
    """Return the first failure that says nothing about the bundle: no index, a full disk, an option that is wrong."""
    for failure in evidence.failures():
        if failure.type_name == INTERPRETER_ERROR and options.python is not None:
            return Obstacle(ErrorCode.USAGE, f"--python {options.python}: {failure.headline}")
        if failure.error_code in _INFRASTRUCTURE or (failure.error_code is ErrorCode.VENV and failure.retryable):
            return Obstacle(failure.error_code, " ".join(failure.message.split()))
    return None


def _sandbox(evidence: Evidence) -> tuple[str, str]:
    """Return the level of the sandbox in which bundle code ran, and what the network was to it."""
    # A build is bundle code too, and runs before there is anything to hold it in.
    if not isinstance(evidence.prepared, Prepared) or not evidence.imports:
        return "none", "none"
    return evidence.prepared.sandbox, evidence.prepared.network


def _static_signatures(project: Project) -> StaticSignatures:
    answers = StaticAnswers(project)
    wire = {project.wires[0].value: answers.wire_signature()} if project.wires else {}
    return wire | {target.value: answers.target_signature(target) for target in project.targets}
