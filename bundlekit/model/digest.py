"""The one digest type: SHA-256 as ``sha256:`` and 64 lower-case hex digits, never shortened except for display."""

import hashlib
import re
from typing import Self

__all__ = ["Digest"]

_PATTERN = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class Digest(str):
    """A SHA-256 digest in its canonical text form."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> Self:
        """Return `text` as a digest.

        Raises:
            ValueError: not ``sha256:`` followed by exactly 64 lower-case ASCII hex digits.
        """
        if not isinstance(text, str) or not _PATTERN.fullmatch(text):
            msg = f"expected 'sha256:' and 64 lower-case hex digits, found {text!r:.100}"
            raise ValueError(msg)
        return cls(text)

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Return the digest of `data`."""
        return cls("sha256:" + hashlib.sha256(data).hexdigest())

    @classmethod
    def from_hex(cls, hexdigits: str) -> Self:
        """Return the digest whose 64 hex digits are given."""
        return cls.parse("sha256:" + hexdigits)

    @property
    def hex(self) -> str:
        """The 64 hex digits alone, as the cache's directory names want them."""
        return self[7:]

    @property
    def short(self) -> str:
        """A form for people's eyes; never a key, a name or a path."""
        return self[:19]
