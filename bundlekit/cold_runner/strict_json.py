"""JSON as the runner reads and writes it: what RFC 8259 leaves open is refused, and there is one canonical form.

See: RFC 8259 sections 4 (unique names), 6 (numbers) and 8 (UTF-8, no byte order mark); HOSTILE_CORPUS F.
"""

import json
import math
from functools import cache
from typing import TypeAlias

__all__ = ["MAX_DEPTH", "JsonTooLargeError", "JsonValue", "StrictJsonError", "dumps", "loads"]

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

MAX_DEPTH = 200
"""Nesting that every interpreter in use can read back, from JSON and from marshal."""

_BOM = b"\xef\xbb\xbf"


class StrictJsonError(ValueError):
    """A text that is no strict JSON document; the message says what and, if known, where."""


class JsonTooLargeError(StrictJsonError):
    """A text above the stated number of bytes."""


def loads(data: bytes | bytearray | str, *, max_bytes: int | None = None) -> JsonValue:
    """Return the one JSON document in `data`.

    Integers keep all digits up to the interpreter's own limit; 1, 1.0 and true stay different.

    Raises:
        JsonTooLargeError: `data` is longer than `max_bytes`.
        StrictJsonError: it is not UTF-8, starts with a byte order mark, is malformed, deeper than MAX_DEPTH, or holds
            NaN, an infinity, a number that overflows to one, a duplicate key or a lone surrogate.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if max_bytes is not None and len(data) > max_bytes:
        msg = f"expected at most {max_bytes} bytes of JSON, found {len(data)}"
        raise JsonTooLargeError(msg)
    if data.startswith(_BOM):
        raise StrictJsonError("expected JSON, found a byte order mark before it")
    try:
        value: JsonValue = _decoder().decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        msg = f"expected UTF-8, found the byte 0x{data[error.start]:02x} at offset {error.start}"
        raise StrictJsonError(msg) from None
    except json.JSONDecodeError as error:
        msg = f"expected one JSON document, found {error.msg!r} at line {error.lineno}, column {error.colno}"
        raise StrictJsonError(msg) from None
    except RecursionError:
        raise _too_deep() from None
    except StrictJsonError:
        raise
    except ValueError as error:
        # An integer with more digits than sys.get_int_max_str_digits().
        msg = f"expected a number that Python converts, found one that it refuses: {error}"
        raise StrictJsonError(msg) from None
    _check(value, escapes=b"\\u" in data)
    return value


def dumps(value: object) -> str:
    """Return `value` in canonical form: keys sorted by code point, no spaces, non-ASCII kept, floats as their repr.

    Raises:
        ValueError: a number is not finite.
        TypeError: something in it is no JSON value.
    """
    return _encoder().encode(value)


@cache
def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_constant)


@cache
def _encoder() -> json.JSONEncoder:
    return json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"expected each key once in an object, found {twice!r:.100} twice"
        raise StrictJsonError(msg)
    return found


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        msg = f"expected numbers that a double can hold, found {text:.40}"
        raise StrictJsonError(msg)
    return number


def _constant(name: str) -> float:
    msg = f"expected finite numbers, found {name}"
    raise StrictJsonError(msg)


def _check(value: JsonValue, *, escapes: bool) -> None:
    level: list[JsonValue] = [value]
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return
        below: list[JsonValue] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
                if escapes:
                    below.extend(each)
            elif isinstance(each, list):
                below.extend(each)
            elif escapes and isinstance(each, str):
                _check_surrogates(each)
        level = below
    raise _too_deep()


def _check_surrogates(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        msg = f"expected Unicode text, found the lone surrogate {text[error.start]!a} in a string"
        raise StrictJsonError(msg) from None


def _too_deep() -> StrictJsonError:
    return StrictJsonError(f"expected at most {MAX_DEPTH} levels of nesting, found more")
