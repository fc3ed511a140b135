"""One variable with all that hangs on it, in a form that does not depend on where the allocator has put things."""

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from bundlekit.isolation.native.heap import SEARCHED_BYTES, Block, Shape, shape_at
from bundlekit.isolation.native.words import pointer_numbers, pointer_pattern, words_of

__all__ = ["Blocks", "Part", "View", "first_difference", "is_same"]

_WORD = 8
_POINTER, _SIZE = 1 << 63, 1 << 62
"""What stands for a pointer, with the number of its block, and for what the block's own data tell: no real values."""

_IN_PLACE = 16
"""Where a short string has its characters: from the string's own start."""
_MOST_PARTS = 5_000
_SLACK = 8
"""The end of a block that may be nobody's; what is there is chance where the block is another one."""


class Part(NamedTuple):
    """The variable's own memory, or a block; `data` has numbers of blocks for pointers."""

    address: int
    data: bytes
    shape: Shape | None


View = tuple[Part, ...]


class Blocks:
    """The blocks of one snapshot, to be found by any address inside."""

    def __init__(self, blocks: Mapping[int, Block]) -> None:
        self._blocks = blocks

    @cached_property
    def _addresses(self) -> list[int]:
        return sorted(self._blocks)

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        return pointer_pattern((address, address + block.room) for address, block in self._blocks.items())

    def pointers_in(self, data: bytes) -> Iterator[int]:
        """Yield the numbers of the words in `data` that point into blocks, or to the end of one."""
        for number in pointer_numbers(self._pattern, data):
            if self.at(struct.unpack_from("<Q", data, number * _WORD)[0]) is not None:
                yield number

    def at(self, word: int) -> tuple[int, Block] | None:
        """Return the block that `word` points into, or to the end of, with its address."""
        addresses = self._addresses
        if not addresses or word < addresses[0]:
            return None
        address = addresses[bisect_right(addresses, word) - 1]
        block = self._blocks[address]
        return (address, block) if word <= address + block.room else None

    def view(self, address: int, data: bytes) -> View:
        """Return a variable at `address` with everything that it reaches, in the order in which it is reached."""
        numbers: dict[int, int] = {}
        pending: list[tuple[int, Block | None]] = [(address, None)]
        parts = []
        for start, block in pending:
            own = data if block is None else block.data
            if len(own) <= SEARCHED_BYTES:
                own = self._settled(start, own, numbers, pending)
            parts.append(Part(start, own, None if block is None else block.shape))
            if len(parts) >= _MOST_PARTS:
                break
        return tuple(parts)

    def _settled(
        self, address: int, data: bytes, numbers: dict[int, int], pending: list[tuple[int, Block | None]]
    ) -> bytes:
        """Return `data` without addresses, and without what no program reads: spare room, the ends of short strings."""
        within = pointer_pattern([(address, address + len(data))])
        numbers_of_words = sorted({*pointer_numbers(self._pattern, data), *pointer_numbers(within, data)})
        if not numbers_of_words:
            return data
        words = words_of(data)
        settled = list(words)
        for number in numbers_of_words:
            word = words[number]
            if word == address + number * _WORD + _IN_PLACE:
                _settle_short_string(settled, number)
                continue
            found = self.at(word) if settled[number] == word else None
            if found is None:
                continue
            start, block = found
            if start not in numbers:
                numbers[start] = len(numbers) + 1
                pending.append((start, block))
            settled[number] = _POINTER | numbers[start] << 32 | (word - start)
            if word == start:
                _settle_container(settled, words, number, block)
        return struct.pack(f"<{len(settled)}Q", *settled) + data[len(words) * _WORD :]


def is_same(one: View, other: View) -> bool:
    """Whether two views say the same of a variable; where a block is may differ, and what is behind its end."""
    return len(one) == len(other) and all(map(_is_same_part, one, other))


def first_difference(one: View, other: View) -> Shape | None:
    """Return by what the first memory hangs on a variable that differs, None where it is the variable's own."""
    differing = (then for before, then in zip(one, other, strict=False) if not _is_same_part(before, then))
    part = next(differing, max(one, other, key=len)[-1])
    return part.shape


def _is_same_part(one: Part, other: Part) -> bool:
    if one.data == other.data:
        return True
    is_elsewhere = one.address != other.address and one.shape is Shape.POINTER
    return is_elsewhere and len(one.data) == len(other.data) and one.data[:-_SLACK] == other.data[:-_SLACK]


def _settle_container(settled: list[int], words: Sequence[int], number: int, block: Block) -> None:
    shape = shape_at(words, number, block.room)
    if shape is not Shape.POINTER:
        settled[number + 1] = settled[number + 2] = _SIZE
    if shape is Shape.STRING and number + 3 < len(words):
        settled[number + 3] = _SIZE


def _settle_short_string(settled: list[int], number: int) -> None:
    """Blank what a string in place has after its end, if it is one."""
    if number + 3 < len(settled) and settled[number + 1] < _IN_PLACE:
        size = settled[number + 1] + 1
        text = struct.pack("<2Q", *settled[number + 2 : number + 4])
        settled[number + 2 : number + 4] = struct.unpack("<2Q", text[:size].ljust(_IN_PLACE, b"\0"))
