import base64
import hashlib
import json
from pathlib import Path

import pytest

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.executors.answers import simulated_document_of, task_run_of
from bundlekit.executors.verification import OutputDocument, problem_of_outputs
from bundlekit.model.outcome import Failure, Simulated


def described(data: bytes, ref: Path | None = None) -> OutputDocument:
    """Return an output as the runner describes it, in `ref` if given."""
    output: OutputDocument = {"size": len(data), "checksum": hashlib.blake2b(data, digest_size=32).hexdigest()}
    if ref is None:
        output["inline"] = base64.b64encode(data).decode()
    else:
        ref.write_bytes(data)
        output["ref"] = str(ref)
    return output


def line_of(output: OutputDocument) -> str:
    """Return an answer of the runner with that one output."""
    result = {"task_id": "sha256:00", "outputs": {"a": output}}
    told = {"pid": 1, "started_s": 1.0, "seconds": 0.0, "writes": [], "sandbox": "process"}
    return json.dumps({"result": result, **told})


def test_outputs_that_are_as_described_are_results(tmp_path: Path) -> None:
    """Inline, by file, and empty."""
    outputs = {"a": described(b"abc"), "b": described(b"x" * 10**6, tmp_path / "b"), "c": described(b"")}
    assert problem_of_outputs(outputs) is None
    assert isinstance(task_run_of(line_of(outputs["a"])).outcome, Simulated)
    assert simulated_document_of(line_of(outputs["a"]))["task_id"] == "sha256:00"


DAMAGE = {
    "changed": (b"abd", "found 3 with"),
    "shorter": (b"ab", "found 2 with"),
    "longer": (b"abcd", "found 4 with"),
    "gone": (None, "cannot be read"),
}


@pytest.mark.parametrize(("found", "says"), DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("by_file", [False, True], ids=["inline", "by file"])
def test_damage_is_a_failure_and_no_result(tmp_path: Path, found: bytes | None, says: str, *, by_file: bool) -> None:
    """Bytes that changed on the way must not become a loss."""
    path = tmp_path / "a"
    output = described(b"abc", path if by_file else None)
    if by_file:
        path.unlink() if found is None else path.write_bytes(found)
    else:
        output["inline"] = "no base64!" if found is None else base64.b64encode(found).decode()
    outcome = task_run_of(line_of(output)).outcome
    assert isinstance(outcome, Failure)
    assert outcome.error_code is ErrorCode.DIGEST
    assert says in outcome.message
    fatal = simulated_document_of(line_of(output))["_fatal_error"]
    assert isinstance(fatal, dict)
    assert (fatal["code"], fatal["message"]) == (3, outcome.message)
