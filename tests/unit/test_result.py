import base64
import hashlib
from pathlib import Path

import pytest

from bundlekit.cold_runner.child.report import ChildReport
from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.output_files import INLINE_LIMIT, OutputFile, OutputFiles
from bundlekit.cold_runner.result import aggregation_document, simulation_document
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.task import SimulationTask, task_id

TASK = SimulationTask("main", {}, 7, None)
DIGEST = "sha256:" + "ab" * 32


def frame(kind: bytes, *fields: bytes) -> bytes:
    """Return a frame as the child sends it."""
    body = b"".join(len(field).to_bytes(8, "big") + field for field in fields)
    return kind + len(body).to_bytes(8, "big") + body


def test_a_document_has_sizes_and_checksums_of_what_came() -> None:
    """Never the child's own word for them."""
    assert simulation_document(TASK, DIGEST, {"raw": b"ok-7"}, None) == {
        "task_id": task_id(DIGEST, TASK),
        "outputs": {
            "raw": {
                "size": 4,
                "checksum": "15a6f7d25a17b9636b22bca0bf8209c619aebdd5a59d46635759350d6e211fc3",
                "inline": base64.b64encode(b"ok-7").decode(),
            }
        },
    }


def test_large_outputs_go_to_files_if_there_is_a_place(tmp_path: Path) -> None:
    """At the limit inline, above it by reference; without a place always inline."""
    outputs = {"at": b"a" * INLINE_LIMIT, "above": b"b" * (INLINE_LIMIT + 1)}
    stored = simulation_document(TASK, DIGEST, outputs, str(tmp_path))["outputs"]
    assert isinstance(stored, dict)
    assert "inline" in stored["at"]
    assert "inline" not in stored["above"]
    assert Path(stored["above"]["ref"]).read_bytes() == outputs["above"]
    assert [path.name for path in tmp_path.iterdir()] == [f"{stored['above']['checksum']}.bin"]
    inline = simulation_document(TASK, DIGEST, outputs, None)["outputs"]
    assert isinstance(inline, dict)
    assert all("inline" in each for each in inline.values())


def test_an_outputs_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The simulation was right; the disk is not."""
    with pytest.raises(RunnerError) as caught:
        simulation_document(TASK, DIGEST, {"x": b"x" * (INLINE_LIMIT + 1)}, str(tmp_path / "absent"))
    assert caught.value.code is ErrorCode.IO


IN_BAND = {
    "none": ({}, "empty dict"),
    "all empty": ({"a": b"", "metadata": b"{}"}, "all of them empty"),
    "error in metadata": ({"a": b"x", "metadata": b'{"error":"diverged"}'}, "diverged"),
    "error alone": ({"error": b'{"error":"diverged","type":"E"}'}, "diverged"),
    "error and metadata alone": ({"error": b"no JSON", "metadata": b"{}"}, "as its only output"),
}


@pytest.mark.parametrize(("outputs", "says"), IN_BAND.values(), ids=IN_BAND)
def test_errors_inside_outputs_are_failures(outputs: dict[str, bytes], says: str) -> None:
    """Today's cold runner reports success for each of these."""
    with pytest.raises(RunnerError) as caught:
        simulation_document(TASK, DIGEST, outputs, None)
    assert (caught.value.code, caught.value.phase) == (ErrorCode.WIRE_RESULT, Phase.RESULT)
    assert says in caught.value.message


GOOD = {
    "metadata alone": {"metadata": b'{"n": 1}'},
    "one empty of two": {"a": b"", "b": b"x"},
    "error beside data": {"error": b"x", "table": b"y"},
    "metadata that is no JSON": {"metadata": b"\xff", "table": b"y"},
}


@pytest.mark.parametrize("outputs", GOOD.values(), ids=GOOD)
def test_other_outputs_are_results(outputs: dict[str, bytes]) -> None:
    """The names alone do not make a failure."""
    assert simulation_document(TASK, DIGEST, outputs, None)["task_id"] == task_id(DIGEST, TASK)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"loss":NaN,"diagnostics":{},"n_replicates":1}',
        b'{"loss":"1","diagnostics":{},"n_replicates":1}',
        b'{"loss":1.0,"diagnostics":[],"n_replicates":1}',
        b'{"loss":1.0,"diagnostics":{"a":1,"a":2},"n_replicates":1}',
    ],
    ids=repr,
)
def test_an_aggregation_is_checked_again_outside_the_child(data: bytes) -> None:
    """The child holds bundle code, which may have changed what checks there."""
    with pytest.raises(RunnerError) as caught:
        aggregation_document(data)
    assert caught.value.code is ErrorCode.WIRE_RESULT


def test_frames_arrive_in_any_pieces() -> None:
    """A pipe knows no messages."""
    data = frame(b"P", b"call") + frame(b"O", "é".encode(), b"x" * 1000) + frame(b"O", b"b", b"") + frame(b"D")
    report = ChildReport()
    for position in range(len(data)):
        assert not report.is_complete
        report.feed(data[position : position + 1])
    assert report.is_complete
    assert report.phase is Phase.CALL
    assert report.outputs == {"é": b"x" * 1000, "b": b""}


FOREIGN = {
    "unknown kind": b"Z" + bytes(8),
    "wrong number of fields": frame(b"O", b"a"),
    "field longer than its frame": b"O" + (8).to_bytes(8, "big") + (9).to_bytes(8, "big"),
    "after the end": frame(b"D") + frame(b"D"),
    "name that is no Unicode": frame(b"O", b"\xff", b"x"),
    "name twice": frame(b"O", b"a", b"x") * 2,
    "text": b'{"outputs": {}}\n',
}


@pytest.mark.parametrize("data", FOREIGN.values(), ids=FOREIGN)
def test_bytes_that_the_runner_did_not_send_are_no_result(data: bytes) -> None:
    """Bundle code can find the descriptor; it must not be able to break the supervisor."""
    with pytest.raises(RunnerError) as caught:
        ChildReport().feed(data)
    assert caught.value.code in {ErrorCode.WIRE_RESULT, ErrorCode.LIMIT}


def test_a_result_beyond_the_limit_is_refused_before_it_is_read() -> None:
    """A length of 2**60 must not be waited for."""
    with pytest.raises(RunnerError) as caught:
        ChildReport().feed(b"O" + (1 << 60).to_bytes(8, "big"))
    assert caught.value.code is ErrorCode.LIMIT


def test_a_large_output_goes_to_its_file_as_it_comes(tmp_path: Path) -> None:
    """A gigabyte must not pass through the memory of the runner; what is not wanted leaves no file."""
    files = OutputFiles(str(tmp_path))
    report = ChildReport(files)
    data = bytes(range(256)) * 4000
    stream = frame(b"O", b"a", data) + frame(b"O", b"unwanted", data) + frame(b"O", b"metadata", b" " * len(data))
    for position in range(0, len(stream), 65_536):
        report.feed(stream[position : position + 65_536])
    assert isinstance(report.outputs["a"], OutputFile)
    assert isinstance(report.outputs["metadata"], bytearray)
    document = simulation_document(TASK._replace(outputs=("a",)), DIGEST, report.outputs, str(tmp_path))
    files.discard()
    assert isinstance(document["outputs"], dict)
    described = document["outputs"]["a"]
    assert described["size"] == len(data)
    assert described["checksum"] == hashlib.blake2b(data, digest_size=32).hexdigest()
    assert Path(described["ref"]).read_bytes() == data
    assert [str(path) for path in tmp_path.iterdir()] == [described["ref"]]
