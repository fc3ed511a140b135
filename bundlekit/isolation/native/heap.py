"""What hangs on the variables of a library: memory that words in them point to, as far as its extent is certain.

A word counts as a pointer where it is the address of a block that the C library's allocator handed out: the header
before it has to be one, and so has that of the next block. Where three words are the begin, the end and the end of the
room of one block, it is a vector, whose elements count and whose spare room does not; a string likewise. Python objects
are passed over, because those change with each reference to them.
See: malloc/malloc.c of glibc, "Chunks"; the Itanium C++ ABI for libstdc++'s containers.
"""

import re
import struct
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from bundlekit.isolation.native.memory import Mapping, ProcessMemory

__all__ = ["SEARCHED_BYTES", "Block", "Heap", "Shape", "pointer_numbers", "pointer_pattern", "shape_at", "words_of"]

_WORD = 8
_PAGE = 4096
_SMALLEST_CHUNK = 32
_LARGEST_CHUNK = 1 << 30
_IN_USE, _MAPPED, _FLAGS = 1, 2, 7
_SLACK = 4 * _WORD
"""How much larger a block can be than what was asked for."""

_MOST_BLOCKS = 20_000
_MOST_BYTES = 1 << 26
SEARCHED_BYTES = 1 << 16
"""Larger blocks are arrays of numbers: they are compared, and not searched for pointers."""

_TOP_BYTE, _HIGHEST_TOP = 5, 0xFF
_NOTHING = re.compile(b"(?!)")
_TYPE_NAME = 3
_TYPE_OF_TYPES = b"type\0"
_MOST_METATYPES = 4


class Shape(StrEnum):
    """What a word and those after it are taken for, in the words of a report."""

    POINTER = "a pointer"
    VECTOR = "a vector"
    STRING = "a string"


class Block(NamedTuple):
    """Memory that was allocated as one, of `room` bytes; `data` is what counts of it, by what it is taken for."""

    data: bytes
    room: int
    shape: Shape


class Heap:
    """Finds the blocks that can be reached in one process at one time; those found are in :attr:`blocks` by address.

    `is_complete` is False where a limit ended the search.
    """

    def __init__(self, memory: ProcessMemory, mappings: Iterable[Mapping]) -> None:
        self.blocks: dict[int, Block] = {}
        self.is_complete = True
        self._memory = memory
        ranges = [(each.start, each.end) for each in mappings if each.is_writable and each.path in {"", "[heap]"}]
        self._pattern = pointer_pattern(ranges)
        self._bytes = 0
        self._types: dict[int, bool] = {}

    def reach(self, data: bytes) -> None:
        """Add the blocks that words in `data` point to, and those that words in these do, as far as the limits go."""
        pending = deque([data])
        while pending:
            data = pending.popleft()
            for number in pointer_numbers(self._pattern, data):
                words = words_of(data[number * _WORD : (number + 3) * _WORD])
                block = None if words[0] & 0xF or words[0] in self.blocks else self._block(words)
                if block is None:
                    continue
                if len(self.blocks) >= _MOST_BLOCKS or self._bytes + len(block.data) > _MOST_BYTES:
                    self.is_complete = False
                    return
                self.blocks[words[0]] = block
                self._bytes += len(block.data)
                if len(block.data) <= SEARCHED_BYTES:
                    pending.append(block.data)

    def _block(self, words: Sequence[int]) -> Block | None:
        """Return the block that the first of `words` points to, None where it points to none."""
        address = words[0]
        room = self._room(address)
        if not room or self._is_python_object(address):
            return None
        shape = shape_at(words, 0, room)
        size = room
        if shape is Shape.VECTOR:
            size = words[1] - address
        elif shape is Shape.STRING:
            size = words[1]
        return Block(self._memory.read(address, size), room, shape)

    def _room(self, address: int) -> int:
        """Return how many bytes the allocator gave away at `address`, 0 where it gave none."""
        header = self._memory.words(address - _WORD, 1)
        if not header:
            return 0
        size, flags = header[0] & ~_FLAGS, header[0] & _FLAGS
        if not _SMALLEST_CHUNK <= size <= _LARGEST_CHUNK or size % 16:
            return 0
        if flags == _MAPPED:
            is_whole = not size % _PAGE and address % _PAGE == 2 * _WORD
            return size - 2 * _WORD if is_whole else 0
        following = self._memory.words(address + size - _WORD, 1)
        if flags & _MAPPED or not following or not following[0] & _IN_USE or following[0] & ~_FLAGS > _LARGEST_CHUNK:
            return 0
        return size - _WORD

    def _is_python_object(self, address: int) -> bool:
        """Whether what is there has a type whose type's type, at last, is itself and is called so."""
        kinds: list[int] = []
        known: bool | None = None
        for _ in range(_MOST_METATYPES):
            words = self._memory.words(address, 2)
            kind = words[1] if words else 0
            if not kind or kind % _WORD:
                known = False
            elif kind == address:
                name = self._memory.words(address + _TYPE_NAME * _WORD, 1)
                known = bool(name) and self._memory.read(name[0], len(_TYPE_OF_TYPES)) == _TYPE_OF_TYPES
            else:
                known = self._types.get(kind)
                kinds.append(kind)
            if known is not None:
                break
            address = kind
        self._types.update(dict.fromkeys(kinds, bool(known)))
        return bool(known)


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


def shape_at(words: Sequence[int], number: int, room: int) -> Shape:
    """Return what the word of that number, which points to a block of `room` bytes, and those after it are."""
    if number + 2 < len(words):
        begin, second, third = words[number : number + 3]
        if begin <= second <= third and 0 < third - begin <= room < third - begin + _SLACK:
            return Shape.VECTOR
        if second <= third < room <= third + _SLACK:
            return Shape.STRING
    return Shape.POINTER
