"""Verdicts on tasks of which Dask has no result: their worker died, or they were cancelled."""

from concurrent.futures import CancelledError

from distributed.scheduler import KilledWorker

from bundlekit.cold_runner import strict_json
from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import BundlekitError, WorkerNotReadyError
from bundlekit.model.contracts import ErrorInfo, SimReturn, TableArtifact

__all__ = ["verdict_without_result"]


def verdict_without_result(task_id: str, error: BaseException) -> SimReturn:
    """Return what became of the task whose future ended with `error`.

    Raises:
        WorkerNotReadyError: the task met a worker without an executor, which is no verdict on the task.
        BaseException: `error` itself, where it is nothing that befalls tasks.
    """
    if isinstance(error, KilledWorker):
        failure = RunnerError(
            ErrorCode.KILLED,
            Phase.CALL,
            f"{error.allowed_failures + 1} workers died while they ran this task, the last at "
            f"{error.last_worker.address}: the task may be what kills them",
            retryable=True,
        )
    elif isinstance(error, CancelledError):
        failure = RunnerError(ErrorCode.INTERRUPTED, Phase.CALL, "the task was cancelled", retryable=True)
    elif isinstance(error, BundlekitError) and not isinstance(error, WorkerNotReadyError):
        failure = RunnerError(error.code, Phase.TASK, error.message)
    else:
        raise error
    details = strict_json.dumps({"_fatal_error": failure.document()}).encode("utf-8", "backslashreplace")
    return SimReturn(
        task_id=task_id,
        outputs={},
        error=ErrorInfo(failure.code.value, failure.message, failure.retryable),
        error_details=TableArtifact(size=len(details), inline=details),
    )
