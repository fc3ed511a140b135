"""What hangs on the variables of a library: memory that words in them point to, as far as its extent is certain.

A word counts as a pointer where it is the address of a block that the C library's allocator handed out: the header
before it has to be one, and so has that of the next block. Where three words are the begin, the end and the end of the
room of one block, it is a vector, whose elements count and whose spare room does not; a string likewise. Python objects
are passed over, because those change with each reference to them.
See: malloc/malloc.c of glibc, "Chunks"; the Itanium C++ ABI for libstdc++'s containers.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from bundlekit.isolation.native.memory import Mapping, ProcessMemory
from bundlekit.isolation.native.python_objects import PythonObjects
from bundlekit.isolation.native.words import pointer_numbers, pointer_pattern, words_of

__all__ = ["SEARCHED_BYTES", "Block", "Heap", "Shape", "shape_at"]

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

    def __init__(self, memory: ProcessMemory, mappings: Iterable[Mapping], objects: PythonObjects) -> None:
        self.blocks: dict[int, Block] = {}
        self.is_complete = True
        self._memory, self._objects = memory, objects
        ranges = [(each.start, each.end) for each in mappings if each.is_writable and each.path in {"", "[heap]"}]
        self._pattern = pointer_pattern(ranges)
        self._bytes = 0

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
        if not room or self._objects.is_object(address):
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


def shape_at(words: Sequence[int], number: int, room: int) -> Shape:
    """Return what the word of that number, which points to a block of `room` bytes, and those after it are."""
    if number + 2 < len(words):
        begin, second, third = words[number : number + 3]
        if begin <= second <= third and 0 < third - begin <= room < third - begin + _SLACK:
            return Shape.VECTOR
        if second <= third < room <= third + _SLACK:
            return Shape.STRING
    return Shape.POINTER
