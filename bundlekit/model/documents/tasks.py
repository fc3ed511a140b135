"""Tasks and the one-line results of the cold runner."""

from typing import NotRequired

from typing_extensions import TypedDict

from bundlekit.model.documents.texts import ChecksumText, DigestText

__all__ = [
    "AggregationResultDocument",
    "AggregationTaskDocument",
    "FailureResultDocument",
    "FatalErrorDocument",
    "OutputDocument",
    "ReplicateDocument",
    "ResultDocument",
    "SimulationResultDocument",
    "SimulationTaskDocument",
    "TaskDocument",
]


class OutputDocument(TypedDict):
    """One output; `inline` is base64, `ref` a file's path in the outputs directory: exactly one of the two is there."""

    size: int
    checksum: ChecksumText
    inline: NotRequired[str]
    ref: NotRequired[str]


class SimulationResultDocument(TypedDict):
    """The runner's line for a simulation that succeeded."""

    task_id: DigestText
    outputs: dict[str, OutputDocument]


class AggregationResultDocument(TypedDict):
    """The runner's line for an aggregation that succeeded; `loss` is finite."""

    loss: float
    diagnostics: dict[str, object]
    n_replicates: int


class FatalErrorDocument(TypedDict):
    """How a task failed; the same keys as :class:`bundlekit.cold_runner.runner_error.FatalError`, held so by a test."""

    code: int
    error_code: str
    phase: str
    type: str | None
    message: str
    signal: str | None
    retryable: bool
    stderr_tail: str
    log_path: str | None


class FailureResultDocument(TypedDict):
    """The runner's line for a task that failed."""

    _fatal_error: FatalErrorDocument


ResultDocument = SimulationResultDocument | AggregationResultDocument | FailureResultDocument


class SimulationTaskDocument(TypedDict):
    """A task for the wire function; `seed` is in [0, 2**64)."""

    entrypoint: str
    params: dict[str, object]
    seed: int
    outputs: NotRequired[list[str] | None]
    env: NotRequired[dict[str, str]]


class ReplicateDocument(TypedDict):
    """One simulation's result as an aggregation takes it in."""

    task_id: NotRequired[str]
    outputs: dict[str, OutputDocument]


class AggregationTaskDocument(TypedDict):
    """A task for a target function."""

    target_entrypoint: str
    sim_returns: list[ReplicateDocument]
    target_data: NotRequired[object]


TaskDocument = SimulationTaskDocument | AggregationTaskDocument
