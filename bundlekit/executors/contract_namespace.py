"""The types of results in somebody's namespace, and our own results as those."""

from collections.abc import Callable
from typing import NamedTuple

from bundlekit.errors import ContractError
from bundlekit.model import contracts as own_contracts
from bundlekit.model.contracts import AggregationReturn, SimReturn
from bundlekit.model.contracts.shapes import (
    AggregationReturnShape,
    ArtifactShape,
    Contracts,
    ErrorShape,
    SimReturnShape,
)

__all__ = ["aggregation_as", "result_types", "simulation_as"]


class _Types(NamedTuple):
    """The types of results, wherever a namespace has them."""

    TableArtifact: Callable[..., ArtifactShape]
    ErrorInfo: Callable[..., ErrorShape]
    SimReturn: Callable[..., SimReturnShape]
    AggregationReturn: Callable[..., AggregationReturnShape]


def result_types(contracts: object) -> Contracts:
    """Return the types of results in `contracts`, or in its `simulation`, where the ecosystem keeps some of them.

    Raises:
        ContractError: it lacks one.
    """
    if contracts is None:
        return own_contracts
    places = (contracts, getattr(contracts, "simulation", None))
    found = [next((getattr(each, name) for each in places if hasattr(each, name)), None) for name in _Types._fields]
    lacking = [name for name, each in zip(_Types._fields, found, strict=True) if each is None]
    if lacking:
        msg = f"contracts: expected a namespace with the types of results, found none named {', '.join(lacking)}"
        raise ContractError(msg, subject=contracts)
    return _Types._make(found)


def simulation_as(types: Contracts, result: SimReturn) -> SimReturnShape:
    """Return `result` as one of `types`."""
    error, details = result.error, result.error_details
    return types.SimReturn(
        task_id=result.task_id,
        outputs={name: _artifact_as(types, each) for name, each in result.outputs.items()},
        error=None
        if error is None
        else types.ErrorInfo(error_type=error.error_type, message=error.message, retryable=error.retryable),
        error_details=None if details is None else _artifact_as(types, details),
        logs_ref=result.logs_ref,
        metrics=None if result.metrics is None else dict(result.metrics),
    )


def aggregation_as(types: Contracts, result: AggregationReturn) -> AggregationReturnShape:
    """Return `result` as one of `types`."""
    return types.AggregationReturn(
        aggregation_id=result.aggregation_id,
        loss=result.loss,
        diagnostics=dict(result.diagnostics),
        outputs={name: _artifact_as(types, each) for name, each in result.outputs.items()},
        n_replicates=result.n_replicates,
    )


def _artifact_as(types: Contracts, artifact: ArtifactShape) -> ArtifactShape:
    if artifact.inline is None:
        return types.TableArtifact(size=artifact.size, ref=artifact.ref, checksum=artifact.checksum)
    return types.TableArtifact(size=artifact.size, inline=artifact.inline, checksum=artifact.checksum)
