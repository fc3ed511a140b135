"""Hashes a few files of a bundle, streamed and bounded: the static stage runs at each commit."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from bundlekit.model.digest import Digest
from bundlekit.model.project import Member
from bundlekit.read.document import open_without_waiting, place_of

__all__ = ["MAX_HASHED_BYTES", "file_digests"]

MAX_HASHED_BYTES = 512 << 20
"""Of all files together: about a third of a second."""

_CHUNK_BYTES = 1 << 20


def file_digests(root: Path, members: Iterable[Member]) -> tuple[Mapping[str, Digest], frozenset[str]]:
    """Return the digests of `members` by path, and the paths of those that were not hashed.

    Left out are files that cannot be read, that change under the reader, and those that would exceed
    :data:`MAX_HASHED_BYTES`, the largest of them first.
    """
    digests: dict[str, Digest] = {}
    left_out: set[str] = set()
    budget = MAX_HASHED_BYTES
    for member in sorted(members, key=lambda each: each.size):
        budget -= member.size
        digest = _digest(place_of(root, member.path), member.size) if budget >= 0 else None
        if digest is None:
            left_out.add(member.path)
        else:
            digests[member.path] = digest
    return digests, frozenset(left_out)


def _digest(path: bytes, size: int) -> Digest | None:
    try:
        with open(path, "rb", buffering=0, opener=open_without_waiting) as file:
            return _streamed(file, size)
    except OSError:
        return None


def _streamed(file: BinaryIO, size: int) -> Digest | None:
    """Return the digest of exactly `size` bytes, None if the file has more or fewer."""
    state = hashlib.sha256()
    left = size
    while chunk := file.read(_CHUNK_BYTES):
        left -= len(chunk)
        if left < 0:
            return None
        state.update(chunk)
    return Digest.from_hex(state.hexdigest()) if left == 0 else None
