"""Task runs as the runner's documents have them: what ``run`` prints, and what an aggregation takes in."""

import base64
from collections.abc import Mapping, Sequence

from bundlekit.errors import InternalError
from bundlekit.executors.answers import error_of
from bundlekit.model.outcome import Failure, Output, Simulated, TaskRun

__all__ = ["replicates_of_runs", "run_document"]


def run_document(run: TaskRun) -> dict[str, object]:
    """Return the one-line document of a simulation.

    Raises:
        InternalError: the run is an aggregation.
    """
    if isinstance(run.outcome, Failure):
        return {"_fatal_error": error_of(run.outcome).document()}
    return _simulated(run)


def replicates_of_runs(runs: Sequence[TaskRun]) -> list[Mapping[str, object]]:
    """Return simulations as an aggregation takes them in.

    Raises:
        InternalError: one of them has no outputs.
    """
    return [_simulated(run) for run in runs]


def _simulated(run: TaskRun) -> dict[str, object]:
    if not isinstance(run.outcome, Simulated):
        raise InternalError("expected a simulation with outputs")
    outputs = {name: _output(each) for name, each in run.outcome.outputs.items()}
    return {"task_id": run.outcome.task_id, "outputs": outputs}


def _output(output: Output) -> dict[str, object]:
    document: dict[str, object] = {"size": output.size, "checksum": output.checksum}
    if output.inline is None:
        return {**document, "ref": output.ref}
    return {**document, "inline": base64.b64encode(output.inline).decode("ascii")}
