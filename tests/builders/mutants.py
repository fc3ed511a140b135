"""Archives that are one change away from a good one: in the file's bytes, in its frames, in the tar below them."""

import random
import struct
from collections.abc import Callable, Iterator, Sequence

from builders.archives import FILES, archive, tar

from bundlekit.pack.zstd_frames import Frame, compress_frame, seek_table

__all__ = ["good_archive", "mutants", "skippable"]

_SEEK_ENTRIES = 8
"""Bytes before a seek table's first entry, and of each entry."""


def mutants(chance: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield `count` archives, each with the name of the layer that was changed."""
    layers: tuple[tuple[str, Callable[[random.Random], bytes]], ...] = (
        ("file", lambda chance: _edited(chance, _GOOD)),
        ("tar", lambda chance: archive(_edited(chance, _TAR))),
        ("frames", _reframed),
        ("seek table", _with_another_seek_table),
    )
    for number in range(count):
        name, change = layers[number % len(layers)]
        yield name, change(chance)


def good_archive() -> bytes:
    """Return what the mutants are made of: small files in several frames, and the frames' seek table."""
    return _GOOD


def skippable(content: bytes, magic: int = 0x184D2A50) -> bytes:
    """Return a frame that every Zstandard reader passes over."""
    return struct.pack("<II", magic, len(content)) + content


def _edited(chance: random.Random, good: bytes) -> bytes:
    data = bytearray(good)
    start, length = chance.randrange(len(data)), chance.choice((1, 2, 8, 100, 512))
    match chance.randrange(8):
        case 0 | 1 | 2:
            data[start] ^= 1 << chance.randrange(8)
        case 3:
            data[start] = chance.randrange(256)
        case 4:
            del data[start : start + length]
        case 5:
            data[start:start] = chance.randbytes(length)
        case 6:
            data[start:start] = data[start : start + length]
        case _:
            data[start : start + length] = bytes(len(data[start : start + length]))
    return bytes(data)


def _reframed(chance: random.Random) -> bytes:
    parts = list(_FRAMES)
    place, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    match chance.randrange(6):
        case 0:
            del parts[place]
        case 1:
            parts.insert(other, parts[place])
        case 2:
            parts[place], parts[other] = parts[other], parts[place]
        case 3:
            parts.insert(place, skippable(chance.randbytes(chance.randrange(20)), 0x184D2A50 + chance.randrange(16)))
        case 4:
            parts.insert(place, compress_frame(chance.randbytes(chance.randrange(600))))
        case _:
            parts[place] = parts[place][: chance.randrange(len(parts[place]))]
    return b"".join(parts) + chance.choice((b"", _TABLE))


def _with_another_seek_table(chance: random.Random) -> bytes:
    table = bytearray(_TABLE)
    match chance.randrange(4):
        case 0:
            place = chance.randrange(len(table))
            table[place] ^= 1 << chance.randrange(8)
        case 1:
            # Entries that still tile the file: what the first one loses, the second one gets.
            first, content, second = struct.unpack_from("<III", table, _SEEK_ENTRIES)
            shift = chance.randrange(1, first)
            struct.pack_into("<III", table, _SEEK_ENTRIES, first - shift, content, second + shift)
        case 2:
            del table[chance.randrange(len(table)) :]
        case _:
            table += chance.choice((_TABLE, b"\0", skippable(b"more")))
    return b"".join(_FRAMES) + bytes(table)


def _frames(content: bytes, size: int) -> Sequence[bytes]:
    return [compress_frame(content[start : start + size]) for start in range(0, len(content), size)]


_TAR = tar(FILES)
_FRAMES = _frames(_TAR, 1500)
_TABLE = seek_table(
    [Frame(0, len(frame), min(1500, len(_TAR) - 1500 * number)) for number, frame in enumerate(_FRAMES)]
)
_GOOD = b"".join(_FRAMES) + _TABLE
