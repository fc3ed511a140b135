"""What runs on a Dask worker for each task: a few lines, which find the worker's own executor."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bundlekit.cluster.dask_plugin import interruptible, refuse_tasks_here
from bundlekit.executors.run_documents import replicates_of_runs
from bundlekit.model.contracts import AggregationTask, SimReturn
from bundlekit.model.contracts.shapes import AggregationReturnShape, SimReturnShape, SimTaskShape
from bundlekit.model.grid import Placed
from bundlekit.model.outcome import Simulated

__all__ = ["Aggregation", "aggregate", "brief", "evaluate", "place", "place_briefly", "simulate"]


class Aggregation(NamedTuple):
    """An aggregation whose simulations are still to come."""

    bundle_ref: str
    target_entrypoint: str
    target_data: Mapping[str, object] | None


def simulate(task: SimTaskShape) -> SimReturnShape:
    """Return the result of one simulation; its failure is in it.

    Raises:
        WorkerNotReadyError: this worker has no executor.
    """
    with interruptible() as environment:
        return environment.run(task)


def aggregate(aggregation: Aggregation, sim_returns: Sequence[SimReturn]) -> AggregationReturnShape:
    """Return the result of one aggregation of simulations that have ended.

    Raises:
        AggregationFailedError: there is no loss.
        WorkerNotReadyError: this worker has no executor.
    """
    task = AggregationTask(aggregation.bundle_ref, aggregation.target_entrypoint, sim_returns, aggregation.target_data)
    with interruptible() as environment:
        return environment.run_aggregation(task)


def place(bundle_ref: str, task: Mapping[str, object]) -> Placed:
    """Return how a task of a grid went, with all of its outputs, which stay on the worker until they are asked for.

    Raises:
        WorkerNotReadyError: this worker has no executor.
        Reschedule: it joined after the others had been asked for the bundle, and cannot get it, or not run it.
    """
    with interruptible() as environment:
        obstacle = environment.check(bundle_ref)
        if obstacle is None:
            return environment.place(bundle_ref, task)
    # It would fail its tasks faster than the others do theirs, and so get most of them.
    raise refuse_tasks_here(str(obstacle))


def brief(placed: Placed) -> Placed:
    """Return `placed` without the bytes of its outputs: a grid keeps their sizes and checksums."""
    outcome = placed.run.outcome
    if not isinstance(outcome, Simulated):
        return placed
    outputs = {name: each._replace(inline=None) for name, each in outcome.outputs.items()}
    return placed._replace(run=placed.run._replace(outcome=outcome._replace(outputs=outputs), writes=()))


def place_briefly(bundle_ref: str, task: Mapping[str, object]) -> Placed:
    """Return how a task of a grid went, without the bytes of its outputs.

    Raises:
        WorkerNotReadyError: this worker has no executor.
    """
    return brief(place(bundle_ref, task))


def evaluate(bundle_ref: str, target: str, replicates: Sequence[Placed]) -> Placed:
    """Return how a target function went on simulations that have succeeded.

    Raises:
        WorkerNotReadyError: this worker has no executor.
    """
    with interruptible() as environment:
        return environment.place_aggregation(bundle_ref, target, replicates_of_runs([each.run for each in replicates]))
