"""Verdicts on tasks of which Dask has no result: their worker died, or they were cancelled."""

from concurrent.futures import CancelledError

from distributed.scheduler import KilledWorker

from bundlekit.cold_runner import strict_json
from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import BundlekitError, WorkerNotReadyError
from bundlekit.model.contracts import ErrorInfo, SimReturn, TableArtifact

__all__ = ["failure_without_result", "verdict_without_result"]


def failure_without_result(error: BaseException) -> RunnerError | None:
    """Return what became of a task whose future ended with `error`, None where that is nothing that befalls tasks.

    A worker without an executor is no verdict on the task that met it.
    """
    if isinstance(error, KilledWorker):
        return RunnerError(
            ErrorCode.KILLED,
            Phase.CALL,
            f"{error.allowed_failures + 1} workers died while they ran this task, the last at "
            f"{error.last_worker.address}: the task may be what kills them",
            retryable=True,
        )
    if isinstance(error, CancelledError):
        return RunnerError(ErrorCode.INTERRUPTED, Phase.CALL, "the task was cancelled", retryable=True)
    if isinstance(error, BundlekitError) and not isinstance(error, WorkerNotReadyError):
        return RunnerError(error.code, Phase.TASK, error.message)
    return None


def verdict_without_result(task_id: str, error: BaseException) -> SimReturn:
    """Return what became of the task `task_id`, whose future ended with `error`.

    Raises:
        WorkerNotReadyError: the task met a worker without an executor.
        BaseException: `error` itself, where it is nothing that befalls tasks.
    """
    failure = failure_without_result(error)
    if failure is None:
        raise error
    details = strict_json.dumps({"_fatal_error": failure.document()}).encode("utf-8", "backslashreplace")
    return SimReturn(
        task_id=task_id,
        outputs={},
        error=ErrorInfo(failure.code.value, failure.message, failure.retryable),
        error_details=TableArtifact(size=len(details), inline=details),
    )
