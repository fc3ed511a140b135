"""What to write into a process so that one variable is again what it was, without a word of code run there.

A variable without pointers is its bytes. What it points to is written back where the same blocks are still there; a
vector or string that has moved gets its elements back where it is now, if there is room. New blocks are given up, which
leaks memory in a process that is thrown away. Anything else could be memory that was freed, and is left alone.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bundlekit.isolation.native.heap import SEARCHED_BYTES, Block, Shape, shape_at
from bundlekit.isolation.native.snapshot import NativeSnapshot
from bundlekit.isolation.native.view import Blocks
from bundlekit.isolation.native.words import words_of
from bundlekit.model.isolation import NativeChange

__all__ = ["Write", "writes_to_restore"]

_WORD = 8


class Write(NamedTuple):
    """Bytes that belong at an address."""

    address: int
    data: bytes


class _UnrestorableError(Exception):
    """What it was, memory has no place for now."""


def writes_to_restore(cold: NativeSnapshot, now: NativeSnapshot, change: NativeChange) -> tuple[Write, ...] | None:
    """Return what gives the variable of `change` what it had in `cold`, a snapshot of the same process as `now`.

    None where that cannot be done.
    """
    key = change.library, change.section
    before, after = cold.regions.get(key), now.regions.get(key)
    if before is None or after is None:
        return None
    data = before.data[change.offset : change.offset + change.size]
    restoring = _Restoring(cold, now)
    try:
        restoring.restore(after.address + change.offset, data, after.data[change.offset : change.offset + change.size])
    except _UnrestorableError:
        return None
    # A thread that has not yet got its block of thread-local storage has nothing to be written.
    return tuple(restoring.writes) if after.address else ()


class _Restoring:
    def __init__(self, cold: NativeSnapshot, now: NativeSnapshot) -> None:
        self.writes: list[Write] = []
        self._cold, self._now = Blocks(cold.blocks), now.blocks
        self._seen: set[int] = set()

    def restore(self, address: int, cold: bytes, now: bytes) -> None:
        """Add what makes memory at `address` the bytes of `cold`, and with it all that those point to."""
        words, words_now = list(words_of(cold)), words_of(now)
        pending = list(self._pointers(words)) if len(cold) <= SEARCHED_BYTES else []
        for number, start, block in pending:
            there = self._now.get(start)
            if there is not None and there.room == block.room:
                if start not in self._seen:
                    self._seen.add(start)
                    self.restore(start, block.data, there.data)
            elif words[number] == start:
                self._move(words, words_now, number, block)
            else:
                raise _UnrestorableError
        data = struct.pack(f"<{len(words)}Q", *words) + cold[len(words) * _WORD :]
        if data != now:
            self.writes.append(Write(address, data))

    def _pointers(self, words: list[int]) -> Iterable[tuple[int, int, Block]]:
        number = 0
        while number < len(words):
            found = self._cold.at(words[number])
            if found is not None:
                yield number, *found
                # The end of a vector, and of its room, are no pointers of their own.
                is_container = words[number] == found[0] and shape_at(words, number, found[1].room) is not Shape.POINTER
                number += 2 if is_container else 0
            number += 1

    def _move(self, words: list[int], words_now: Sequence[int], number: int, block: Block) -> None:
        """Put the elements that a vector or string had where it has its elements now."""
        shape, end = shape_at(words, number, block.room), number + 3
        there = self._now.get(words_now[number]) if end <= len(words_now) else None
        is_plain = not any(self._pointers([*words_of(block.data)]))
        if shape is Shape.POINTER or there is None or there.shape is not shape or not is_plain:
            raise _UnrestorableError
        start, _, room_end = words_now[number:end]
        room = room_end - start if shape is Shape.VECTOR else room_end
        if len(block.data) > room:
            raise _UnrestorableError
        size = len(block.data)
        words[number:end] = [start, start + size if shape is Shape.VECTOR else size, room_end]
        self.writes.append(Write(start, block.data if shape is Shape.VECTOR else block.data + b"\0"))
