"""What runs on a Dask worker for each task: a few lines, which find the worker's own executor."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bundlekit.cluster.dask_plugin import interruptible
from bundlekit.model.contracts import AggregationTask, SimReturn
from bundlekit.model.contracts.shapes import AggregationReturnShape, SimReturnShape, SimTaskShape

__all__ = ["Aggregation", "aggregate", "simulate"]


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
