"""From what a crew gives back to the rows that are kept."""

from typing import NamedTuple, TypeVar

from bundlekit.cold_runner import strict_json
from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.errors import InternalError
from bundlekit.model.grid import GridRow, GridTask, Placed
from bundlekit.model.losses import LossRow, Replicates
from bundlekit.model.outcome import Aggregated, Failure, Simulated

__all__ = ["Numbered", "loss_row", "loss_without_simulations", "task_row"]

RowT = TypeVar("RowT", GridRow, LossRow)


class Numbered(NamedTuple):
    """A task, its number in the grid and its identity."""

    number: int
    task_id: str
    task: GridTask


def task_row(numbered: Numbered, placed: Placed) -> GridRow:
    """Return the row of a task that has ended.

    Raises:
        InternalError: what came back is no answer to this task.
    """
    run, task = placed.run, numbered.task
    row = GridRow(
        number=numbered.number,
        task_id=numbered.task_id,
        entrypoint=task.entrypoint,
        params=task.params,
        seed=task.seed,
        executor=placed.executor,
        host=placed.host,
        sandbox=run.sandbox,
        pid=run.pid,
        started_s=run.started_s,
        seconds=round(run.seconds, 6),
        timeout_s=placed.timeout_s,
        outputs={},
    )
    match run.outcome:
        case Simulated() as simulated:
            if simulated.task_id != numbered.task_id:
                msg = f"task {numbered.number} has the id {numbered.task_id}, and its result {simulated.task_id}"
                raise InternalError(msg)
            outputs = {name: (each.size, each.checksum) for name, each in simulated.outputs.items()}
            return row._replace(outputs=outputs)
        case Failure() as failure:
            return _failed(row, failure)
        case _:
            raise InternalError("a simulation was answered by an aggregation")


def loss_row(replicates: Replicates, target: str, placed: Placed) -> LossRow:
    """Return the row of a target function that has ended.

    Raises:
        InternalError: what came back is no answer to it.
    """
    run = placed.run
    row = LossRow(
        number=replicates.number,
        target=target,
        tasks=replicates.tasks,
        executor=placed.executor,
        host=placed.host,
        pid=run.pid,
        started_s=run.started_s,
        seconds=round(run.seconds, 6),
        timeout_s=placed.timeout_s,
        loss=None,
        n_replicates=None,
        diagnostics={},
    )
    match run.outcome:
        case Aggregated() as aggregated:
            diagnostics = strict_json.loads(strict_json.dumps(aggregated.diagnostics))
            return row._replace(
                loss=aggregated.loss,
                n_replicates=aggregated.n_replicates,
                diagnostics=diagnostics if isinstance(diagnostics, dict) else {},
            )
        case Failure() as failure:
            return _failed(row, failure)
        case _:
            raise InternalError("an aggregation was answered by a simulation")


def loss_without_simulations(replicates: Replicates, target: str, failed: list[int]) -> LossRow:
    """Return the row of a target function that was not run, since the tasks `failed` of its replicates have failed."""
    message = (
        f"simulations failed: {f'task {failed[0]}' if len(failed) == 1 else f'tasks {failed!r:.200}'} "
        f"of the {len(replicates.tasks)} replicates; a loss over the others would be another loss"
    )
    return LossRow(
        number=replicates.number,
        target=target,
        tasks=replicates.tasks,
        executor="none",
        host="",
        pid=None,
        started_s=None,
        seconds=0.0,
        timeout_s=0.0,
        loss=None,
        n_replicates=None,
        diagnostics={},
        error_code=ErrorCode.TASK,
        phase=Phase.TASK.value,
        message=message,
    )


def _failed(row: RowT, failure: Failure) -> RowT:
    return row._replace(
        error_code=failure.error_code,
        phase=failure.phase.value,
        error_type=failure.type_name,
        message=failure.headline,
        signal=failure.signal_name,
    )
