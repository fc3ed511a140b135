"""From contract tasks to the documents that backends run, and from what they found back to contract results.

Here is where one task gets one verdict whichever backend ran it: the identity, the error code and the limits of results
do not depend on it.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bundlekit.cold_runner import strict_json
from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.output_files import OutputFiles
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.task import SimulationTask, parse_simulation, task_id
from bundlekit.errors import ContractError
from bundlekit.executors.answers import error_of, failure_of
from bundlekit.model.contracts.artifacts import INLINE_CAP
from bundlekit.model.contracts.shapes import (
    AggregationReturnShape,
    ArtifactShape,
    Contracts,
    SimReturnShape,
    SimTaskShape,
)
from bundlekit.model.digest import Digest
from bundlekit.model.outcome import Aggregated, Failure, Output, Simulated, TaskRun

__all__ = ["Results", "identity_of", "replicates_of", "simulation_document"]


def identity_of(task: SimTaskShape, digest: Digest) -> str:
    """Return the id of `task`, the same whether it succeeds or fails.

    Raises:
        ContractError: the task cannot be written as JSON, so that it has none.
    """
    outputs = None if task.outputs is None else tuple(sorted(task.outputs))
    try:
        return task_id(digest, SimulationTask(str(task.entrypoint), dict(task.params.params), task.seed, outputs))
    except (TypeError, ValueError) as error:
        msg = f"the task cannot be written as strict JSON: {error}"
        raise ContractError(msg, subject=task) from None


def simulation_document(task: SimTaskShape, env: Mapping[str, str], warn: Callable[[str], None]) -> dict[str, object]:
    """Return `task` as a document that has been parsed once, as every runner will; `env` goes below its own variables.

    Raises:
        RunnerError: E_TASK with all that is wrong with it.
    """
    if task.config:
        message = (
            f"the task cannot be used: config: expected none, found {sorted(map(str, task.config))!r:.200}; "
            "a wire function takes an entrypoint, params and a seed: put what it needs into params"
        )
        raise RunnerError(ErrorCode.TASK, Phase.TASK, message)
    document: dict[str, object] = {
        "entrypoint": str(task.entrypoint),
        "params": dict(task.params.params),
        "seed": task.seed,
        "outputs": None if task.outputs is None else list(task.outputs),
        "env": {**env, **(task.env or {})},
    }
    try:
        plain = strict_json.loads(strict_json.dumps(document))
    except (TypeError, ValueError) as error:
        message = f"the task cannot be used: it cannot be written as strict JSON: {error}"
        raise RunnerError(ErrorCode.TASK, Phase.TASK, message) from None
    parsed = parse_simulation(plain, warn)
    return {
        "entrypoint": parsed.entrypoint,
        "params": dict(parsed.params),
        "seed": parsed.seed,
        "outputs": None if parsed.outputs is None else list(parsed.outputs),
        "env": dict(parsed.env),
    }


def replicates_of(sim_returns: Sequence[SimReturnShape]) -> list[dict[str, object]]:
    """Return results of simulations as an aggregation takes them in.

    Raises:
        RunnerError: E_TASK when one of them failed, by its position: a loss over the others would be another loss.
    """
    failed = [position for position, each in enumerate(sim_returns) if each.error is not None]
    if failed:
        first = sim_returns[failed[0]].error
        told = "" if first is None else f"; the first of them says {first.error_type}: {first.message:.300}"
        message = f"the task cannot be used: simulations failed at the positions {failed!r:.200} of sim_returns{told}"
        raise RunnerError(ErrorCode.TASK, Phase.TASK, message)
    return [
        {
            "task_id": each.task_id,
            "outputs": {name: _replicate_output(artifact) for name, artifact in each.outputs.items()},
        }
        for each in sim_returns
    ]


class Results:
    """Makes results of the types in `contracts`; outputs too large to be inline become files in `storage_dir`."""

    def __init__(self, contracts: Contracts, storage_dir: Path | None) -> None:
        self._contracts = contracts
        self._storage_dir = storage_dir

    def simulated(self, identity: str, run: TaskRun) -> SimReturnShape:
        """Return the result of a simulation, failed or not."""
        outcome = run.outcome
        if isinstance(outcome, Simulated):
            try:
                outputs = self._artifacts(outcome.outputs)
            except RunnerError as error:
                outcome = failure_of(error.document())
            else:
                metrics = _metrics(run)
                return self._contracts.SimReturn(task_id=identity, outputs=outputs, metrics=metrics)
        if isinstance(outcome, Aggregated):
            message = "a backend answered a simulation with an aggregation"
            outcome = failure_of(RunnerError(ErrorCode.INTERNAL, Phase.RESULT, message).document())
        return self._failed(identity, outcome, run)

    def aggregated(self, aggregation_id: str, outcome: Aggregated) -> AggregationReturnShape:
        """Return the result of an aggregation that gave a loss."""
        return self._contracts.AggregationReturn(
            aggregation_id=aggregation_id,
            loss=outcome.loss,
            diagnostics=dict(outcome.diagnostics),
            outputs={},
            n_replicates=outcome.n_replicates,
        )

    def _failed(self, identity: str, failure: Failure, run: TaskRun) -> SimReturnShape:
        contracts = self._contracts
        error = contracts.ErrorInfo(
            error_type=failure.error_code.value, message=str(failure), retryable=failure.retryable
        )
        details = strict_json.dumps({"_fatal_error": error_of(failure).document()}).encode("utf-8", "backslashreplace")
        return contracts.SimReturn(
            task_id=identity,
            outputs={},
            error=error,
            error_details=self._inline(details),
            logs_ref=failure.log_path,
            metrics=_metrics(run),
        )

    def _artifacts(self, outputs: Mapping[str, Output]) -> dict[str, ArtifactShape]:
        large = [name for name, each in outputs.items() if each.inline is not None and each.size > INLINE_CAP]
        if large and self._storage_dir is None:
            message = (
                f"expected outputs of at most {INLINE_CAP} bytes, found {outputs[large[0]].size} in {large[0]!r:.100}: "
                "larger ones go into files, and this executor was given no storage_dir for them"
            )
            raise RunnerError(ErrorCode.LIMIT, Phase.RESULT, message)
        return {name: self._artifact(each) for name, each in outputs.items()}

    def _artifact(self, output: Output) -> ArtifactShape:
        if output.inline is None:
            return self._contracts.TableArtifact(size=output.size, ref=output.ref, checksum=output.checksum)
        if output.size <= INLINE_CAP or self._storage_dir is None:
            return self._inline(output.inline)
        return self._contracts.TableArtifact(
            size=output.size, ref=_written(self._storage_dir, output.inline), checksum=output.checksum
        )

    def _inline(self, data: bytes) -> ArtifactShape:
        checksum = hashlib.blake2b(data, digest_size=32).hexdigest()
        return self._contracts.TableArtifact(size=len(data), inline=data, checksum=checksum)


def _replicate_output(artifact: ArtifactShape) -> dict[str, object]:
    document: dict[str, object] = {"size": artifact.size, "checksum": artifact.checksum}
    if artifact.inline is not None:
        return {**document, "inline": base64.b64encode(artifact.inline).decode("ascii")}
    return {**document, "ref": artifact.ref}


def _metrics(run: TaskRun) -> dict[str, float]:
    return {"seconds": run.seconds, **({} if run.pid is None else {"pid": run.pid})}


def _written(directory: Path, data: bytes) -> str:
    """Write `data` into a file of `directory` that is named by its checksum, and return the path.

    Raises:
        RunnerError: E_IO when that fails.
    """
    files = OutputFiles(str(directory))
    try:
        file = files.open()
        file.extend(data)
        return file.publish()
    finally:
        files.discard()
