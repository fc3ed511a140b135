"""The first divergence: in the terms of each format, never wrong about where, and never at the mercy of the bytes."""

import gzip
import io
import json
import math
import struct
import sys
import tracemalloc
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundlekit.isolation.divergence import first_divergence
from bundlekit.isolation.formats.difference import UnreadableError
from bundlekit.isolation.formats.floats import distance, spelled
from bundlekit.isolation.formats.tables import differing_tables
from bundlekit.model.isolation import Divergence


def _npy(array: object, **options: bool) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array), **options)
    return file.getvalue()


def _npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{name: np.asarray(each) for name, each in arrays.items()})
    return file.getvalue()


def _stream(table: pa.Table, **options: object) -> bytes:
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return file.getvalue()


def _file(table: pa.Table) -> bytes:
    file = io.BytesIO()
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def _parquet(table: pa.Table, **options: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def _found(cold: bytes, warm: bytes) -> tuple[str, str, str, int | None]:
    """Return the divergence without the output's name; asserts that it is the same seen from the other side."""
    found = first_divergence("out", cold, warm, compare_tables=differing_tables)
    seen_from_there = first_divergence("out", warm, cold, compare_tables=differing_tables)
    assert seen_from_there[2:] == (found.warm, found.cold, found.ulps)
    if "one: " not in found.place:
        # Which of both cannot be read is said in their order.
        assert seen_from_there.place == found.place
    assert found.output == "out"
    return found.place, found.cold, found.warm, found.ulps


_NEXT = math.nextafter(0.1, 1.0)
_DAYS = {"day": [0, 1, 2, 3], "infected": [1.0, 2.5, 0.1, 7.0]}
_TABLE = pa.table(_DAYS)
_LATER = pa.table({**_DAYS, "infected": [1.0, 2.5, _NEXT, 9.0]})

_BY_VALUE = {
    "json": (b'{"a": [1, {"b": 0.1}]}', b'{"a": [1, {"b": 0.2}]}', ("$.a[1].b", "0.1", "0.2", 1 << 52)),
    "json_ulp": (b"[0.1]", json.dumps([_NEXT]).encode(), ("$[0]", "0.1", repr(_NEXT), 1)),
    "json_int_and_float": (b'{"n": 1}', b'{"n": 1.0}', ("$.n", "1", "1.0", None)),
    "json_bool_and_int": (b"[true]", b"[1]", ("$[0]", "true", "1", None)),
    "json_zeros": (b"[0.0]", b"[-0.0]", ("$[0]", "0.0", "-0.0", 0)),
    "json_infinity": (b"[1e308]", b"[Infinity]", ("$[0]", "1e+308", "inf", None)),
    "json_key": (b'{"a": 1, "b c": null}', b'{"a": 1}', ('$["b c"]', "null", "nothing", None)),
    "json_length": (b"[1, 2]", b"[1, 2, [3, 4]]", ("$[2]", "nothing", "list of 2", None)),
    "json_root": (b"{}", b"[]", ("$", "object of 0", "list of 0", None)),
    "json_text": (b'{"s": "abc"}', b'{"s": "abd"}', ("$.s", '"abc"', '"abd"', None)),
    "json_first_of_two": (b'{"b": 1, "a": 1}', b'{"b": 2, "a": 2}', ("$.b", "1", "2", None)),
    "json_other_order": (b'{"b": 1, "a": 1}', b'{"a": 2, "b": 2}', ("$.a", "1", "2", None)),
    "npy": (_npy([[1.0, 0.1]]), _npy([[1.0, _NEXT]]), ("[0, 1]", "0.1", repr(_NEXT), 1)),
    "npy_float32": (
        *(_npy(np.array([each], "f4")) for each in (0.1, np.nextafter(np.float32(0.1), np.float32(1)))),
        ("[0]", "0.1", "0.10000001", 1),
    ),
    "npy_float16": (
        *(_npy(np.array([each], "f2")) for each in (0.1, np.nextafter(np.float16(0.1), np.float16(1)))),
        ("[0]", "0.1", "0.10004", 1),
    ),
    "npy_big_endian": (*(_npy(np.array([1.0, x], ">f8")) for x in (0.1, _NEXT)), ("[1]", "0.1", repr(_NEXT), 1)),
    "npy_nan_payload": (
        *(_npy(np.frombuffer(struct.pack("<Q", bits), "f8")) for bits in (0x7FF8000000000000, 0x7FF8000000000001)),
        ("[0]", "nan", "nan (payload 0x8000000000001)", None),
    ),
    "npy_minus_nan": (_npy([math.nan]), _npy([-math.nan]), ("[0]", "nan", "-nan", None)),
    "npy_infinity": (_npy([math.inf]), _npy([-math.inf]), ("[0]", "inf", "-inf", None)),
    "npy_int": (_npy(np.array([1, -5], "i4")), _npy(np.array([1, 7], "i4")), ("[1]", "-5", "7", None)),
    "npy_bool": (_npy([True]), _npy([False]), ("[0]", "True", "False", None)),
    "npy_complex": (_npy([1 + 2j]), _npy([1 + 3j]), ("[0]", "1.0 + 2.0j", "1.0 + 3.0j", None)),
    "npy_text": (_npy(["ab", "c"]), _npy(["ab", "d"]), ("[1]", "'c'", "'d'", None)),
    "npy_bytes": (_npy([b"ab"]), _npy([b"ac"]), ("[0]", "'ab'", "'ac'", None)),
    "npy_time": (*(_npy(np.array([day], "M8[D]")) for day in (3, 4)), ("[0]", "3", "4", None)),
    "npy_scalar": (_npy(1.5), _npy(2.5), ("[]", "1.5", "2.5", 3 << 50)),
    "npy_type": (_npy([1]), _npy([1.0]), ("type of the elements", "int64", "float64", None)),
    "npy_order_of_bytes": (
        *(_npy(np.array([1.0], kind)) for kind in ("<f8", ">f8")),
        ("type of the elements", "float64", "float64 (big-endian)", None),
    ),
    "npy_shape": (_npy([1, 2]), _npy([[1, 2]]), ("shape", "(2,)", "(1, 2)", None)),
    "npy_record": (
        *(_npy(np.array([(1, [2.0, x])], [("n", "i4"), ("xs", "f8", (2,))])) for x in (0.1, _NEXT)),
        ("[0], field xs[1]", "0.1", repr(_NEXT), 1),
    ),
    "npy_nested_record": (
        *(_npy(np.array([((x,), 1)], [("a", [("b", "i2")]), ("c", "u1")])) for x in (3, 4)),
        ("[0], field a.b", "3", "4", None),
    ),
    "npy_columns": (
        *(_npy(np.asfortranarray([[1, 2], [x, 4]])) for x in (3, 5)),
        ("[1, 0]", "3", "5", None),
    ),
    "npy_rows_and_columns": (
        _npy(np.array([[1, 2], [3, 4]])),
        _npy(np.asfortranarray([[1, 2], [7, 4]])),
        ("[1, 0]", "3", "7", None),
    ),
    "npz": (_npz(a=[1], b=[1.0]), _npz(a=[1], b=[2.0]), ("b.npy: [0]", "1.0", "2.0", 1 << 52)),
    "npz_member": (_npz(a=[1]), _npz(a=[1], b=[1]), ("member b.npy", "nothing", "136 bytes", None)),
    "arrow_stream": (_stream(_TABLE), _stream(_LATER), ("row 2, column infected", "0.1", repr(_NEXT), 1)),
    "arrow_file": (_file(_TABLE), _file(_LATER), ("row 2, column infected", "0.1", repr(_NEXT), 1)),
    "parquet": (_parquet(_TABLE), _parquet(_LATER), ("row 2, column infected", "0.1", repr(_NEXT), 1)),
    "arrow_first_row_of_any_column": (
        _stream(pa.table({"a": [1, 2, 3], "b": [1, 2, 3]})),
        _stream(pa.table({"a": [1, 2, 4], "b": [1, 5, 3]})),
        ("row 1, column b", "2", "5", None),
    ),
    "arrow_float32": (
        *(_stream(pa.table({"x": pa.array([x], pa.float32())})) for x in (1.0, 1 + 2**-23)),
        ("row 0, column x", "1.0", "1.0000001", 1),
    ),
    "arrow_float16": (
        *(_stream(pa.table({"x": pa.array(np.array([x], "f2"))})) for x in (1.0, 1 + 2**-10)),
        ("row 0, column x", "1.0", "1.001", 1),
    ),
    "arrow_zeros": (
        *(_stream(pa.table({"x": [math.nan, x]})) for x in (0.0, -0.0)),
        ("row 1, column x", "0.0", "-0.0", 0),
    ),
    "arrow_null": (
        *(_stream(pa.table({"x": pa.array([1.0, x])})) for x in (None, 0.0)),
        ("row 1, column x", "null", "0.0", None),
    ),
    "arrow_nested_zero": (
        *(_stream(pa.table({"x": [[1.0, x]]})) for x in (0.0, -0.0)),
        ("row 0, column x", "[1.0, 0.0]", "[1.0, -0.0]", None),
    ),
    "arrow_text": (
        *(_parquet(pa.table({"s": ["a", x]})) for x in ("b", "c")),
        ("row 1, column s", "'b'", "'c'", None),
    ),
    "arrow_nanoseconds": (
        *(_stream(pa.table({"t": pa.array([x], pa.timestamp("ns"))})) for x in (1, 2)),
        ("row 0, column t", "1970-01-01 00:00:00.000000001", "1970-01-01 00:00:00.000000002", None),
    ),
    "arrow_categories": (
        *(_stream(pa.table({"s": pa.array(["a", x]).dictionary_encode()})) for x in ("b", "c")),
        ("row 1, column s", "'b'", "'c'", None),
    ),
    "arrow_type": (
        _stream(pa.table({"n": [1]})),
        _stream(pa.table({"n": [1.0]})),
        ("type of column n", "int64", "double", None),
    ),
    "arrow_column": (
        _stream(_TABLE),
        _stream(_TABLE.select(["day"])),
        ("names of the columns", "day, infected", "day", None),
    ),
    "arrow_columns_of_one_name": (
        *(_stream(pa.Table.from_arrays([pa.array([1]), pa.array([x])], ["n", "n"])) for x in (1, 2)),
        ("row 0, column 2 (n)", "1", "2", None),
    ),
    "arrow_rows": (
        _stream(_TABLE),
        _stream(_TABLE.slice(0, 3)),
        ("number of rows; those that both have are equal", "4", "3", None),
    ),
    "arrow_rows_that_differ": (
        _stream(_TABLE),
        _stream(_LATER.slice(0, 3)),
        ("number of rows; the first difference is in row 2, column infected", "4", "3", None),
    ),
    "gzip": (
        gzip.compress(b'{"a": 1}', mtime=1),
        gzip.compress(b'{"a": 2}', mtime=2),
        ("$.a", "1", "2", None),
    ),
    "json_lines": (b'{"a": 1}\n{"a": 2}\n', b'{"a": 1}\n{"a": 3}\n', ("line 2, $.a", "2", "3", None)),
    "csv": (
        b"day,infected\n0,1.5\n1,0.1\n",
        f"day,infected\n0,1.5\n1,{_NEXT!r}\n".encode(),
        ("line 3, column infected", "0.1", repr(_NEXT), 1),
    ),
    "tsv_of_integers": (b"a\tb\n1\t2\n", b"a\tb\n1\t3\n", ("line 2, column b", "2", "3", None)),
    "csv_quoted": (b'a,b\n"x,y",1\n', b'a,b\n"x,z",1\n', ("line 2, column a", "x,y", "x,z", None)),
    "text": (b"one\ntwo\n", b"one\ntoo\n", ("line 2, column 2", "wo", "oo", None)),
    "text_number": (
        b"loss: 0.1 (of 3)\n",
        f"loss: {_NEXT!r} (of 3)\n".encode(),
        ("line 1, column 10", "0.1", repr(_NEXT), 1),
    ),
    "text_character": ("é\n".encode(), "è\n".encode(), ("line 1, column 1", "é", "è", None)),
    "text_end": (b"one\n", b"one\ntwo\n", ("line 2, column 1", "nothing (its end)", "two", None)),
    "text_end_of_line": (b"one", b"one\n", ("line 1, column 4", "nothing (its end)", r"'\n'", None)),
    "bytes": (b"\0\1\2\3", b"\0\1\7\3", ("byte 2", "02 03", "07 03", None)),
    "bytes_length": (b"\0\1", b"\0\1\2", ("length", "2 bytes", "3 bytes", None)),
    "empty": (b"", b"one", ("length", "0 bytes", "3 bytes", None)),
    "one_byte": (b"", b"\0", ("length", "0 bytes", "1 byte", None)),
    "formats": (_npy([1]), b"one", ("format", "NumPy array, 136 bytes", "text, 3 bytes", None)),
    "text_and_bytes": (b"one", b"o\0e", ("byte 1", "6e 65", "00 65", None)),
}


@pytest.mark.parametrize(("cold", "warm", "expected"), _BY_VALUE.values(), ids=_BY_VALUE)
def test_says_where_and_what_and_by_how_much(
    cold: bytes, warm: bytes, expected: tuple[str, str, str, int | None]
) -> None:
    """`row 2, column infected: 0.1 and 0.10000000000000002, 1 ULP` ends a search that `the outputs differ` begins."""
    assert _found(cold, warm) == expected


_EQUAL_VALUES = {
    "json_order_of_keys": (b'{"a": 1, "b": 2}', b'{"b": 2, "a": 1}', "line 1, column 3 (all values are equal)"),
    "json_spaces": (b"[1,2]", b"[1, 2]", "line 1, column 4 (all values are equal)"),
    "json_spelling": (b"[1.0]", b"[1.00]", "line 1, column 5 (all values are equal)"),
    "npy_order": (
        _npy(np.array([[1, 2], [3, 4]])),
        _npy(np.asfortranarray([[1, 2], [3, 4]])),
        "(all values are equal)",
    ),
    "arrow_compression": (_stream(_TABLE), _stream(_TABLE, compression="lz4"), "(all values are equal)"),
    "arrow_chunks": (
        _stream(_TABLE),
        _stream(pa.concat_tables([_TABLE.slice(0, 1), _TABLE.slice(1)])),
        "(all values are equal)",
    ),
    "parquet_compression": (_parquet(_TABLE), _parquet(_TABLE, compression="zstd"), "(all values are equal)"),
    "arrow_metadata": (
        _stream(_TABLE),
        _stream(_TABLE.replace_schema_metadata({"made": "now"})),
        "metadata of the table; all values are equal",
    ),
    "csv_ends_of_lines": (b"a,b\n1,2\n", b"a,b\r\n1,2\r\n", "ends of lines; the text is equal"),
    "gzip_time": (gzip.compress(b"one", mtime=1), gzip.compress(b"one", mtime=2), "byte 4 (all values are equal)"),
    "equal": (b"one", b"one", "nowhere: the bytes are equal"),
}


@pytest.mark.parametrize(("cold", "warm", "words"), _EQUAL_VALUES.values(), ids=_EQUAL_VALUES)
def test_equal_values_in_different_bytes_are_told_as_such(cold: bytes, warm: bytes, words: str) -> None:
    """A time stamp in metadata is no wrong number, and is mended elsewhere."""
    assert words in _found(cold, warm)[0]


def test_an_archive_of_the_same_arrays_tells_that_all_values_are_equal() -> None:
    """NumPy compresses or does not; the arrays are the same."""
    file = io.BytesIO()
    np.savez_compressed(file, a=np.arange(100))
    assert _found(_npz(a=np.arange(100)), file.getvalue())[0].endswith("(all values are equal)")


def test_padding_between_fields_is_no_value() -> None:
    """C compilers leave there what was there before."""
    kind = np.dtype([("n", "u1"), ("x", "f8")], align=True)
    array = np.zeros(2, kind)
    cold = bytearray(_npy(array))
    cold[-16 + 3] = 9
    assert _found(_npy(array), bytes(cold))[0].endswith("(all values are equal)")
    cold[-1] = 1
    assert _found(_npy(array), bytes(cold))[0] == "[1], field x"


def test_objects_are_not_unpickled() -> None:
    """An output is data that bundle code made: pickle would run what it says, here."""
    hostile = _npy(np.array([_Bomb()], object), allow_pickle=True)
    place, *_ = _found(hostile, hostile[:-1] + b"x")
    assert place.startswith("byte ")
    assert "NumPy array: " in place


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('unpickled')",)


def test_without_pyarrow_tables_are_compared_as_bytes_and_the_place_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The extra is large; whoever has not got it is told what it would show."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    place, *_ = _found(_parquet(_TABLE), _parquet(_LATER))
    assert place.startswith("byte ")
    assert place.endswith("(Parquet: install bundlekit[parquet] to see which row and column)")


def test_a_table_of_very_many_bytes_is_not_read() -> None:
    """It would take a multiple of them to read it."""
    with pytest.raises(UnreadableError, match="tables of more than 256 MiB are compared as bytes"):
        differing_tables(bytes((1 << 28) + 1), b"PAR1")


def test_what_is_packed_twice_is_compared_as_it_is() -> None:
    """There are files that unpack to themselves."""
    packed = [gzip.compress(gzip.compress(each, mtime=1), mtime=1) for each in (b"1", b"2")]
    assert _found(*packed)[0].endswith("(gzip: it holds another one)")


@pytest.mark.parametrize(
    "data",
    [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000, b'[{"a": 1, "a": 2}]', b'{"a": NaN', b"\xef\xbb\xbf["],
    ids=["deep_list", "deep_object", "long_number", "double_key", "cut", "mark"],
)
def test_json_that_cannot_be_read_is_compared_as_text(data: bytes) -> None:
    """Python's parser has limits, and a key that stands there twice would hide one value."""
    assert _found(data + b"1", data + b"2")[0].startswith("line 1, column ")


def test_an_archive_that_unpacks_to_very_much_is_not_unpacked() -> None:
    """A kilobyte may become a terabyte."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.npy", "w") as member,
    ):
        for _ in range(257):
            member.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        place, *_ = _found(file.getvalue(), file.getvalue() + b"\0")
        assert tracemalloc.get_traced_memory()[1] < 1 << 30
    finally:
        tracemalloc.stop()
    assert "an archive of more than 256 MiB" in place


_HEADERS = [
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807,) * 9}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': [('a', '<f8', (1048576, 1048576))], 'fortran_order': False, 'shape': ()}",
    "{'descr': [('a', [('b', [('c', '<U999999999')])])], 'fortran_order': False, 'shape': ()}",
    "{'descr': [('a', [], (1048576,))], 'fortran_order': False, 'shape': ()}",
    "{'descr': '|O', 'fortran_order': False, 'shape': ()}",
    "{'descr': '|V0', 'fortran_order': False, 'shape': (5,)}",
    "{'descr': ('<f8', (3,)), 'fortran_order': False, 'shape': ()}",
    "{'descr': '<f8'}",
    "[" * 5000,
    "__import__('os').abort()",
]


@pytest.mark.parametrize("header", _HEADERS)
def test_a_header_that_lies_is_told_and_nothing_else_happens(header: str) -> None:
    """What a header says is believed only as far as there are bytes for it."""
    data = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + bytes(8)
    place, *_ = _found(data, data + b"\1")
    assert place.startswith("length (NumPy array: ")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(width=32) | st.text(max_size=3),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=2), below, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(document=_VALUES, other=_VALUES)
def test_the_path_leads_to_values_that_differ(document: object, other: object) -> None:
    """Both sides of a divergence are what really stands there."""
    place, cold, warm, _ = _found(json.dumps(document).encode(), json.dumps(other).encode())
    if not place.startswith("$"):
        assert json.dumps(document, sort_keys=True) == json.dumps(other, sort_keys=True)
    else:
        assert cold != warm


@settings(deadline=None)
@given(values=st.lists(st.floats(), min_size=1, max_size=30), data=st.data())
def test_the_first_element_that_differs_is_named_in_every_format(values: list[float], data: st.DataObject) -> None:
    """A model is debugged from the first wrong value on; a later one misleads."""
    changed = list(values)
    for index in data.draw(st.sets(st.integers(0, len(values) - 1), min_size=1)):
        changed[index] = data.draw(st.floats().filter(lambda value, was=values[index]: _bits(value) != _bits(was)))
    first = next(at for at, pair in enumerate(zip(values, changed, strict=True)) if _bits(pair[0]) != _bits(pair[1]))
    tables = [pa.table({"x": pa.array(each, pa.float64())}) for each in (values, changed)]
    for write, place in ((_stream, f"row {first}, column x"), (_file, f"row {first}, column x")):
        assert _found(*map(write, tables))[0] == place
    assert _found(_npy(values), _npy(changed))[0] == f"[{first}]"
    ulps = _found(_npy(values), _npy(changed))[3]
    both_finite = math.isfinite(values[first]) and math.isfinite(changed[first])
    assert (ulps is not None) == both_finite


def _bits(value: float) -> bytes:
    return struct.pack(">d", value)


@settings(deadline=None)
@given(text=st.text(st.sampled_from("ab é\n"), max_size=30), other=st.text(st.sampled_from("ab é\n"), max_size=30))
def test_line_and_column_count_what_both_texts_share(text: str, other: str) -> None:
    """Editors count lines and characters from 1."""
    place, *_ = _found(text.encode(), other.encode())
    shared = next(
        (at for at, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other))
    )
    if text and other and text != other:
        before = text[:shared]
        assert place == f"line {before.count(chr(10)) + 1}, column {shared - before.rfind(chr(10))}"


@settings(deadline=None)
@given(cold=st.binary(max_size=300), warm=st.binary(max_size=300), start=st.sampled_from([
    b"", b"\x1f\x8b\x08", b"ARROW1\0\0", b"\xff\xff\xff\xff\x10\0\0\0", b"PAR1", b"\x93NUMPY\1\0\x10\0", b"PK\3\4",
    b"[", b"{",
]))  # fmt: skip
def test_any_bytes_give_a_divergence(cold: bytes, warm: bytes, start: bytes) -> None:
    """An experiment of minutes must not end for what it is there to show."""
    _found(start + cold, start + warm)


_SEEDS = [
    _stream(_TABLE, compression="zstd"),
    _file(_TABLE),
    _parquet(_TABLE),
    _npy([[1.0, 2.0]]),
    _npz(a=[1], b=["x"]),
]


@settings(max_examples=200, deadline=None)
@given(seed=st.sampled_from(_SEEDS), data=st.data())
def test_files_with_wrong_bytes_give_a_divergence(seed: bytes, data: st.DataObject) -> None:
    """A leak may well be one that corrupts what it writes."""
    broken = bytearray(seed)
    for at, byte in data.draw(st.dictionaries(st.integers(0, len(seed) - 1), st.integers(0, 255), max_size=4)).items():
        broken[at] = byte
    cut = data.draw(st.integers(0, len(seed)))
    found = _found(seed, bytes(broken[: len(seed) - cut // 8]))
    assert all(len(text) < 400 for text in found[:3])


@pytest.mark.parametrize("width", [16, 32, 64])
@settings(deadline=None)
@given(data=st.data())
def test_a_float_is_spelled_as_no_other_is_and_its_neighbour_is_one_away(width: int, data: st.DataObject) -> None:
    """Two values that differ must not be shown as the same text."""
    bits = data.draw(st.integers(0, (1 << width) - 2))
    assert spelled(bits, width) != spelled(bits + 1, width)
    if distance(bits, bits + 1, width) is not None:
        assert distance(bits, bits + 1, width) == 1
    assert distance(bits, bits + 1, width) == distance(bits + 1, bits, width)


def test_it_takes_no_second_for_a_hundred_megabytes() -> None:
    """A divergence is shown for each victim, and outputs may be large."""
    cold = b"\0" * (1 << 26)
    warm = cold[:-1] + b"\1"
    assert first_divergence("raw", cold, warm) == Divergence("raw", f"byte {(1 << 26) - 1}", "00", "01")
