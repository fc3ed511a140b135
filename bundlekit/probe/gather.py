"""Runs the private copy of a bundle, stage by stage, and collects what it saw."""

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from bundlekit.executors.cold import ColdExecutor
from bundlekit.model.declaration import SmokeTask, TargetDeclaration
from bundlekit.model.outcome import Failure, Imported, Prepared, Simulated
from bundlekit.probe.built_libraries import built_libraries
from bundlekit.probe.evidence import Evidence, ImportProbe, Rehearsal, Role, SmokeRun
from bundlekit.probe.worker_resolution import resolve_for_worker

__all__ = ["DEFAULT_SMOKE_TASK", "gather_environment", "gather_imports", "gather_smoke"]

SMOKE_TIMEOUT_S = 60.0
DEFAULT_SMOKE_TASK = SmokeTask("main", {}, 0, SMOKE_TIMEOUT_S, None)
"""What is run when nobody described a task; its failure proves nothing, so it makes the stage unproved."""

Progress = Callable[[str], None]


def gather_environment(executor: ColdExecutor, evidence: Evidence, progress: Progress) -> Evidence:
    """Return the evidence with the environment and the bundle's code built, and the worker's resolved."""
    progress("building the environment")
    prepared = executor.prepare()
    evidence = evidence._replace(prepared=prepared)
    if evidence.project.settings.worker.is_open or (isinstance(prepared, Failure) and prepared.retryable):
        # An index that was not reached would not be reached now either.
        return evidence
    progress("resolving for the worker")
    version = ".".join(prepared.version.split(".")[:2]) if isinstance(prepared, Prepared) else None
    return evidence._replace(resolution=resolve_for_worker(evidence.project, version, os.environ))


def gather_imports(executor: ColdExecutor, evidence: Evidence, progress: Progress) -> Evidence:
    """Return the evidence with the wire and every target imported, each in a child of its own."""
    probes: list[ImportProbe] = []
    prepared = evidence.prepared
    if isinstance(prepared, Prepared) and prepared.wire is not None:
        place = evidence.project.wires[0].place if evidence.project.wires else None
        progress(f"importing wire {prepared.wire.value}")
        outcome = executor.probe(None, SMOKE_TIMEOUT_S)
        probes.append(
            ImportProbe(Role.WIRE, prepared.wire.value, place, evidence.static.get(prepared.wire.value), outcome)
        )
    for target in _distinct(evidence.project.targets):
        progress(f"importing target {target.value}")
        outcome = executor.probe(target.value, SMOKE_TIMEOUT_S)
        probes.append(ImportProbe(Role.TARGET, target.value, target.place, evidence.static.get(target.value), outcome))
    libraries = built_libraries(Path(prepared.site)) if isinstance(prepared, Prepared) else ()
    return evidence._replace(imports=tuple(probes), libraries=libraries)


def gather_smoke(executor: ColdExecutor, evidence: Evidence, progress: Progress) -> Evidence:
    """Return the evidence with the smoke tasks run and each target rehearsed on their outputs."""
    tasks = evidence.project.smoke or (DEFAULT_SMOKE_TASK,)
    runs: list[SmokeRun] = []
    for number, task in enumerate(tasks, start=1):
        progress(f"smoke task {number} of {len(tasks)}: {task.entrypoint}")
        document = {"entrypoint": task.entrypoint, "params": dict(task.params), "seed": task.seed}
        run = executor.simulate(document, task.timeout_s)
        runs.append(SmokeRun(task, not evidence.project.smoke, run))
    evidence = evidence._replace(smoke=tuple(runs))
    returns = [_sim_return(each.run.outcome) for each in runs if isinstance(each.run.outcome, Simulated)]
    if not returns:
        return evidence
    return evidence._replace(rehearsals=tuple(_rehearse(executor, evidence, returns, progress)))


def _rehearse(
    executor: ColdExecutor, evidence: Evidence, returns: list[dict[str, object]], progress: Progress
) -> Iterator[Rehearsal]:
    for target in _distinct(evidence.project.targets):
        progress(f"rehearsing target {target.value}")
        with_bytes = executor.aggregate(target.value, returns, SMOKE_TIMEOUT_S)
        with_text = None
        if _takes_returns(evidence, target):
            with_text = executor.aggregate(target.value, returns, SMOKE_TIMEOUT_S, inline_as="str")
        yield Rehearsal(target, with_bytes, with_text)


def _takes_returns(evidence: Evidence, target: TargetDeclaration) -> bool:
    for probe in evidence.imports:
        if probe.reference == target.value and isinstance(probe.outcome, Imported):
            signature = probe.outcome.signature
            return signature is None or [each.name for each in signature.parameters] not in ([], ["data_paths"])
    return True


def _sim_return(simulated: Simulated) -> dict[str, object]:
    outputs = {
        name: {
            "size": output.size,
            "checksum": output.checksum,
            "inline": base64.b64encode(output.inline or b"").decode("ascii"),
        }
        for name, output in simulated.outputs.items()
    }
    return {"task_id": simulated.task_id, "outputs": outputs}


def _distinct(targets: tuple[TargetDeclaration, ...]) -> list[TargetDeclaration]:
    return list({target.value: target for target in reversed(targets)}.values())[::-1]
