"""What an archive may hold at most. The reader refuses more before it writes or allocates for it."""

from bundlekit.read.tree import MAX_MEMBER_BYTES, MAX_MEMBERS, MAX_TOTAL_BYTES

__all__ = [
    "MAX_FRAME_BYTES",
    "MAX_MANIFEST_BYTES",
    "MAX_MANIFEST_ITEMS",
    "MAX_MEMBERS",
    "MAX_MEMBER_BYTES",
    "MAX_TOTAL_BYTES",
    "PIECE_BYTES",
    "SMALL_GROUP_BYTES",
]

MAX_MANIFEST_BYTES = 40 << 20
"""Enough for the manifest of :data:`MAX_MEMBERS` files with paths of 75 bytes."""

MAX_MANIFEST_ITEMS = 6 * MAX_MEMBERS
"""Commas in a manifest, counted before it is parsed: a value takes up to twenty times its text in memory."""

SMALL_GROUP_BYTES = 1 << 20
"""Content of a frame that holds whole small files; a file at least as large as this is cut into pieces."""

PIECE_BYTES = 4 << 20
"""Content of a frame that holds a piece of a large file."""

MAX_FRAME_BYTES = 8 << 20
"""Content of a frame that the reader accepts, the manifest's apart: it decompresses a frame at once."""
