"""Where in a bundle's file a value stands, and a text with its place."""

from typing import NamedTuple

__all__ = ["Place", "Text"]


class Place(NamedTuple):
    """A file relative to the bundle's root, in POSIX form, and a 1-based line and column where they are known."""

    path: str
    line: int | None = None
    column: int | None = None


class Text(NamedTuple):
    """A string of a document and where it stands."""

    value: str
    place: Place
