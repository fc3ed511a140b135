"""Refuses TOML that is cheap to write and dear to parse."""

import re

__all__ = ["MAX_PARTS", "key_of_many_parts"]

MAX_PARTS = 32
"""A key of many parts costs Python's parser the cube of their number, and whoever keeps its places the square."""

_MANY_PARTS = (
    rf"""(?m)(?:^|[{{,\[])\s*+(?:(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{MAX_PARTS}}}"""
)


def key_of_many_parts(text: str) -> int | None:
    """Return the offset behind the parts of a key that has too many, None if there is none."""
    # Nearly no document has such a line, and compiling the expression takes longer than reading most.
    if all(line.count(".") < MAX_PARTS for line in text.split("\n")):
        return None
    match = re.search(_MANY_PARTS, text)
    return None if match is None else match.end()
