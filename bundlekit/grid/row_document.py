"""Rows as documents and back: one form for the journal, for JSON and (flattened) for Parquet."""

from collections.abc import Mapping

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.cold_runner.strict_json import JsonValue
from bundlekit.model.documents.grids import GridLossDocument, GridRowDocument
from bundlekit.model.grid import GridRow
from bundlekit.model.losses import LossRow

__all__ = ["any_row_document", "any_row_of", "loss_document", "loss_of", "row_document", "row_of"]


def any_row_document(row: GridRow | LossRow) -> Mapping[str, object]:
    """Return the document of a row of either kind; only that of a loss has a target."""
    return {**loss_document(row)} if isinstance(row, LossRow) else {**row_document(row)}


def any_row_of(value: JsonValue) -> GridRow | LossRow:
    """Return the row that a document of either kind tells of.

    Raises:
        ValueError: it is no such document.
    """
    return loss_of(value) if isinstance(value, dict) and "target" in value else row_of(value)


def row_document(row: GridRow) -> GridRowDocument:
    """Return the document of one row."""
    return {
        "number": row.number,
        "task_id": row.task_id,
        "entrypoint": row.entrypoint,
        "params": dict(row.params),
        "seed": row.seed,
        "executor": row.executor,
        "host": row.host,
        "sandbox": row.sandbox,
        "pid": row.pid,
        "started_s": row.started_s,
        "seconds": row.seconds,
        "timeout_s": row.timeout_s,
        "outputs": {name: {"size": size, "checksum": checksum} for name, (size, checksum) in row.outputs.items()},
        "error_code": None if row.error_code is None else row.error_code.value,
        "phase": row.phase,
        "error_type": row.error_type,
        "message": row.message,
        "signal": row.signal,
    }


def loss_document(row: LossRow) -> GridLossDocument:
    """Return the document of one loss."""
    return {
        "number": row.number,
        "target": row.target,
        "tasks": list(row.tasks),
        "executor": row.executor,
        "host": row.host,
        "pid": row.pid,
        "started_s": row.started_s,
        "seconds": row.seconds,
        "timeout_s": row.timeout_s,
        "loss": row.loss,
        "n_replicates": row.n_replicates,
        "diagnostics": dict(row.diagnostics),
        "error_code": None if row.error_code is None else row.error_code.value,
        "phase": row.phase,
        "error_type": row.error_type,
        "message": row.message,
        "signal": row.signal,
    }


def row_of(value: JsonValue) -> GridRow:
    """Return the row that a document tells of.

    Raises:
        ValueError: it is no such document.
    """
    if not isinstance(value, dict):
        raise ValueError("a row that is no object")  # noqa: TRY004 - one kind of error for whatever is wrong with it
    outputs, params, code = _table(value, "outputs"), _table(value, "params"), _text_or_none(value, "error_code")
    return GridRow(
        number=_integer(value, "number"),
        task_id=_text(value, "task_id"),
        entrypoint=_text(value, "entrypoint"),
        params=params,
        seed=_integer(value, "seed"),
        executor=_text(value, "executor"),
        host=_text(value, "host"),
        sandbox=_text(value, "sandbox"),
        pid=None if value.get("pid") is None else _integer(value, "pid"),
        started_s=None if value.get("started_s") is None else _seconds(value, "started_s"),
        seconds=_seconds(value, "seconds"),
        timeout_s=_seconds(value, "timeout_s"),
        outputs={name: _output(outputs, name) for name in outputs},
        error_code=None if code is None else ErrorCode(code),
        phase=_text_or_none(value, "phase"),
        error_type=_text_or_none(value, "error_type"),
        message=_text_or_none(value, "message"),
        signal=_text_or_none(value, "signal"),
    )


def loss_of(value: JsonValue) -> LossRow:
    """Return the loss that a document tells of.

    Raises:
        ValueError: it is no such document.
    """
    if not isinstance(value, dict) or not isinstance(tasks := value.get("tasks"), list):
        raise ValueError("a loss that is no object with its tasks")  # noqa: TRY004 - as in `row_of`
    code = _text_or_none(value, "error_code")
    return LossRow(
        number=_integer(value, "number"),
        target=_text(value, "target"),
        tasks=tuple(_integer({"tasks": each}, "tasks") for each in tasks),
        executor=_text(value, "executor"),
        host=_text(value, "host"),
        pid=None if value.get("pid") is None else _integer(value, "pid"),
        started_s=None if value.get("started_s") is None else _seconds(value, "started_s"),
        seconds=_seconds(value, "seconds"),
        timeout_s=_seconds(value, "timeout_s"),
        loss=None if value.get("loss") is None else _seconds(value, "loss"),
        n_replicates=None if value.get("n_replicates") is None else _integer(value, "n_replicates"),
        diagnostics=_table(value, "diagnostics"),
        error_code=None if code is None else ErrorCode(code),
        phase=_text_or_none(value, "phase"),
        error_type=_text_or_none(value, "error_type"),
        message=_text_or_none(value, "message"),
        signal=_text_or_none(value, "signal"),
    )


def _output(outputs: dict[str, JsonValue], name: str) -> tuple[int, str]:
    output = _table(outputs, name)
    return _integer(output, "size"), _text(output, "checksum")


def _table(table: dict[str, JsonValue], key: str) -> dict[str, JsonValue]:
    value = table.get(key)
    if not isinstance(value, dict):
        raise _wrong(key, "an object")
    return value


def _integer(table: dict[str, JsonValue], key: str) -> int:
    value = table.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(key, "an integer")
    return value


def _seconds(table: dict[str, JsonValue], key: str) -> float:
    value = table.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong(key, "a number")
    return float(value)


def _text(table: dict[str, JsonValue], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str):
        raise _wrong(key, "a text")
    return value


def _text_or_none(table: dict[str, JsonValue], key: str) -> str | None:
    return None if table.get(key) is None else _text(table, key)


def _wrong(key: str, expected: str) -> ValueError:
    return ValueError(f"a row whose {key!r} is not {expected}")
