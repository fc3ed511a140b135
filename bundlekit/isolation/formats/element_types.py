"""Types of the elements of NumPy's files: their descriptions, parsed without NumPy, and elements as text.

See: NumPy, "A simple file format for NumPy arrays" (NEP 1), and "The array interface protocol".
"""

import math
import re
import struct
import sys
from typing import Literal, NamedTuple

from bundlekit.isolation.formats.difference import UnreadableError
from bundlekit.isolation.formats.floats import distance, spelled

__all__ = ["Field", "element_text", "element_ulps", "fields_of", "type_text"]

_SIMPLE = re.compile(r"([<>|=]?)([biufcSUVmM])([0-9]{1,9})(?:\[[^\]]{1,20}\])?")
_MAX_DEPTH, _MAX_FIELDS, _MAX_ITEM_BYTES = 8, 1000, 1 << 20
_SHOWN_BYTES = 16
_CHARACTER_BYTES = 4


class Field(NamedTuple):
    """One scalar in an element, and where it is in it; `name` is empty for elements of one scalar.

    `kind` is NumPy's letter; `repeats` counts scalars that stand one after the other. Padding holds no value.
    """

    name: str
    kind: str
    order: Literal["little", "big"]
    offset: int
    size: int
    repeats: int = 1
    is_padding: bool = False

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.offset + self.size * self.repeats

    def part(self, number: int) -> "Field":
        """Return one of the scalars that stand one after the other."""
        if self.repeats == 1:
            return self
        name = f"{self.name}[{number}]"
        return self._replace(name=name, offset=self.offset + number * self.size, repeats=1)


def fields_of(description: object) -> tuple[Field, ...]:
    """Return the scalars of the type that ``descr`` describes, in their order.

    Raises:
        UnreadableError: it describes none, or objects, which only Python's pickle could read.
    """
    found = list[Field]()
    _add_fields(found, description, "", 0)
    if not found or not 0 < found[-1].end <= _MAX_ITEM_BYTES:
        raise UnreadableError("elements of no size, or a very large one")
    return tuple(found)


def type_text(description: object) -> str:
    """Return the type in NumPy's words where it is a usual one, else its description."""
    match = _SIMPLE.fullmatch(description) if isinstance(description, str) else None
    if match is None:
        return str(description)
    order, kind, size = match.group(1), match.group(2), int(match.group(3))
    names = {"f": "float", "i": "int", "u": "uint", "c": "complex"}
    name = f"{names[kind]}{8 * size}" if kind in names else "bool" if kind == "b" else str(description)
    return f"{name} (big-endian)" if order == ">" and kind in names and size > 1 else name


def element_text(field: Field, data: bytes) -> str:
    """Return the scalar in `data`."""
    match field.kind:
        case "b" | "i" | "u" | "m" | "M":
            if field.kind == "b" and data in {b"\0", b"\1"}:
                return str(data == b"\1")
            return str(int.from_bytes(data, field.order, signed=field.kind in "imM"))
        case "f" if field.size in {2, 4, 8}:
            return spelled(_bits(field, data), 8 * field.size)
        case "c" if field.size in {8, 16}:
            half = field._replace(kind="f", size=field.size // 2)
            parts = [element_text(half, each) for each in (data[: half.size], data[half.size :])]
            return f"{parts[0]} + {parts[1]}j"
        case "S":
            return ascii(data.rstrip(b"\0"))[1:]
        case "U":
            return _characters(field, data)
        case _:
            return f"bytes {data[:_SHOWN_BYTES].hex(' ')}"


def element_ulps(field: Field, cold: bytes, warm: bytes) -> int | None:
    """Return how far apart two scalars are that are floating point numbers."""
    if field.kind != "f" or field.size not in {2, 4, 8}:
        return None
    return distance(_bits(field, cold), _bits(field, warm), 8 * field.size)


def _add_fields(found: list[Field], description: object, name: str, depth: int) -> None:
    start = found[-1].end if found else 0
    if isinstance(description, str):
        match = _SIMPLE.fullmatch(description)
        if match is None:
            raise UnreadableError(f"elements of the type {description[:40]!r}")
        size = int(match.group(3)) * (_CHARACTER_BYTES if match.group(2) == "U" else 1)
        order: Literal["little", "big"] = (
            "big" if match.group(1) == ">" or (match.group(1) == "=" and sys.byteorder == "big") else "little"
        )
        found.append(Field(name, match.group(2), order, start, size))
        return
    if (
        not isinstance(description, list)
        or not description
        or depth >= _MAX_DEPTH
        or len(found) + len(description) > _MAX_FIELDS
    ):
        raise UnreadableError("elements of a type that is none of NumPy's")
    for each in description:
        own, below, shape = _parted(each)
        _add_part(found, below, f"{name}.{own}" if name and own else own, shape, depth)


def _add_part(found: list[Field], description: object, name: str, shape: tuple[int, ...], depth: int) -> None:
    """Add the fields of an array in a field: of scalars as one with repeats, of records one after the other."""
    count = math.prod(shape)
    if count > _MAX_ITEM_BYTES:
        raise UnreadableError("elements of a very large size")
    if isinstance(description, str):
        _add_fields(found, description, name, depth + 1)
        found[-1] = found[-1]._replace(repeats=count, is_padding=not name and found[-1].kind == "V")
        return
    for index in range(count):
        if len(found) > _MAX_FIELDS:
            raise UnreadableError("elements of more fields than are looked at")
        _add_fields(found, description, f"{name}[{index}]" if shape else name, depth + 1)


def _parted(part: object) -> tuple[str, object, tuple[int, ...]]:
    if isinstance(part, tuple) and len(part) in {2, 3}:
        name = part[0][-1] if isinstance(part[0], tuple) and part[0] else part[0]
        shape = part[2] if len(part) > 2 else ()  # noqa: PLR2004 - name, type, shape
        shape = (shape,) if isinstance(shape, int) else shape
        if isinstance(name, str) and isinstance(shape, tuple):
            numbers = tuple(each for each in shape if isinstance(each, int) and 0 <= each <= _MAX_ITEM_BYTES)
            if len(numbers) == len(shape) <= _MAX_DEPTH:
                return name, part[1], numbers
    raise UnreadableError("elements of a type that is none of NumPy's")


def _bits(field: Field, data: bytes) -> int:
    return int.from_bytes(data, field.order)


def _characters(field: Field, data: bytes) -> str:
    codes = struct.unpack(f"{'>' if field.order == 'big' else '<'}{len(data) // _CHARACTER_BYTES}I", data)
    text = "".join(chr(code) if code < 0x110000 else "?" for code in codes)  # noqa: PLR2004 - Unicode
    return ascii(text.rstrip("\0"))
