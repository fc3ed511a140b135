"""Zstandard frames: found without decompressing, written raw for the manifest, and listed in a seek table.

See: RFC 8878 sections 3.1.1 (frames, blocks) and 3.1.2 (skippable frames); the seekable format of the zstd project
(contrib/seekable_format/zstd_seekable_compression_format.md).
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import zstandard

from bundlekit.errors import ArchiveCorruptError

__all__ = ["MAGIC", "Frame", "ReadAt", "compress_frame", "frames", "raw_frame", "raw_frame_size", "seek_table"]

MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE_MAGICS = range(0x184D2A50, 0x184D2A60)
_SEEK_TABLE_MAGIC = 0x184D2A5E
_SEEKABLE_MAGIC = 0x8F92EAB1
_MAX_BLOCK = 128 << 10
_WINDOW = 1 << 20
_HEADER_LIMIT = 18
_FRAME_SLACK = 1024
"""More than headers, checksum and the rounding of any compressor add to incompressible content."""

_RAW, _RLE, _COMPRESSED = 0, 1, 2
_RAW_FRAME_DESCRIPTOR = 0b10_0_0_0_1_00
"""A 4-byte content size, no single segment, a checksum, no dictionary."""

_RAW_FRAME_WINDOW = (17 - 10) << 3
"""A window of 128 KiB, the largest block: reading the frame needs no more memory than that."""

_RAW_FRAME_HEADER = struct.Struct("<4sBBI")
_SEEK_ENTRY = struct.Struct("<II")
_SEEK_FOOTER = struct.Struct("<IBI")
_LEVEL = 1


class Frame(NamedTuple):
    """Where a frame lies in the file, in bytes, and how much its content measures."""

    offset: int
    size: int
    content_size: int


ReadAt = Callable[[int, int], bytes]
"""Gives so many bytes at an offset, fewer at the end of the file."""


class _Input:
    """A way to read an archive's small fields from one window of it after the other, and its size in bytes."""

    def __init__(self, read_at: ReadAt, size: int) -> None:
        self.read_at = read_at
        self.size = size
        self._start = 0
        self._window = b""

    def at_most(self, offset: int, count: int) -> bytes:
        """Return `count` bytes at `offset`, fewer at the end of the file."""
        if not self._start <= offset <= offset + count <= self._start + len(self._window):
            self._start, self._window = offset, self.read_at(max(count, _WINDOW), offset)
        return self._window[offset - self._start : offset - self._start + count]

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes at `offset`.

        Raises:
            ArchiveCorruptError: the file ends before.
        """
        data = self.at_most(offset, count)
        if len(data) < count:
            message = f"the archive ends at byte {offset + len(data):,} in the middle of a frame"
            raise ArchiveCorruptError(message, subject=offset)
        return data


def compress_frame(data: bytes | bytearray, compressor: zstandard.ZstdCompressor | None = None) -> bytes:
    """Return `data` as one frame that states its size and ends in a checksum."""
    return (compressor or new_compressor()).compress(data)


def new_compressor() -> zstandard.ZstdCompressor:
    """Return a compressor of the archive's one level; each thread needs its own."""
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)


def raw_frame_size(content_size: int) -> int:
    """Return the size of the frame that :func:`raw_frame` makes of so much content: known before the content is."""
    blocks = max(1, -(-content_size // _MAX_BLOCK))
    return _RAW_FRAME_HEADER.size + 3 * blocks + content_size + 4


def raw_frame(content: bytes) -> bytes:
    """Return `content` as a frame of uncompressed blocks, which has the same size whatever the content."""
    parts = [_RAW_FRAME_HEADER.pack(MAGIC, _RAW_FRAME_DESCRIPTOR, _RAW_FRAME_WINDOW, len(content))]
    for start in range(0, max(1, len(content)), _MAX_BLOCK):
        block = content[start : start + _MAX_BLOCK]
        last = start + _MAX_BLOCK >= len(content)
        parts.append((len(block) << 3 | _RAW << 1 | last).to_bytes(3, "little") + block)
    # The library computes XXH64 of the content, low 32 bits, at the end of any frame: no other source of it here.
    parts.append(compress_frame(content)[-4:])
    return b"".join(parts)


def seek_table(written: Iterable[Frame]) -> bytes:
    """Return the skippable frame that lists `written`, for readers that know the seekable format."""
    entries = b"".join(_SEEK_ENTRY.pack(frame.size, frame.content_size) for frame in written)
    footer = _SEEK_FOOTER.pack(len(entries) // _SEEK_ENTRY.size, 0, _SEEKABLE_MAGIC)
    return struct.pack("<II", _SEEK_TABLE_MAGIC, len(entries) + len(footer)) + entries + footer


def frames(read_at: ReadAt, size: int) -> Iterator[Frame]:
    """Yield the frames of the archive, each found by its block headers alone; a seek table must tile them exactly.

    Raises:
        ArchiveCorruptError: not Zstandard, truncated, a frame without content size or checksum, a skippable frame that
            is no seek table, or anything after the last frame.
    """
    archive = _Input(read_at, size)
    found: list[Frame] = []
    offset = 0
    while offset < size:
        magic = archive.read(offset, 4)
        if magic != MAGIC:
            _check_end(archive, offset, found)
            return
        frame = _measure(archive, offset)
        found.append(frame)
        yield frame
        offset += frame.size


def _measure(archive: _Input, offset: int) -> Frame:
    header = archive.at_most(offset, _HEADER_LIMIT)
    content_size, block = _frame_header(header, offset)
    position = offset + block
    while True:
        block_header = int.from_bytes(archive.read(position, 3), "little")
        kind = block_header >> 1 & 3
        length = block_header >> 3
        if kind > _COMPRESSED or length > _MAX_BLOCK:
            message = f"the block at byte {position:,} of the archive is not valid Zstandard"
            raise ArchiveCorruptError(message, subject=position)
        position += 3 + (1 if kind == _RLE else length)
        if block_header & 1:
            break
    position += 4
    if position - offset > content_size + content_size // 128 + _FRAME_SLACK:
        message = f"the frame at byte {offset:,} of the archive is larger than its content can be"
        raise ArchiveCorruptError(message, subject=offset)
    if position > archive.size:
        message = f"the archive ends at byte {archive.size:,} in the middle of a frame"
        raise ArchiveCorruptError(message, subject=offset)
    return Frame(offset, position - offset, content_size)


def _frame_header(header: bytes, offset: int) -> tuple[int, int]:
    """Return the content's size and the header's length; a dictionary or an unstated size is not our packer's."""
    where = f"the frame at byte {offset:,} of the archive"
    if len(header) < _RAW_FRAME_HEADER.size:
        message = f"{where} is truncated"
        raise ArchiveCorruptError(message, subject=offset)
    descriptor = header[4]
    size_flag, single, checksum = descriptor >> 6, descriptor >> 5 & 1, descriptor >> 2 & 1
    if descriptor & 0b11011 or not checksum or (size_flag == 0 and not single):
        message = f"{where} is not one that bundlekit writes: it needs a content size, a checksum and no dictionary"
        raise ArchiveCorruptError(message, subject=offset)
    start = 5 + (not single)
    width = 1 << size_flag
    if len(header) < start + width:
        message = f"{where} is truncated"
        raise ArchiveCorruptError(message, subject=offset)
    content_size = int.from_bytes(header[start : start + width], "little") + (256 if size_flag == 1 else 0)
    return content_size, start + width


def _check_end(archive: _Input, offset: int, found: list[Frame]) -> None:
    """Refuse whatever follows the frames, unless it is their seek table and nothing more."""
    if not found:
        start = archive.read(0, 4)
        message = f"this is no bundlekit archive: it starts with {start.hex(' ')} and not with Zstandard's 28 b5 2f fd"
        raise ArchiveCorruptError(message, subject=start)
    expected = seek_table(found)
    if archive.size - offset == len(expected) and archive.read(offset, len(expected)) == expected:
        return
    magic = int.from_bytes(archive.read(offset, 4), "little")
    what = "a skippable frame that is no seek table of it" if magic in _SKIPPABLE_MAGICS else "other data"
    message = f"the archive is followed by {what} at byte {offset:,}"
    raise ArchiveCorruptError(message, subject=offset)
