"""Evidence of a bundle of which everything fails that can: what rules say of it shows whether they propose a mend."""

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.model.digest import Digest
from bundlekit.model.grid import GridTask
from bundlekit.model.isolation import Budget, Cell, IsolationOutcome, Verdict, Victim
from bundlekit.model.outcome import Failure, TaskRun
from bundlekit.model.project import Project
from bundlekit.probe.evidence import Evidence, ImportProbe, Rehearsal, Role, SmokeRun
from bundlekit.probe.gather import DEFAULT_SMOKE_TASK

__all__ = ["worst_case"]

_FAILURE = Failure(
    ErrorCode.WIRE_RAISED, Phase.CALL, "RuntimeError", "it failed", None, retryable=False, stderr_tail=""
)
_RUN = TaskRun(_FAILURE, None, 0.0, (), "none")


def worst_case(project: Project) -> Evidence:
    """Return what the dynamic stages would have seen of `project` if nothing had worked; nothing is run."""
    named = [(Role.WIRE, wire.value, wire.place) for wire in project.wires[:1]]
    named += [(Role.TARGET, target.value, target.place) for target in project.targets]
    return Evidence(
        project,
        {},
        _FAILURE,
        isolation=_isolation(project),
        imports=tuple(ImportProbe(role, reference, place, None, _FAILURE) for role, reference, place in named),
        smoke=tuple(SmokeRun(task, not project.smoke, _RUN) for task in project.smoke or (DEFAULT_SMOKE_TASK,)),
        rehearsals=tuple(Rehearsal(target, _RUN, _RUN) for target in project.targets),
    )


def _isolation(project: Project) -> IsolationOutcome:
    """Return an experiment in which one task gave another result after another, and one failed."""
    return IsolationOutcome(
        label=project.root,
        name=project.name or "",
        version=project.version or "",
        digest=Digest.of(b""),
        spec="",
        verdict=Verdict.CRASHES_WARM,
        tasks=(GridTask("main", {}, 0), GridTask("main", {}, 1)),
        runs=(),
        victims=tuple(
            Victim(1, "grid", cell, (0, 1), is_minimal=True, divergence=None, message=None, command="")
            for cell in (Cell.DIFFERENT, Cell.CRASHED)
        ),
        native_state=(),
        python_state=(),
        failed_cold=(),
        notes=(),
        not_shown=(),
        seed=0,
        budget=Budget(0, 0.0),
        requires_fresh_process=project.settings.requires_fresh_process,
    )
