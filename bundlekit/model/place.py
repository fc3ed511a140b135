"""Where in a bundle's file a value stands."""

from typing import NamedTuple

__all__ = ["Place"]


class Place(NamedTuple):
    """A file relative to the bundle's root, in POSIX form, and a 1-based line and column where they are known."""

    path: str
    line: int | None = None
    column: int | None = None
