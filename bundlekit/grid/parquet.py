"""Results as Parquet: a row for each task, the rest of the document as JSON in the file's metadata.

Needs pyarrow, the extra ``bundlekit[parquet]``.
"""

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bundlekit.cold_runner import strict_json
from bundlekit.cold_runner.strict_json import JsonValue
from bundlekit.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from bundlekit.model.documents.grids import GridRowDocument

__all__ = ["read_parquet", "require_pyarrow", "write_parquet"]

_METADATA = b"bundlekit"


def require_pyarrow() -> None:
    """Say clearly that pyarrow is not installed.

    Raises:
        UsageError: it is not.
    """
    if importlib.util.find_spec("pyarrow") is None:
        msg = "results in Parquet need pyarrow, which is not installed"
        hint = "install it with `pip install 'bundlekit[parquet]'`, or name a file that ends in .json"
        raise UsageError(msg, subject="pyarrow", hint=hint)


def write_parquet(path: Path, document: Mapping[str, object], rows: "Sequence[GridRowDocument]") -> None:
    """Write the file at `path`; `document` is what there is to say beside the rows.

    Raises:
        OSError: it cannot be written.
    """
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    schema = _schema().with_metadata({_METADATA: json.dumps(document, ensure_ascii=False).encode()})
    table = pa.Table.from_pylist([_flat(row) for row in rows], schema=schema)
    parquet.write_table(table, path, compression="zstd")


def read_parquet(path: Path) -> tuple[JsonValue, JsonValue]:
    """Return what `write_parquet` was given, the rows as documents.

    Raises:
        ValueError: the file was not written so.
        OSError: it cannot be read.
    """
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    try:
        table = parquet.read_table(path)
    except pa.ArrowInvalid as error:
        raise ValueError(str(error)) from None
    metadata = (table.schema.metadata or {}).get(_METADATA)
    if metadata is None or table.schema.names != _schema().names:
        raise ValueError("the file was not written by bundlekit")
    rows: JsonValue = [_nested(row) for row in table.to_pylist()]
    return strict_json.loads(metadata), rows


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
            ("error_code", text),
            ("phase", text),
            ("error_type", text),
            ("message", text),
            ("signal", text),
        ]
    )


def _flat(row: "GridRowDocument") -> dict[str, object]:
    outputs = [{"name": name, **output} for name, output in row["outputs"].items()]
    return {**row, "params": strict_json.dumps(row["params"]), "outputs": outputs}


def _nested(row: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    params, outputs = row["params"], row["outputs"]
    if not isinstance(params, str) or not isinstance(outputs, list):
        raise ValueError("the file was not written by bundlekit")  # noqa: TRY004 - one kind of error for all of it
    named: dict[str, JsonValue] = {}
    for output in outputs:
        if isinstance(output, dict):
            named[str(output["name"])] = {"size": output["size"], "checksum": output["checksum"]}
    return {**row, "params": strict_json.loads(params), "outputs": named}
