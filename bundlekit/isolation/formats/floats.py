"""Floating point numbers by their bits: as text, and how far apart two of one type are.

See: IEEE 754, binary16, binary32 and binary64.
"""

import math
import re
import struct

__all__ = ["bits_of", "distance", "distance_of_texts", "spelled"]

_CODES = {16: "e", 32: "f", 64: "d"}
_EXPONENT_BITS = {16: 5, 32: 8, 64: 11}
_MAX_DIGITS = {16: 5, 32: 9}
_WRITTEN_AS_FLOAT = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?")


def bits_of(value: float) -> int:
    """Return the 64 bits of `value`."""
    return int.from_bytes(struct.pack(">d", value), "big")


def spelled(bits: int, width: int) -> str:
    """Return the shortest text that is the number of these bits and no other; a NaN tells its payload if it has one."""
    value = float(struct.unpack(f">{_CODES[width]}", bits.to_bytes(width // 8, "big"))[0])
    if math.isnan(value):
        return _spelled_nan(bits, width)
    if width == 64 or math.isinf(value):  # noqa: PLR2004 - a Python float
        return repr(value)
    for digits in range(1, _MAX_DIGITS[width]):
        text = f"{value:.{digits}g}"
        if _packed(float(text), width) == bits:
            return repr(float(text))
    return repr(float(f"{value:.{_MAX_DIGITS[width]}g}"))


def distance(cold: int, warm: int, width: int) -> int | None:
    """Return how many units in the last place lie between two finite numbers of one type, None for any others.

    Both zeros are one number, so that 0 is the distance of -0.0 from 0.0.
    """
    places = [_place(bits, width) for bits in (cold, warm)]
    if places[0] is None or places[1] is None:
        return None
    return abs(places[0] - places[1])


def distance_of_texts(cold: str, warm: str) -> int | None:
    """Return the distance of two texts that are written as floating point numbers, read as float64; else None."""
    if _WRITTEN_AS_FLOAT.fullmatch(cold.strip()) and _WRITTEN_AS_FLOAT.fullmatch(warm.strip()):
        return distance(bits_of(float(cold)), bits_of(float(warm)), 64)
    return None


def _packed(value: float, width: int) -> int | None:
    try:
        return int.from_bytes(struct.pack(f">{_CODES[width]}", value), "big")
    except OverflowError:
        return None


def _place(bits: int, width: int) -> int | None:
    """Return the number's place in the order of all of its type, None for infinities and NaN."""
    magnitude = bits & ((1 << (width - 1)) - 1)
    if magnitude >= _infinity(width):
        return None
    return -magnitude if bits >> (width - 1) else magnitude


def _infinity(width: int) -> int:
    exponent_bits = _EXPONENT_BITS[width]
    return ((1 << exponent_bits) - 1) << (width - 1 - exponent_bits)


def _spelled_nan(bits: int, width: int) -> str:
    sign = "-" if bits >> (width - 1) else ""
    payload = bits & (_infinity(width) ^ ((1 << (width - 1)) - 1))
    is_usual = payload == 1 << (width - 2 - _EXPONENT_BITS[width])
    return f"{sign}nan" if is_usual else f"{sign}nan (payload {payload:#x})"
