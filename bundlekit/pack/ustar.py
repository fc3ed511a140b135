"""The one dialect of tar that bundlekit writes: ustar headers, everything normalised, a local pax ``path`` when needed.

A header is a pure function of path, size and mode, so the reader compares the whole block with the one that it
expects; only a block that differs is taken apart, to say what is wrong with it (`member_refusal`).

See: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
"""

from bundlekit.model.manifest import ManifestFile

__all__ = ["BLOCK", "END", "MANIFEST_PATH", "header", "header_of", "octal", "padding", "pax_record"]

BLOCK = 512
END = bytes(2 * BLOCK)
"""Two zero blocks end an archive."""

MANIFEST_PATH = ".bundlekit/manifest.json"

_NAME_BYTES = 100
_PAX_NAME = b"././@PaxHeader"
_ZEROS = bytes(BLOCK)


def header(path: str, size: int, mode: str) -> bytes:
    """Return all that precedes the member's content: one block, or three and more with a pax ``path``.

    `mode` is as in the manifest, ``0644`` or ``0755``; `size` is in bytes.
    """
    name = path.encode()
    if len(name) <= _NAME_BYTES:
        return _block(name, size, mode, b"0")
    record = pax_record("path", name)
    extended = _block(_PAX_NAME, len(record), "0644", b"x") + record + padding(len(record))
    return extended + _block(name[:_NAME_BYTES], size, mode, b"0")


def header_of(file: ManifestFile) -> bytes:
    """Return the header of a file as the manifest lists it."""
    return header(file.path, file.size, file.mode)


def padding(size: int) -> bytes:
    """Return the zeros that fill the last block of a content of so many bytes."""
    return _ZEROS[: -size % BLOCK]


def pax_record(key: str, value: bytes) -> bytes:
    r"""Return ``"<length> <key>=<value>\n"``, whose length counts its own digits."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return f"{length} {key}=".encode() + value + b"\n"


def octal(field: bytes) -> int | None:
    """Return the number in a field of octal digits that ends in zeros or spaces, or None when it is no such field."""
    digits = field.rstrip(b"\0 ")
    if not digits or digits.strip(b"01234567"):
        return None
    return int(digits, 8)


def _block(name: bytes, size: int, mode: str, kind: bytes) -> bytes:
    fields = [
        name.ljust(_NAME_BYTES, b"\0"),
        f"000{mode}".encode() + b"\0" + b"0000000\0" * 2,
        f"{size:011o}".encode() + b"\0" + b"00000000000\0",
    ]
    end = kind + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2 + bytes(167)
    checksum = sum(map(sum, fields)) + 8 * 0x20 + sum(end)
    fields += [f"{checksum:06o}".encode() + b"\0 ", end]
    return b"".join(fields)
