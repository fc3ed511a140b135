"""Tells by the look of its bytes whether parsing a source may take much more memory and time than its size suggests.

Measured on CPython 3.11 to 3.13: a syntax tree takes up to 900 bytes and 3 microseconds for each byte of source, so the
size decides; a dotted import or an f-string takes the square of the number of its parts, so their marks are counted;
so does a name of the combining marks in it, which are sorted: 240 KB of them take 20 s.
"""

import re
from collections.abc import Callable

__all__ = ["MAX_PLAIN_BYTES", "Trial", "may_be_costly"]

MAX_PLAIN_BYTES = 256 * 1024
_MAX_MARKS = 10_000
_LONG_FOREIGN_WORD = rb"[\x80-\xff]{2048}"

Trial = Callable[[bytes], str | None]
"""Tries to parse a source elsewhere and returns why that cannot be done within limits, None if it can."""


def may_be_costly(data: bytes) -> bool:
    """Whether parsing `data` may take more than 250 MB or a second."""
    if len(data) > MAX_PLAIN_BYTES or data.count(b".") > _MAX_MARKS or data.count(b"{") > _MAX_MARKS:
        return True
    return not data.isascii() and re.search(_LONG_FOREIGN_WORD, data) is not None
