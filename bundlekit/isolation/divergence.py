"""Where a warm output differs from the cold one: in the terms of its format, as far as that can be read.

Outputs are bytes that a bundle made, so nothing of them is believed: what is no proper file of its format, or would
need much memory, is compared as text or bytes, and the place says why.
"""

from collections.abc import Callable
from enum import Enum

from bundlekit.isolation.formats import apart, arrays, compressed, documents, plain, tables
from bundlekit.isolation.formats.difference import Difference, UnreadableError, read_both
from bundlekit.model.isolation import Divergence

__all__ = ["first_divergence"]

Compare = Callable[[bytes, bytes], Difference | None]


class _Format(Enum):
    ARROW_FILE = "Arrow file"
    ARROW_STREAM = "Arrow stream"
    PARQUET = "Parquet"
    NPY = "NumPy array"
    ZIP = "zip archive"
    GZIP = "gzip"
    TEXT = "text"
    BYTES = "bytes"


_AS_WRITTEN = {_Format.TEXT: plain.differing_text, _Format.BYTES: plain.differing_bytes}
_NOWHERE = Difference("nowhere: the bytes are equal", "", "")


def first_divergence(
    name: str, cold: bytes, warm: bytes, *, compare_tables: Compare = apart.differing_tables_apart
) -> Divergence:
    """Return the first place where the output `name` differs.

    Equal values in different bytes (metadata, compression, order of keys) are told as such, and equal bytes too.
    `compare_tables` reads what C++ code must read: in a process of its own, unless the data is trusted.
    """
    return Divergence(name, *_compared(cold, warm, compare_tables))


def _compared(cold: bytes, warm: bytes, compare_tables: Compare) -> Difference:
    formats = _format(cold), _format(warm)
    if not cold or not warm or formats[0] is not formats[1]:
        return _differing_formats(formats, cold, warm)
    return _differing(formats[0], cold, warm, compare_tables)


def _differing(form: _Format, cold: bytes, warm: bytes, compare_tables: Compare) -> Difference:
    try:
        found = _by_value(form, cold, warm, compare_tables)
        if found is not None:
            return found
        reason = " (all values are equal)"
    except UnreadableError as error:
        reason = "" if form in _AS_WRITTEN else f" ({form.value}: {error})"
    found = _AS_WRITTEN.get(form, plain.differing_bytes)(cold, warm)
    return _NOWHERE if found is None else found._replace(place=found.place + reason)


def _differing_formats(formats: tuple[_Format, _Format], cold: bytes, warm: bytes) -> Difference:
    if not cold or not warm or _Format.BYTES in formats:
        return plain.differing_bytes(cold, warm) or _NOWHERE
    sizes = [f"{form.value}, {len(data)} bytes" for form, data in zip(formats, (cold, warm), strict=True)]
    return Difference("format", sizes[0], sizes[1])


def _by_value(form: _Format, cold: bytes, warm: bytes, compare_tables: Compare) -> Difference | None:
    match form:
        case _Format.ARROW_FILE | _Format.ARROW_STREAM | _Format.PARQUET:
            return compare_tables(cold, warm)
        case _Format.NPY:
            return arrays.differing_npy(cold, warm)
        case _Format.ZIP:
            return arrays.differing_npz(cold, warm)
        case _Format.GZIP:
            inside = read_both(compressed.unpacked, cold, warm)
            if any(each.startswith(compressed.MAGIC) for each in inside):
                # Some unpack to themselves.
                raise UnreadableError("it holds another one")
            return None if inside[0] == inside[1] else _compared(*inside, compare_tables)
        case _Format.TEXT:
            return documents.differing_json(cold, warm)
        case _Format.BYTES:
            raise UnreadableError("no format that is known")


def _format(data: bytes) -> _Format:
    for form, is_one in (
        (_Format.ARROW_FILE, tables.is_arrow_file(data)),
        (_Format.ARROW_STREAM, tables.is_arrow_stream(data)),
        (_Format.PARQUET, tables.is_parquet(data)),
        (_Format.NPY, data.startswith(arrays.MAGIC)),
        (_Format.ZIP, data.startswith((b"PK\3\4", b"PK\5\6"))),
        (_Format.GZIP, data.startswith(compressed.MAGIC)),
        (_Format.TEXT, plain.is_text(data)),
    ):
        if is_one:
            return form
    return _Format.BYTES
