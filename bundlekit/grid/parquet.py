"""Results as Parquet: a row for each task, the rest of the document as JSON in the file's metadata.

Losses are rows of another table, and so of another file beside it.

Needs pyarrow, the extra ``bundlekit[parquet]``.
"""

import importlib.util
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bundlekit.cold_runner import strict_json
from bundlekit.cold_runner.strict_json import JsonValue
from bundlekit.errors import UsageError
from bundlekit.grid.row_document import loss_document, row_document
from bundlekit.model.grid import GridRow
from bundlekit.model.losses import LossRow

if TYPE_CHECKING:
    import pyarrow as pa

    from bundlekit.model.documents.grids import GridRowDocument

__all__ = [
    "losses_path",
    "read_loss_parquet",
    "read_parquet",
    "require_pyarrow",
    "write_loss_parquet",
    "write_parquet",
]

_METADATA = b"bundlekit"
_ROW_GROUP = 20_000
"""Rows that are written at once: as many are held a second time."""


def require_pyarrow() -> None:
    """Say clearly that pyarrow is not installed.

    Raises:
        UsageError: it is not.
    """
    if importlib.util.find_spec("pyarrow") is None:
        msg = "results in Parquet need pyarrow, which is not installed"
        hint = "install it with `pip install 'bundlekit[parquet]'`, or name a file that ends in .json"
        raise UsageError(msg, subject="pyarrow", hint=hint)


def losses_path(path: Path) -> Path:
    """Return where the losses of the results at `path` stand: they are a table of their own."""
    return path.with_name(f"{path.stem}.losses{path.suffix}")


def write_parquet(path: Path, summary: Mapping[str, object], rows: Iterable[GridRow]) -> None:
    """Write the file at `path`; `summary` is what there is to say beside the rows.

    Raises:
        OSError: it cannot be written.
    """
    _write(path, summary, (_flat(row_document(row)) for row in rows), _schema())


def write_loss_parquet(path: Path, summary: Mapping[str, object], rows: Iterable[LossRow]) -> None:
    """Write the losses to the file at `path`.

    Raises:
        OSError: it cannot be written.
    """
    documents = (loss_document(row) for row in rows)
    flat = ({**row, "diagnostics": strict_json.dumps(row["diagnostics"])} for row in documents)
    _write(path, summary, flat, _loss_schema())


def read_parquet(path: Path) -> tuple[JsonValue, JsonValue]:
    """Return what `write_parquet` was given, the rows as documents.

    Raises:
        ValueError: the file was not written so.
        OSError: it cannot be read.
    """
    document, rows = _read(path, _schema())
    return document, [_nested(row) for row in rows]


def read_loss_parquet(path: Path) -> tuple[JsonValue, JsonValue]:
    """Return what `write_loss_parquet` was given, the rows as documents.

    Raises:
        ValueError: as :func:`read_parquet`.
        OSError: as :func:`read_parquet`.
    """
    document, rows = _read(path, _loss_schema())
    return document, [{**row, "diagnostics": _json(row["diagnostics"])} for row in rows]


def _write(path: Path, summary: Mapping[str, object], rows: Iterator[dict[str, object]], schema: "pa.Schema") -> None:
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    described = schema.with_metadata({_METADATA: json.dumps(summary, ensure_ascii=False).encode()})
    with parquet.ParquetWriter(path, described, compression="zstd") as writer:
        while some := list(itertools.islice(rows, _ROW_GROUP)):
            writer.write_table(pa.Table.from_pylist(some, schema=described))


def _read(path: Path, schema: "pa.Schema") -> tuple[JsonValue, list[dict[str, JsonValue]]]:
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    try:
        table = parquet.read_table(path)
    except pa.ArrowInvalid as error:
        raise ValueError(str(error)) from None
    metadata = (table.schema.metadata or {}).get(_METADATA)
    if metadata is None or table.schema.names != schema.names:
        raise ValueError("the file was not written by bundlekit")
    return strict_json.loads(metadata), table.to_pylist()


def _schema() -> "pa.Schema":
    import pyarrow as pa  # noqa: PLC0415 - an extra

    text, number, seconds = pa.string(), pa.int64(), pa.float64()
    output = pa.struct([("name", text), ("size", number), ("checksum", text)])
    return pa.schema(
        [
            ("number", number),
            ("task_id", text),
            ("entrypoint", text),
            # Of any shape: one column of JSON, which every reader can take apart.
            ("params", text),
            ("seed", pa.uint64()),
            ("executor", text),
            ("host", text),
            ("sandbox", text),
            ("pid", number),
            ("started_s", seconds),
            ("seconds", seconds),
            ("timeout_s", seconds),
            ("outputs", pa.list_(output)),
            *_failure_columns(),
        ]
    )


def _loss_schema() -> "pa.Schema":
    import pyarrow as pa  # noqa: PLC0415 - an extra

    text, number, seconds = pa.string(), pa.int64(), pa.float64()
    return pa.schema(
        [
            ("number", number),
            ("target", text),
            ("tasks", pa.list_(number)),
            ("executor", text),
            ("host", text),
            ("pid", number),
            ("started_s", seconds),
            ("seconds", seconds),
            ("timeout_s", seconds),
            ("loss", seconds),
            ("n_replicates", number),
            ("diagnostics", text),
            *_failure_columns(),
        ]
    )


def _failure_columns() -> "list[tuple[str, pa.DataType]]":
    import pyarrow as pa  # noqa: PLC0415 - an extra

    return [(name, pa.string()) for name in ("error_code", "phase", "error_type", "message", "signal")]


def _flat(row: "GridRowDocument") -> dict[str, object]:
    outputs = [{"name": name, **output} for name, output in row["outputs"].items()]
    return {**row, "params": strict_json.dumps(row["params"]), "outputs": outputs}


def _nested(row: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    outputs = row["outputs"]
    named: dict[str, JsonValue] = {}
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict):
            named[str(output["name"])] = {"size": output["size"], "checksum": output["checksum"]}
    return {**row, "params": _json(row["params"]), "outputs": named}


def _json(text: JsonValue) -> JsonValue:
    if not isinstance(text, str):
        raise ValueError("the file was not written by bundlekit")  # noqa: TRY004 - one kind of error for all of it
    return strict_json.loads(text)
