"""JSON with one text for each value, as digests need it: strict to read, canonical to write.

See: RFC 8259; HOSTILE_CORPUS M02.
"""

import json
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from bundlekit.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["JsonValue", "canonical_json", "strict_loads"]

JsonValue: TypeAlias = "bool | int | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
"""No floats: their texts differ between writers."""


def canonical_json(value: JsonValue) -> bytes:
    """Return `value` with sorted keys and no spaces, in UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def strict_loads(data: bytes) -> JsonValue:
    """Return the value of a JSON document.

    Raises:
        ManifestError: not UTF-8, not JSON, a duplicate key, a number with a fraction, NaN, or too deep or long to read.
    """
    try:
        value: JsonValue = json.loads(
            data.decode(), object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float
        )
    except UnicodeDecodeError as error:
        message = f"the manifest is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}"
        raise ManifestError(message, subject=error.start) from error
    except json.JSONDecodeError as error:
        message = f"the manifest is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise ManifestError(message, subject=error.pos) from error
    except RecursionError as error:
        message = "the manifest is nested too deep"
        raise ManifestError(message) from error
    except ValueError as error:
        # The one ValueError left: an integer of more digits than Python converts (sys.get_int_max_str_digits).
        message = "the manifest holds a number with too many digits"
        raise ManifestError(message) from error
    return value


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        message = f"the manifest has the key {twice!r:.100} twice in one object"
        raise ManifestError(message, subject=twice)
    return value


def _no_float(text: str) -> NoReturn:
    message = f"the manifest holds the number {text:.100}, and it may hold only whole ones"
    raise ManifestError(message, subject=text)
