"""Snapshots of one library with one section, made by hand."""

import struct
from collections.abc import Mapping

from bundlekit.isolation.native.heap import Block, Shape
from bundlekit.isolation.native.libraries import Library, LibraryFile
from bundlekit.isolation.native.snapshot import NativeSnapshot, Region
from bundlekit.read.elf import ElfImage, ElfSection

__all__ = ["BASE", "HEAP", "block", "snapshot", "words"]

_SECTION = ElfSection(".data", 0x4000, 64)
_IMAGE = ElfImage(62, 0, (_SECTION,), None, b"", (), has_symbol_table=True)
BASE = 0x7F00_0000_4000
HEAP = 0x5500_0000_0010


def words(*values: float) -> bytes:
    """Return these numbers as memory; a float as such, anything else as a word."""
    return b"".join(struct.pack("<d" if isinstance(each, float) else "<Q", each) for each in values)


def snapshot(data: bytes, blocks: Mapping[int, Block] | None = None, *, is_own: bool = True) -> NativeSnapshot:
    """Return a snapshot of one library with one section, and what it reaches."""
    library = Library("model/core.so", LibraryFile("core.so", ()), is_own, BASE - 0x4000, _IMAGE)
    return NativeSnapshot(
        {("model/core.so", ".data"): Region(library, _SECTION, BASE, data.ljust(64, b"\0"))}, blocks or {}
    )


def block(data: bytes, shape: Shape = Shape.POINTER, room: int | None = None) -> Block:
    """Return a block with these bytes."""
    return Block(data, len(data) if room is None else room, shape)
