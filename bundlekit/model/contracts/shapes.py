"""What an executor needs of tasks and results, whoever's types they are: ours, or the ecosystem's own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from bundlekit.model.contracts.parameters import Scalar

__all__ = [
    "AggregationReturnShape",
    "AggregationTaskShape",
    "ArtifactShape",
    "Contracts",
    "ErrorShape",
    "ParametersShape",
    "SimReturnShape",
    "SimTaskShape",
]


class ParametersShape(Protocol):
    """A set of parameters with its id."""

    @property
    def params(self) -> Mapping[str, Scalar]:
        """The parameters by name."""

    @property
    def param_id(self) -> str:
        """The id of the parameters."""


class SimTaskShape(Protocol):
    """A simulation that is to be run."""

    @property
    def bundle_ref(self) -> str:
        """The bundle, by its digest."""

    @property
    def entrypoint(self) -> str:
        """What the wire function is asked for."""

    @property
    def params(self) -> ParametersShape:
        """The parameters."""

    @property
    def seed(self) -> int:
        """The seed."""

    @property
    def outputs(self) -> Sequence[str] | None:
        """The names of the outputs that are wanted; None for all."""

    @property
    def config(self) -> Mapping[str, object] | None:
        """Patches of a configuration."""

    @property
    def env(self) -> Mapping[str, str] | None:
        """Variables of the task's own."""


class ArtifactShape(Protocol):
    """An output: inline, or in a file."""

    @property
    def size(self) -> int:
        """The size in bytes."""

    @property
    def inline(self) -> bytes | None:
        """The data itself."""

    @property
    def ref(self) -> str | None:
        """Where the data is."""

    @property
    def checksum(self) -> str:
        """BLAKE2b-256 of the data in bare hex."""


class ErrorShape(Protocol):
    """Why a simulation failed."""

    @property
    def error_type(self) -> str:
        """What kind of failure."""

    @property
    def message(self) -> str:
        """What happened."""

    @property
    def retryable(self) -> bool:
        """Whether a second try may cure it."""


class SimReturnShape(Protocol):
    """The result of a simulation."""

    @property
    def task_id(self) -> str:
        """The id of the task."""

    @property
    def outputs(self) -> Mapping[str, ArtifactShape]:
        """The outputs by name."""

    @property
    def error(self) -> ErrorShape | None:
        """Why there are none."""

    @property
    def error_details(self) -> ArtifactShape | None:
        """All that is known of the error, as JSON."""


class AggregationTaskShape(Protocol):
    """An aggregation that is to be run."""

    @property
    def bundle_ref(self) -> str:
        """The bundle, by its digest."""

    @property
    def target_entrypoint(self) -> str:
        """The target function."""

    @property
    def sim_returns(self) -> Sequence[SimReturnShape]:
        """The simulations' results."""

    @property
    def target_data(self) -> Mapping[str, object] | None:
        """The data that they are held against."""

    def aggregation_id(self) -> str:
        """Return the id of the aggregation."""


class AggregationReturnShape(Protocol):
    """The result of an aggregation."""

    @property
    def aggregation_id(self) -> str:
        """The id of the aggregation."""

    @property
    def loss(self) -> float:
        """The loss."""

    @property
    def diagnostics(self) -> Mapping[str, object]:
        """What the target function tells beside the loss."""

    @property
    def n_replicates(self) -> int:
        """How many simulations went into the loss."""


class Contracts(Protocol):
    """A namespace of result types, such as this package or the ecosystem's; they are called with keywords alone."""

    @property
    def TableArtifact(self) -> Callable[..., ArtifactShape]:  # noqa: N802 - the name of a type
        """Makes an output of `size`, `inline` or `ref`, and `checksum`."""

    @property
    def ErrorInfo(self) -> Callable[..., ErrorShape]:  # noqa: N802 - the name of a type
        """Makes an error of `error_type`, `message` and `retryable`."""

    @property
    def SimReturn(self) -> Callable[..., SimReturnShape]:  # noqa: N802 - the name of a type
        """Makes a result of `task_id`, `outputs`, `error`, `error_details`, `logs_ref` and `metrics`."""

    @property
    def AggregationReturn(self) -> Callable[..., AggregationReturnShape]:  # noqa: N802 - the name of a type
        """Makes a result of `aggregation_id`, `loss`, `diagnostics`, `outputs` and `n_replicates`."""
