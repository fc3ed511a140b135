"""Gzip, which holds a time stamp besides what it compresses.

See: RFC 1952.
"""

import zlib

from bundlekit.isolation.formats.difference import UnreadableError, shown

__all__ = ["MAGIC", "unpacked"]

MAGIC = b"\x1f\x8b\x08"
_MAX_UNPACKED = 1 << 28
_WITH_ITS_HEADER = 16 + zlib.MAX_WBITS


def unpacked(data: bytes) -> bytes:
    """Return what is in the first member of `data`.

    Raises:
        UnreadableError: it is cut or damaged, or would become very large.
    """
    reader = zlib.decompressobj(_WITH_ITS_HEADER)
    try:
        found = reader.decompress(data, _MAX_UNPACKED)
    except zlib.error as error:
        raise UnreadableError(shown(str(error))) from None
    if reader.unconsumed_tail:
        raise UnreadableError(f"it unpacks to more than {_MAX_UNPACKED >> 20} MiB")
    if not reader.eof or reader.unused_data:
        raise UnreadableError("expected one whole member")
    return found
