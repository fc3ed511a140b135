"""Archives, good and bad, built in memory from parts: headers that our packer never writes, frames, manifests."""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bundlekit.cold_runner.dependency_hash import dependency_hash
from bundlekit.model.declaration import Dependencies, WireSource
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import Manifest, ManifestFile, ManifestWire
from bundlekit.pack.manifest_json import manifest_json
from bundlekit.pack.ustar import END, MANIFEST_PATH, padding
from bundlekit.pack.zstd_frames import compress_frame

__all__ = [
    "FILES",
    "TarHeader",
    "archive",
    "bomb_frame",
    "file_member",
    "manifest_of_files",
    "member",
    "pax_member",
    "tar",
]

FILES: Mapping[str, bytes] = {
    "data/observed.csv": b"day,cases\n1,5\n2,8\n" * 9,
    "data/empty": b"",
    "long/" + "n" * 120 + "/model.py": b"BETA = 0.3\n",
    "pyproject.toml": b"[project]\nname = 'sir'\nversion = '1.0'\n",
    "run.sh": b"#!/bin/sh\nexit 0\n",
}
"""A small bundle: an empty file, a path that needs a pax header, a program."""

_EXECUTABLE = frozenset({"run.sh"})
_FRAME = 1 << 20


class TarHeader(NamedTuple):
    """The fields of a ustar header as their bytes, so that each can be wrong in its own way."""

    name: bytes
    size: int = 0
    kind: bytes = b"0"
    mode: bytes = b"0000644\0"
    uid: bytes = b"0000000\0"
    gid: bytes = b"0000000\0"
    mtime: bytes = b"00000000000\0"
    size_field: bytes | None = None
    link: bytes = b""
    magic: bytes = b"ustar\x0000"
    user: bytes = b""
    prefix: bytes = b""
    checksum: bytes | None = None

    def block(self) -> bytes:
        """Return the header's 512 bytes, with the right checksum unless one is given."""
        size = b"%011o\0" % self.size if self.size_field is None else self.size_field
        start = self.name.ljust(100, b"\0") + self.mode + self.uid + self.gid + size + self.mtime
        end = self.kind + self.link.ljust(100, b"\0") + self.magic + self.user.ljust(32, b"\0") + bytes(32)
        end = (end + b"0000000\0" * 2 + self.prefix).ljust(512 - 156, b"\0")
        checksum = self.checksum
        if checksum is None:
            checksum = b"%06o\0 " % (sum(start) + sum(end) + 8 * 32)
        return start + checksum + end


def member(header: TarHeader, data: bytes = b"") -> bytes:
    """Return a member with this header, whose size field counts `data` unless it says otherwise."""
    return header._replace(size=header.size or len(data)).block() + data + padding(len(data))


def pax_member(records: Sequence[bytes], header: TarHeader, data: bytes = b"", *, kind: bytes = b"x") -> bytes:
    """Return a member that a pax header with these records precedes."""
    body = b"".join(records)
    return member(TarHeader(b"././@PaxHeader", kind=kind), body) + member(header, data)


def file_member(path: str, data: bytes) -> bytes:
    """Return a member as our packer writes it."""
    mode = b"0000755\0" if path in _EXECUTABLE else b"0000644\0"
    name = path.encode()
    header = TarHeader(name[:100], mode=mode)
    if len(name) <= 100:
        return member(header, data)
    length = len(name) + len(b"123 path=\n")
    return pax_member([b"%d path=%s\n" % (length, name)], header, data)


def manifest_of_files(files: Mapping[str, bytes] = FILES, /, **changes: object) -> bytes:
    """Return the canonical manifest of `files`, with fields of :class:`Manifest` replaced by `changes`."""
    declared = ("numpy",)
    listed = tuple(
        ManifestFile(
            path,
            len(data),
            "0755" if path in _EXECUTABLE else "0644",
            Digest("sha256:" + hashlib.sha256(data).hexdigest()),
        )
        for path, data in sorted(files.items(), key=lambda item: item[0].encode())
    )
    manifest = Manifest(
        name="sir",
        version="1.0",
        requires_python=">=3.11",
        wire=ManifestWire(WireSource.ENTRY_POINT, "wire", "sir:wire"),
        targets=("targets:incidence",),
        dependencies=Dependencies(
            declared, None, Digest(dependency_hash(lock=None, declared=declared, requires_python=">=3.11"))
        ),
        requires_fresh_process=False,
        files=listed,
    )
    return manifest_json(manifest._replace(**changes))


def tar(
    files: Mapping[str, bytes] = FILES,
    *,
    manifest: bytes | None = None,
    members: Sequence[bytes] | None = None,
    end: bytes = END,
) -> bytes:
    """Return the tar of `files`, or of `members` in their place, behind the manifest of `files` or `manifest`."""
    if manifest is None:
        manifest = manifest_of_files(files)
    if members is None:
        members = [file_member(path, data) for path, data in sorted(files.items(), key=lambda item: item[0].encode())]
    return member(TarHeader(MANIFEST_PATH.encode()), manifest) + b"".join(members) + end


def archive(content: bytes) -> bytes:
    """Return a tar as frames of 1 MiB."""
    return b"".join(compress_frame(content[start : start + _FRAME]) for start in range(0, len(content), _FRAME))


def bomb_frame(content_size: int) -> bytes:
    """Return a frame of `content_size` zeros, four bytes for each 128 KiB, with a checksum that nobody should reach."""
    block = 128 << 10
    count, rest = divmod(content_size, block)
    sizes = [block] * count + ([rest] if rest else [])
    blocks = [
        (size << 3 | 1 << 1 | (place == len(sizes) - 1)).to_bytes(3, "little") + b"\0"
        for place, size in enumerate(sizes)
    ]
    return (
        b"\x28\xb5\x2f\xfd" + struct.pack("<BBQ", 0b11_0_0_0_1_00, 7 << 3, content_size) + b"".join(blocks) + bytes(4)
    )
