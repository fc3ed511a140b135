"""Bytes and lines of text, compared where they are: nothing is decoded but what is shown."""

import codecs
import csv

from bundlekit.isolation.formats.difference import (
    Difference,
    UnreadableError,
    first_differing,
    in_both,
    shown,
    shown_pair,
)
from bundlekit.isolation.formats.documents import differing_json
from bundlekit.isolation.formats.floats import distance_of_texts

__all__ = ["differing_bytes", "differing_text", "is_text"]

_LOOKED_AT = 1 << 16
_MAX_LINE = 1 << 16
_SHOWN_BYTES = 8
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\f\r")
_DELIMITERS = ",\t;|"
_NOTHING = "nothing (its end)"


def is_text(data: bytes) -> bool:
    """Whether `data` begins as text in UTF-8."""
    beginning = data[:_LOOKED_AT]
    if _CONTROLS.intersection(beginning):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning, final=len(data) <= _LOOKED_AT)
    except UnicodeDecodeError:
        return False
    return True


def differing_bytes(cold: bytes, warm: bytes) -> Difference | None:
    """Return the first byte that differs, with those that follow it; offsets count from 0."""
    at = first_differing(cold, warm)
    if at is None:
        return None
    if at == min(len(cold), len(warm)):
        return Difference("length", _sized(cold), _sized(warm))
    return Difference(f"byte {at}", *in_both(lambda data: _hex(data, at), cold, warm))


def differing_text(cold: bytes, warm: bytes) -> Difference | None:
    """Return the first line and column that differ, counted from 1; a cell of a table with a header by its column."""
    at = first_differing(cold, warm)
    if at is None:
        return None
    at_an_end = b"\r" in cold[at : at + 1] + warm[at : at + 1]
    if at_an_end and cold.replace(b"\r\n", b"\n") == warm.replace(b"\r\n", b"\n"):
        return Difference("ends of lines; the text is equal", *in_both(_line_ends, cold, warm))
    while at > 0 and any(data[at : at + 1] and data[at] & 0xC0 == 0x80 for data in (cold, warm)):  # noqa: PLR2004 - UTF-8
        at -= 1
    start = cold.rfind(b"\n", 0, at) + 1
    line = cold.count(b"\n", 0, start) + 1
    found = _in_json_lines(cold, warm, start) or (_cell(cold, warm, start) if line > 1 else None)
    if found is not None:
        return found._replace(place=f"line {line}, {found.place}")
    column = len(cold[start:at].decode("utf-8", "replace")) + 1
    words = in_both(lambda data: _word(data, start, at), cold, warm)
    ulps = distance_of_texts(*words)
    shown_ends = words if ulps is not None else in_both(lambda data: _rest(data, at), cold, warm)
    return Difference(f"line {line}, column {column}", *shown_ends, ulps)


def _sized(data: bytes) -> str:
    return "1 byte" if len(data) == 1 else f"{len(data)} bytes"


def _hex(data: bytes, at: int) -> str:
    return data[at : at + _SHOWN_BYTES].hex(" ")


def _line_ends(data: bytes) -> str:
    crlf = data.count(b"\r\n")
    lf = data.count(b"\n") - crlf
    return f"{crlf} CRLF, {lf} LF"


def _rest(data: bytes, at: int) -> str:
    if at >= len(data):
        return _NOTHING
    end = data.find(b"\n", at)
    rest = data[at : end + 1 if end == at else (end if end >= 0 else len(data))]
    return shown(rest[: 4 * _SHOWN_BYTES * _SHOWN_BYTES].decode("utf-8", "replace"))


def _word(data: bytes, start: int, at: int) -> str:
    """Return the word around the offset `at` of a line that starts at `start`."""
    before = data[max(start, at - 40) : at].decode("utf-8", "replace")
    after = data[at : at + 40].decode("utf-8", "replace")
    if after[:1].isspace():
        after = ""
    words = (before + after).split()
    inside = len(before.split()) - (0 if before[-1:].isspace() or not before else 1)
    return words[inside] if inside < len(words) else ""


def _in_json_lines(cold: bytes, warm: bytes, start: int) -> Difference | None:
    """Return the difference of two lines that are documents of their own."""
    if cold[start : start + 1] not in {b"{", b"["}:
        return None
    try:
        return differing_json(_line(cold, start), _line(warm, start))
    except UnreadableError:
        return None


def _cell(cold: bytes, warm: bytes, start: int) -> Difference | None:
    header = cold[: max(0, cold.find(b"\n"))]
    delimiter = max(_DELIMITERS, key=lambda each: header.count(each.encode()))
    names, *rows = (_cells(data, delimiter) for data in (header, _line(cold, start), _line(warm, start)))
    if len(names) < 2 or any(len(row) != len(names) for row in rows):  # noqa: PLR2004 - a table has columns
        return None
    for position, (name, before, after) in enumerate(zip(names, *rows, strict=True), start=1):
        if before != after:
            column = f"column {shown(name)}" if name.strip() and names.count(name) == 1 else f"column {position}"
            return Difference(column, *shown_pair(before, after), distance_of_texts(before, after))
    return None


def _line(data: bytes, start: int) -> bytes:
    end = data.find(b"\n", start)
    return data[start : end if end >= 0 else len(data)]


def _cells(line: bytes, delimiter: str) -> list[str]:
    if len(line) > _MAX_LINE:
        return []
    try:
        return next(csv.reader([line.decode("utf-8", "replace").rstrip("\r")], delimiter=delimiter), [])
    except csv.Error:
        return []
