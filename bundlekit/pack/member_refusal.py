"""What is wrong with a tar header that is not the one expected: taken apart only to say it.

The reader accepts a member when its header is, byte for byte, what the packer writes for the next file of the manifest.
Everything here is about the other ones, so nothing here can make a bad archive pass.

See: DESIGN decision 2; HOSTILE_CORPUS A01-A30.
"""

from collections.abc import Mapping
from typing import NamedTuple

from bundlekit.errors import (
    ArchiveCorruptError,
    ArchiveUnsafeError,
    BundlekitError,
    DigestMismatchError,
    LimitExceededError,
)
from bundlekit.model.manifest import ManifestFile
from bundlekit.model.member import path_error, path_limit_error
from bundlekit.pack.limits import MAX_MEMBER_BYTES
from bundlekit.pack.ustar import BLOCK, MANIFEST_PATH, octal

__all__ = ["MAX_PAX_BYTES", "Inventory", "member_refusal"]

MAX_PAX_BYTES = 32 << 10
"""More than a pax header with the longest path has."""

_LENGTH_DIGITS = 5

_REGULAR = b"0"
_PAX = b"x"
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"5": "a directory entry",
    b"6": "a FIFO",
    b"7": "a contiguous file",
    b"S": "a GNU sparse file",
    b"g": "a global pax header",
    b"L": "a GNU long name",
    b"K": "a GNU long link",
    b"\0": "an old-style regular file",
}


class Inventory(NamedTuple):
    """What the manifest promises, which of it was read, and which file must come next (None: the end)."""

    files: Mapping[str, ManifestFile]
    read: int
    expected: ManifestFile | None
    position: Mapping[str, int]


class _Header(NamedTuple):
    name: bytes
    mode: bytes
    size: bytes
    kind: bytes


def member_refusal(blocks: bytes, inventory: Inventory) -> BundlekitError:
    """Return why the member that starts with `blocks` is refused.

    `blocks` are the header's block and, as far as the archive goes, those after it.
    """
    header = _Header(blocks[:100].rstrip(b"\0"), blocks[100:108], blocks[124:136], blocks[156:157])
    if not any(blocks[:BLOCK]):
        return _early_end(inventory)
    if not _checksum_holds(blocks[:BLOCK]):
        message = f"the tar header of {_after(inventory)} has a wrong checksum"
        return ArchiveCorruptError(message, subject=inventory.read)
    shown = ascii(header.name.decode("utf-8", "replace"))
    if header.kind not in {_REGULAR, _PAX}:
        kind = _KINDS.get(header.kind, f"of the unknown type {header.kind!r}")
        message = f"the member {shown} is {kind}; bundlekit writes and reads regular files only"
        return ArchiveUnsafeError(message, subject=shown)
    size = octal(header.size)
    if size is None:
        message = f"the member {shown} has the size field {header.size!r}, which is not eleven octal digits"
        return ArchiveCorruptError(message, subject=shown)
    if header.kind == _PAX:
        return _pax_refusal(blocks[BLOCK : BLOCK + size], size, inventory)
    return _regular_refusal(header, size, inventory)


def _early_end(inventory: Inventory) -> BundlekitError:
    if inventory.expected is None:
        message = "the archive does not end in exactly two empty blocks"
        return ArchiveCorruptError(message)
    left = len(inventory.files) - inventory.read
    message = (
        f"the manifest lists {inventory.expected.path!a}, and the archive ends before it ({left} files are missing)"
    )
    return DigestMismatchError(message, subject=inventory.expected.path)


def _pax_refusal(body: bytes, size: int, inventory: Inventory) -> BundlekitError:
    """Judge a pax header that is not the one expected: by its keys first, then by the path that it gives."""
    if size > MAX_PAX_BYTES:
        message = f"the pax header of {_after(inventory)} has {size:,} bytes, more than {MAX_PAX_BYTES:,}"
        return LimitExceededError(message, subject=size)
    records = _pax_records(body)
    if records is None or len(body) < size:
        message = f"the pax header of {_after(inventory)} is malformed"
        return ArchiveCorruptError(message, subject=inventory.read)
    for key in records:
        if key.startswith("GNU.sparse"):
            message = (
                f"the member after {inventory.read} files is a GNU sparse file; bundlekit reads regular files only"
            )
            return ArchiveUnsafeError(message, subject=key)
    extra = sorted(key for key in records if key != "path")
    if extra:
        message = f"the pax header of {_after(inventory)} has the key {extra[0]!a}; bundlekit writes only path"
        return ArchiveCorruptError(message, subject=extra[0])
    return _path_refusal(records.get("path", b""), inventory) or _not_ours(records.get("path", b""))


def _regular_refusal(header: _Header, size: int, inventory: Inventory) -> BundlekitError:
    refusal = _path_refusal(header.name, inventory)
    if refusal is not None:
        return refusal
    path = header.name.decode()
    if header.mode[:7] not in {b"0000644", b"0000755"}:
        message = f"the member {path!a} has the mode field {header.mode!r}; bundlekit writes 0644 or 0755"
        return ArchiveUnsafeError(message, subject=path)
    if size > MAX_MEMBER_BYTES:
        message = f"the member {path!a} declares {size:,} bytes, more than {MAX_MEMBER_BYTES:,}"
        return LimitExceededError(message, subject=path)
    promised = inventory.files.get(path)
    if promised is not None and size != promised.size:
        message = f"the member {path!a} has {size:,} bytes, and the manifest promises {promised.size:,}"
        return DigestMismatchError(message, subject=path)
    if promised is not None and header.mode[3:7].decode() != promised.mode:
        message = f"the member {path!a} has the mode {header.mode[3:7].decode()}, and the manifest says {promised.mode}"
        return DigestMismatchError(message, subject=path)
    return _not_ours(header.name)


def _path_refusal(name: bytes, inventory: Inventory) -> BundlekitError | None:
    """Return why no member of this name may stand here, or None."""
    try:
        path = name.decode()
    except UnicodeDecodeError:
        message = f"the member {name!r} has a name that is not UTF-8"
        return ArchiveUnsafeError(message, subject=name)
    if path == MANIFEST_PATH:
        message = "the archive holds the manifest twice"
        return ArchiveCorruptError(message, subject=path)
    reason = path_limit_error(path)
    if reason is not None:
        message = f"the member {path[:80]!a} {reason}"
        return LimitExceededError(message, subject=path)
    reason = path_error(path)
    if reason is not None:
        message = f"the member {path!a} {reason}"
        return ArchiveUnsafeError(message, subject=path)
    if path not in inventory.files:
        message = f"the archive holds {path!a}, which the manifest does not list"
        return DigestMismatchError(message, subject=path)
    if inventory.expected is None or path != inventory.expected.path:
        what = "twice" if inventory.position[path] < inventory.read else "out of order"
        message = f"the archive holds {path!a} {what}"
        return ArchiveCorruptError(message, subject=path)
    return None


def _not_ours(name: bytes) -> BundlekitError:
    shown = ascii(name.decode("utf-8", "replace"))
    message = f"the tar header of {shown} has fields that bundlekit never writes (owner, time, link or prefix)"
    return ArchiveCorruptError(message, subject=shown)


def _after(inventory: Inventory) -> str:
    return f"the member after {inventory.read} files"


def _checksum_holds(block: bytes) -> bool:
    """Whether the header's sum is right, the field itself counted as spaces."""
    stated = octal(block[148:156].rstrip(b" ").ljust(8, b"\0"))
    return stated == sum(block[:148]) + 8 * 0x20 + sum(block[156:BLOCK])


def _pax_records(body: bytes) -> dict[str, bytes] | None:
    """Return the records of a pax header, or None when they do not fill it exactly."""
    records: dict[str, bytes] = {}
    while body:
        digits, _, _ = body.partition(b" ")
        if not digits.isdigit() or len(digits) > _LENGTH_DIGITS:
            return None
        length = int(digits)
        record = body[len(digits) + 1 : length]
        key, equals, value = record[:-1].partition(b"=")
        if len(record) != length - len(digits) - 1 or not equals or record[-1:] != b"\n":
            return None
        records[key.decode("utf-8", "replace")] = value
        body = body[length:]
    return records
