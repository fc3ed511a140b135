"""What goes out: the result document, made from what the child sent after it has been checked again.

Sizes and checksums are computed here, never taken from the child. An error that a wire function reports inside its
outputs is a failure here, in every executor (CONTRACT sections 3 and 10).
"""

import binascii
import hashlib
import math
from collections.abc import Mapping
from typing import TypeAlias, TypedDict

from .codes import ErrorCode, Phase
from .output_files import INLINE_LIMIT, OutputFile, OutputFiles
from .runner_error import RunnerError
from .strict_json import JsonValue, StrictJsonError, loads
from .task import SimulationTask, task_id

__all__ = ["INLINE_LIMIT", "aggregation_document", "aggregation_of", "asked_names", "simulation_document"]

Outputs: TypeAlias = Mapping[str, bytes | bytearray | OutputFile]

_METADATA, _ERROR = "metadata", "error"


class AggregationDocument(TypedDict):
    """What an aggregation gives (DESIGN, "Shapes"); `loss` is finite."""

    loss: float
    diagnostics: dict[str, JsonValue]
    n_replicates: int


def simulation_document(
    task: SimulationTask, bundle_digest: str, outputs: Outputs, outputs_dir: str | None
) -> dict[str, object]:
    """Return ``{"task_id", "outputs"}``; outputs above INLINE_LIMIT are written into `outputs_dir`, if given.

    Those that are in files already are published.

    Raises:
        RunnerError: E_WIRE_RESULT when the outputs are empty, hold an error, or lack one that the task asks for; E_IO
            when a file cannot be written.
    """
    names = asked_names(task, outputs)
    files = None if outputs_dir is None else OutputFiles(outputs_dir)
    try:
        described = {name: _artifact(outputs[name], files) for name in names}
    finally:
        if files is not None:
            files.discard()
    return {"task_id": task_id(bundle_digest, task), "outputs": described}


def asked_names(task: SimulationTask, outputs: Outputs) -> list[str]:
    """Return the names of the outputs that `task` gets.

    Raises:
        RunnerError: E_WIRE_RESULT as :func:`simulation_document`.
    """
    _check(outputs)
    names = list(outputs) if task.outputs is None else list(task.outputs)
    missing = [name for name in names if name not in outputs]
    if missing:
        raise _bad(f"expected the outputs {missing!r:.300} that the task asks for, found {sorted(outputs)!r:.300}")
    return names


def aggregation_document(data: bytes) -> dict[str, object]:
    """Return ``{"loss", "diagnostics", "n_replicates"}`` from the child's own document.

    Raises:
        RunnerError: as :func:`aggregation_of`.
    """
    return {**aggregation_of(data)}


def aggregation_of(data: bytes) -> AggregationDocument:
    """Return what the child's own document says.

    Raises:
        RunnerError: E_WIRE_RESULT when it is not strict JSON of that shape or its loss is not finite.
    """
    document = _parsed(data)
    loss, diagnostics, replicates = (document.get(key) for key in ("loss", "diagnostics", "n_replicates"))
    if not isinstance(loss, float) or not math.isfinite(loss):
        raise _bad(f"loss must be finite: found {loss!r:.100}")
    if not isinstance(diagnostics, dict) or not isinstance(replicates, int):
        raise _bad("expected diagnostics and a number of replicates from the child, found something else")
    return {"loss": loss, "diagnostics": diagnostics, "n_replicates": replicates}


def _check(outputs: Outputs) -> None:
    if not outputs:
        raise _bad("expected at least one output from the wire function, found an empty dict")
    if _METADATA in outputs:
        metadata = _json_object(outputs[_METADATA])
        if _ERROR in metadata:
            raise _reported(metadata, "in its metadata")
    data = {name: value for name, value in outputs.items() if name != _METADATA}
    if set(data) == {_ERROR}:
        raise _reported(_json_object(data[_ERROR]), "as its only output")
    if data and not any(data.values()):
        raise _bad(f"expected data in at least one output, found all of them empty: {sorted(data)!r:.300}")


def _reported(error: Mapping[str, JsonValue], where: str) -> RunnerError:
    said, kind = error.get(_ERROR), error.get("type") or error.get("error_type")
    message = f"the wire function reported an error {where}: {said if isinstance(said, str) else repr(said)}"
    type_name = kind if isinstance(kind, str) else None
    return RunnerError(ErrorCode.WIRE_RESULT, Phase.RESULT, message[:4096], type_name=type_name)


def _json_object(data: bytes | bytearray | OutputFile) -> Mapping[str, JsonValue]:
    if isinstance(data, OutputFile):
        return {}
    try:
        value = loads(bytes(data))
    except StrictJsonError:
        return {}
    return value if isinstance(value, dict) else {}


def _parsed(data: bytes) -> Mapping[str, JsonValue]:
    try:
        value = loads(data)
    except StrictJsonError as error:
        raise _bad(f"expected diagnostics that are strict JSON, found some that are not: {error}") from None
    if not isinstance(value, dict):
        raise _bad("expected an object from the child, found something else")
    return value


def _artifact(data: bytes | bytearray | OutputFile, files: OutputFiles | None) -> dict[str, object]:
    if files is not None and len(data) > INLINE_LIMIT and not isinstance(data, OutputFile):
        file = files.open()
        file.extend(data)
        data = file
    if isinstance(data, OutputFile):
        return {"size": len(data), "checksum": data.checksum, "ref": data.publish()}
    checksum = hashlib.blake2b(data, digest_size=32).hexdigest()
    inline = binascii.b2a_base64(data, newline=False).decode("ascii")
    return {"size": len(data), "checksum": checksum, "inline": inline}


def _bad(message: str) -> RunnerError:
    return RunnerError(ErrorCode.WIRE_RESULT, Phase.RESULT, message)
