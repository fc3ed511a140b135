"""What in a file that would ship looks like somebody's credentials."""

from typing import NamedTuple

__all__ = ["Secret"]


class Secret(NamedTuple):
    """A file and what it holds, in words that follow "holds"; never the secret itself.

    `line` is None where the file's name alone tells. `is_certain` is False where the library that tells a secret from a
    text like one is not installed.
    """

    path: str
    what: str
    line: int | None
    is_certain: bool = True
