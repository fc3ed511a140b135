"""Refuses TOML that is cheap to write and dear to parse."""

import re

__all__ = ["MAX_PARTS", "key_of_many_parts"]

MAX_PARTS = 32
"""A key of many parts costs Python's parser the cube of their number, and whoever keeps its places the square."""

_MANY_PARTS = re.compile(
    rf"""(?:^|[{{,\[])\s*+(?:(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{MAX_PARTS}}}""",
    re.MULTILINE,
)


def key_of_many_parts(text: str) -> int | None:
    """Return the offset behind the parts of a key that has too many, None if there is none."""
    match = _MANY_PARTS.search(text)
    return None if match is None else match.end()
