"""Arrow's files and streams, and Parquet, compared by value with pyarrow, which is the extra ``parquet``.

Rows are compared in bounded pieces, numbers by their bits: NaN is equal to itself here, and -0.0 differs from 0.0.
"""

from typing import TYPE_CHECKING

from bundlekit.isolation.formats.difference import Difference, UnreadableError, read_both, shown, shown_pair
from bundlekit.isolation.formats.floats import bits_of, distance, spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

__all__ = ["check_size", "differing_tables", "is_arrow_file", "is_arrow_stream", "is_parquet"]

_MAX_BYTES = 1 << 28
_MAX_CELLS = 1 << 25
_PIECE = 1 << 12
_WIDTHS = {"halffloat": 16, "float": 32, "double": 64}


def is_arrow_file(data: bytes) -> bool:
    """Whether `data` begins as Arrow's file format does."""
    return data.startswith(b"ARROW1")


def is_arrow_stream(data: bytes) -> bool:
    """Whether `data` begins as Arrow's stream format does: a mark, and the length of a schema."""
    return data.startswith(b"\xff\xff\xff\xff") and 0 < int.from_bytes(data[4:8], "little") < len(data)


def is_parquet(data: bytes) -> bool:
    """Whether `data` begins as Parquet does."""
    return data.startswith(b"PAR1")


def check_size(cold: bytes, warm: bytes) -> None:
    """Refuse tables that are too large to be read.

    Raises:
        UnreadableError: one of both is.
    """
    if max(len(cold), len(warm)) > _MAX_BYTES:
        raise UnreadableError(f"tables of more than {_MAX_BYTES >> 20} MiB are compared as bytes")


def differing_tables(cold: bytes, warm: bytes) -> Difference | None:
    """Return the first row and column that differ; rows count from 0.

    Data that lies about its sizes may use much memory before that is seen: see `apart`.

    Raises:
        UnreadableError: pyarrow is not installed, or cannot read one of both, or it holds very much.
    """
    check_size(cold, warm)
    try:
        import pyarrow  # noqa: F401, ICN001, PLC0415 - an extra
    except ImportError:
        raise UnreadableError("install bundlekit[parquet] to see which row and column") from None
    before, after = read_both(_table, cold, warm)
    try:
        return _differing(before, after)
    except _errors() as error:
        raise UnreadableError(f"pyarrow cannot show it: {shown(str(error))}") from None


def _errors() -> tuple[type[Exception], ...]:
    """Return what pyarrow makes of data that is wrong somewhere."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    return (pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError, MemoryError, RecursionError)


def _table(data: bytes) -> "pa.Table":
    try:
        return _read_table(data)
    except _errors() as error:
        raise UnreadableError(f"pyarrow cannot read it: {shown(str(error))}") from None


def _read_table(data: bytes) -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415 - as above

    batches, schema = _parquet_batches(data) if is_parquet(data) else _arrow_batches(data)
    kept, cells, size = list[pa.RecordBatch](), 0, 0
    for batch in batches:
        batch.validate(full=True)
        cells += batch.num_rows * max(1, batch.num_columns)
        size += batch.nbytes
        if cells > _MAX_CELLS or size > _MAX_BYTES:
            raise UnreadableError("a table of very many cells")
        kept.append(batch)
    return pa.Table.from_batches(kept, schema)


def _arrow_batches(data: bytes) -> "tuple[Iterator[pa.RecordBatch], pa.Schema]":
    import pyarrow as pa  # noqa: PLC0415 - as above

    options = pa.ipc.IpcReadOptions(use_threads=False)
    if is_arrow_file(data):
        reader = pa.ipc.open_file(pa.BufferReader(data), options=options)
        return (reader.get_batch(number) for number in range(reader.num_record_batches)), reader.schema
    reader = pa.ipc.open_stream(pa.BufferReader(data), options=options)
    return iter(reader), reader.schema


def _parquet_batches(data: bytes) -> "tuple[Iterator[pa.RecordBatch], pa.Schema]":
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    file = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)
    if file.metadata.num_rows * max(1, file.metadata.num_columns) > _MAX_CELLS:
        raise UnreadableError("a table of very many cells")
    return file.iter_batches(batch_size=_PIECE, use_threads=False), file.schema_arrow


def _differing(cold: "pa.Table", warm: "pa.Table") -> Difference | None:
    if cold.schema.names != warm.schema.names:
        return Difference("names of the columns", *shown_pair(*(", ".join(each.schema.names) for each in (cold, warm))))
    for position, name in enumerate(cold.schema.names):
        types = [str(each.schema.field(position).type) for each in (cold, warm)]
        if types[0] != types[1]:
            return Difference(f"type of {_column(cold, position, name)}", *shown_pair(*types))
    common = min(cold.num_rows, warm.num_rows)
    found = _differing_rows(cold.slice(0, common), warm.slice(0, common))
    if cold.num_rows != warm.num_rows:
        where = "those that both have are equal" if found is None else f"the first difference is in {found.place}"
        return Difference(f"number of rows; {where}", str(cold.num_rows), str(warm.num_rows))
    return found or _differing_metadata(cold.schema, warm.schema)


def _differing_rows(cold: "pa.Table", warm: "pa.Table") -> Difference | None:
    for start in range(0, cold.num_rows, _PIECE):
        found = _differing_piece(cold.slice(start, _PIECE), warm.slice(start, _PIECE), start)
        if found is not None:
            return found
    return None


def _differing_piece(cold: "pa.Table", warm: "pa.Table", start: int) -> Difference | None:
    """Return the difference in the first row that has one, and there in the first column."""
    first: tuple[int, int] | None = None
    for position in range(cold.num_columns):
        before, after = cold.column(position), warm.column(position)
        row = _differing_row(before, after)
        if row is not None and (first is None or row < first[0]):
            first = row, position
    if first is None:
        return None
    row, position = first
    ends = [each.column(position).slice(row, 1) for each in (cold, warm)]
    place = f"row {start + row}, {_column(cold, position, cold.schema.names[position])}"
    texts = shown_pair(*(_text(each) for each in ends))
    bits = [_bits(each) for each in ends]
    width = _WIDTHS.get(str(ends[0].type), 64)
    return Difference(place, *texts, None if None in bits else distance(bits[0] or 0, bits[1] or 0, width))


def _column(table: "pa.Table", position: int, name: str) -> str:
    return f"column {shown(name)}" if table.schema.names.count(name) == 1 else f"column {position + 1} ({shown(name)})"


def _differing_row(cold: "pa.ChunkedArray", warm: "pa.ChunkedArray") -> int | None:
    import pyarrow as pa  # noqa: PLC0415 - an extra

    is_plain = pa.types.is_primitive(cold.type) or pa.types.is_string(cold.type) or pa.types.is_large_string(cold.type)
    if is_plain and _comparable(cold).equals(_comparable(warm)):
        return None
    for row, (before, after) in enumerate(zip(_values(cold), _values(warm), strict=True)):
        if not _same(before, after):
            return row
    return None


def _comparable(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return `column` such that equal means equal bits: floating point numbers as integers."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    width = _WIDTHS.get(str(column.type))
    if width is None:
        return column
    whole = {16: pa.uint16(), 32: pa.uint32(), 64: pa.uint64()}[width]
    return pa.chunked_array([chunk.view(whole) for chunk in column.chunks], whole)


def _values(column: "pa.ChunkedArray") -> list[object]:
    import pyarrow as pa  # noqa: PLC0415 - an extra

    column = _comparable(column)
    if pa.types.is_temporal(column.type) and not pa.types.is_interval(column.type):
        # Python has no nanoseconds, and its times end with the year 9999.
        whole = pa.int32() if column.type.bit_width == 32 else pa.int64()  # noqa: PLR2004 - bits
        column = pa.chunked_array([chunk.view(whole) for chunk in column.chunks], whole)
    found: list[object] = column.to_pylist()
    return found


def _same(cold: object, warm: object) -> bool:
    """Whether both are equal, floats by their bits, all the way down."""
    if type(cold) is not type(warm):
        return False
    if isinstance(cold, float) and isinstance(warm, float):
        return bits_of(cold) == bits_of(warm)
    if isinstance(cold, (list, tuple)) and isinstance(warm, (list, tuple)):
        return len(cold) == len(warm) and all(map(_same, cold, warm))
    if isinstance(cold, dict) and isinstance(warm, dict):
        return list(cold) == list(warm) and all(map(_same, cold.values(), warm.values()))
    return cold == warm


def _bits(value: "pa.ChunkedArray") -> int | None:
    """Return the bits of the one value, None if it is no floating point number."""
    found = _values(value)[0] if str(value.type) in _WIDTHS else None
    return found if isinstance(found, int) else None


def _text(value: "pa.ChunkedArray") -> str:
    import pyarrow as pa  # noqa: PLC0415 - an extra

    bits = _bits(value)
    if bits is not None:
        return spelled(bits, _WIDTHS[str(value.type)])
    if pa.types.is_temporal(value.type) and not pa.types.is_interval(value.type):
        return str(value.cast(pa.string())[0].as_py())
    found = value[0].as_py()
    return "null" if found is None else repr(found)


def _differing_metadata(cold: "pa.Schema", warm: "pa.Schema") -> Difference | None:
    if cold.equals(warm, check_metadata=True):
        return None
    for name, before, after in (("the table", cold, warm), *zip(cold.names, cold, warm, strict=True)):
        if before.metadata != after.metadata:
            texts = shown_pair(*(str(dict(sorted((each.metadata or {}).items()))) for each in (before, after)))
            return Difference(f"metadata of {shown(name)}; all values are equal", *texts)
    return Difference("columns that may hold null; all values are equal", *shown_pair(str(cold), str(warm)))
