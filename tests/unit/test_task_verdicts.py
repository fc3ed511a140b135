"""What a task is told to have come to when Dask has no result of it."""

import json
from concurrent.futures import CancelledError
from types import SimpleNamespace

import pytest
from distributed.scheduler import KilledWorker

from bundlekit.cluster.task_verdicts import verdict_without_result
from bundlekit.errors import ContractError, WorkerNotReadyError

_KILLED = KilledWorker("simulate-1", SimpleNamespace(address="tcp://10.0.0.1:1"), 3)
FATES = {
    "killed": (_KILLED, "E_KILLED", True, "4 workers died while they ran this task, the last at tcp://10.0.0.1:1"),
    "cancelled": (CancelledError(), "E_INTERRUPTED", True, "the task was cancelled"),
    "refused": (ContractError("seed: expected a whole number"), "E_TASK", False, "seed: expected a whole number"),
}


@pytest.mark.parametrize(("error", "code", "retryable", "message"), FATES.values(), ids=FATES)
def test_every_fate_of_a_task_is_a_result(error: BaseException, code: str, message: str, *, retryable: bool) -> None:
    """A grid of a million tasks has a million rows."""
    result = verdict_without_result("sha256:1", error)
    assert (result.task_id, dict(result.outputs)) == ("sha256:1", {})
    assert result.error is not None
    assert (result.error.error_type, result.error.retryable) == (code, retryable)
    assert message in result.error.message
    assert result.error_details is not None
    details = json.loads(result.error_details.inline or b"")["_fatal_error"]
    assert (details["error_code"], details["message"]) == (code, result.error.message)


@pytest.mark.parametrize("error", [WorkerNotReadyError("no executor"), TypeError("a bug")], ids=["worker", "bug"])
def test_what_befell_no_task_is_raised(error: Exception) -> None:
    """A verdict on a task would blame the bundle for a deployment, or for us."""
    with pytest.raises(type(error), match=str(error)):
        verdict_without_result("sha256:1", error)
