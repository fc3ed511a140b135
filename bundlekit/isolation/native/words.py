"""Words of 64 bits in the bytes of another process, and which of them may be addresses."""

import re
import struct
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["pointer_numbers", "pointer_pattern", "words_of"]

_WORD = 8
_PAGE = 4096
_TOP_BYTE, _HIGHEST_TOP = 5, 0xFF
_NOTHING = re.compile(b"(?!)")


def pointer_pattern(ranges: Iterable[tuple[int, int]]) -> re.Pattern[bytes]:
    """Return what finds the upper end of addresses in `ranges`: of what programs compute with, little looks like it."""
    tops = {top for start, end in ranges for top in range(start >> 40, (end >> 40) + 1) if top <= _HIGHEST_TOP}
    return re.compile(b"[%b]\0\0" % b"".join(b"\\x%02x" % top for top in sorted(tops))) if tops else _NOTHING


def pointer_numbers(pattern: re.Pattern[bytes], data: bytes) -> Iterator[int]:
    """Yield the numbers of the words in `data` that may be addresses of those ranges, in order."""
    for start in range(0, len(data), _PAGE):
        page = data[start : start + _PAGE]
        # Large arrays are mostly zero, and looking for anything in them takes a hundred times as long.
        if page.count(0) < len(page):
            for match in pattern.finditer(page):
                number, offset = divmod(match.start(), _WORD)
                if offset == _TOP_BYTE:
                    yield start // _WORD + number


def words_of(data: bytes) -> Sequence[int]:
    """Return the words of 64 bits in `data`, without what is left at its end."""
    return struct.unpack_from(f"<{len(data) // _WORD}Q", data)
