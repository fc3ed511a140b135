"""NumPy's ``.npy`` and ``.npz``, compared by value. Neither needs NumPy, and nothing in them is unpickled.

See: NumPy, "A simple file format for NumPy arrays" (NEP 1).
"""

import ast
import io
import math
import zipfile
import zlib
from typing import NamedTuple

from bundlekit.isolation.formats.difference import (
    Difference,
    UnreadableError,
    first_differing,
    in_both,
    read_both,
    shown,
    shown_pair,
)
from bundlekit.isolation.formats.element_types import Field, element_text, element_ulps, fields_of, type_text
from bundlekit.isolation.formats.plain import differing_bytes

__all__ = ["MAGIC", "differing_npy", "differing_npz"]

MAGIC = b"\x93NUMPY"
_MAX_HEADER = 1 << 16
_MAX_DIMENSIONS = 64
_MAX_REORDERED = 1 << 20
"""Elements that are looked up one by one, where one array is in rows and the other in columns."""
_MAX_PADDING = 1 << 12
_MAX_MEMBERS = 10_000
_MAX_UNPACKED = 1 << 28
_BAD_ZIP = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError, KeyError)


class _Array(NamedTuple):
    description: object
    fields: tuple[Field, ...]
    shape: tuple[int, ...]
    is_fortran: bool
    data: memoryview

    @property
    def item_bytes(self) -> int:
        return self.fields[-1].end

    def scalar(self, index: int, part: Field) -> bytes:
        start = index * self.item_bytes + part.offset
        return bytes(self.data[start : start + part.size])

    def place(self, index: int) -> str:
        return f"[{', '.join(map(str, _unravelled(index, self.shape, is_fortran=self.is_fortran)))}]"


def differing_npy(cold: bytes, warm: bytes) -> Difference | None:
    """Return the first element that differs, in the order in memory; indices count from 0.

    Raises:
        UnreadableError: one of both is no such file, or holds Python objects.
    """
    before, after = read_both(_array, cold, warm)
    if before.description != after.description:
        return Difference(
            "type of the elements", *shown_pair(type_text(before.description), type_text(after.description))
        )
    if before.shape != after.shape:
        return Difference("shape", shown(str(before.shape)), shown(str(after.shape)))
    if before.is_fortran != after.is_fortran and len(before.shape) > 1:
        return _differing_by_index(before, after)
    return _differing_in_place(before, after)


def differing_npz(cold: bytes, warm: bytes) -> Difference | None:
    """Return the first difference of two zip archives: of their arrays, or else of the bytes of their members.

    Raises:
        UnreadableError: one of both is no archive that can be read, or unpacks to very much.
    """
    before, after = read_both(_members, cold, warm)
    names = list(before) if list(before) == list(after) else sorted({*before, *after})
    for name in names:
        ends = before.get(name), after.get(name)
        if ends[0] is None or ends[1] is None:
            return Difference(f"member {shown(name)}", *in_both(_presence, *ends))
        found = _differing_members(ends[0], ends[1]) if ends[0] != ends[1] else None
        if found is not None:
            return found._replace(place=f"{shown(name)}: {found.place}")
    return None


def _presence(member: bytes | None) -> str:
    return "nothing" if member is None else f"{len(member)} bytes"


def _differing_members(cold: bytes, warm: bytes) -> Difference | None:
    if cold.startswith(MAGIC) and warm.startswith(MAGIC):
        try:
            return differing_npy(cold, warm)
        except UnreadableError:
            return differing_bytes(cold, warm)
    return differing_bytes(cold, warm)


def _array(data: bytes) -> _Array:
    header, start = _header(data)
    try:
        found = ast.literal_eval(header)
        description, is_fortran, shape = found["descr"], found["fortran_order"], found["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise UnreadableError("a header that is none of NumPy's") from None
    if not isinstance(shape, tuple) or not all(isinstance(each, int) and 0 <= each < 1 << 63 for each in shape):
        raise UnreadableError("a shape that is none")
    if len(shape) > _MAX_DIMENSIONS:
        raise UnreadableError("more dimensions than NumPy has")
    fields = fields_of(description)
    view = memoryview(data)[start:]
    size = math.prod(shape) * fields[-1].end
    if size != len(view):
        raise UnreadableError(f"expected {size} bytes of elements, found {len(view)}")
    return _Array(description, fields, shape, bool(is_fortran), view)


def _header(data: bytes) -> tuple[str, int]:
    wide = data[len(MAGIC) : len(MAGIC) + 1] != b"\1"
    start = len(MAGIC) + 2 + (4 if wide else 2)
    length = int.from_bytes(data[len(MAGIC) + 2 : start], "little")
    if length > _MAX_HEADER or start + length > len(data):
        raise UnreadableError("a header that is not complete")
    # version 3 has UTF-8, versions 1 and 2 have Latin-1, and in both a usual header is ASCII
    return data[start : start + length].decode("utf-8", "replace").strip(), start + length


def _differing_in_place(before: _Array, after: _Array) -> Difference | None:
    start = 0
    for _ in range(_MAX_PADDING):
        at = first_differing(before.data, after.data, start)
        if at is None:
            return None
        index, inside = divmod(at, before.item_bytes)
        field = next(each for each in before.fields if inside < each.end)
        if not field.is_padding:
            scalar = field.part((inside - field.offset) // field.size)
            return _difference(before.place(index), scalar, before.scalar(index, scalar), after.scalar(index, scalar))
        start = index * before.item_bytes + field.end
    raise UnreadableError("much between the fields that differs")


def _differing_by_index(before: _Array, after: _Array) -> Difference | None:
    count = math.prod(before.shape)
    if count > _MAX_REORDERED:
        return Difference("order in memory", *in_both(_order, before, after))
    scalars = [field.part(at) for field in before.fields if not field.is_padding for at in range(field.repeats)]
    in_rows = before._replace(is_fortran=False)
    for index in range(count):
        # Both are contiguous, one by rows and the other by columns.
        columns = _ravelled(_unravelled(index, before.shape, is_fortran=False), before.shape)
        places = [columns if each.is_fortran else index for each in (before, after)]
        for scalar in scalars:
            ends = before.scalar(places[0], scalar), after.scalar(places[1], scalar)
            if ends[0] != ends[1]:
                return _difference(in_rows.place(index), scalar, *ends)
    return None


def _difference(place: str, scalar: Field, cold: bytes, warm: bytes) -> Difference:
    if scalar.name:
        place += f", field {shown(scalar.name)}"
    texts = shown_pair(element_text(scalar, cold), element_text(scalar, warm))
    return Difference(place, *texts, element_ulps(scalar, cold, warm))


def _order(array: _Array) -> str:
    return "Fortran" if array.is_fortran else "C"


def _unravelled(index: int, shape: tuple[int, ...], *, is_fortran: bool) -> tuple[int, ...]:
    indices = []
    for length in shape if is_fortran else reversed(shape):
        index, at = divmod(index, length)
        indices.append(at)
    return tuple(indices if is_fortran else reversed(indices))


def _ravelled(indices: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """Return the place in Fortran's order, in which the first index changes fastest."""
    place = 0
    for at, length in zip(reversed(indices), reversed(shape), strict=True):
        place = place * length + at
    return place


def _members(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            if sum(each.file_size for each in listed) > _MAX_UNPACKED:
                raise UnreadableError(f"an archive of more than {_MAX_UNPACKED >> 20} MiB")
            if len(listed) > _MAX_MEMBERS:
                raise UnreadableError(f"an archive of more than {_MAX_MEMBERS} members")
            left, found = _MAX_UNPACKED, dict[str, bytes]()
            for each in listed:
                if each.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                    raise UnreadableError("an archive with a compression that NumPy does not use")
                with archive.open(each) as member:
                    found[each.filename] = member.read(left + 1)
                left -= len(found[each.filename])
                if left < 0:
                    raise UnreadableError(f"an archive of more than {_MAX_UNPACKED >> 20} MiB")
    except _BAD_ZIP as error:
        raise UnreadableError(f"no archive: {shown(str(error))}") from None
    return found
