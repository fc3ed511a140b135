"""Where bytes of interest stand in a source, so that only the statements which hold some need be walked."""

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

__all__ = ["hit_lines", "holds_hit"]

_NEWLINE = re.compile(rb"\r\n|\r|\n")


def hit_lines(data: bytes, starts: Iterable[int]) -> list[int]:
    """Return the 1-based lines, each once and in order, of the offsets `starts` into a source."""
    newlines = [match.end() for match in _NEWLINE.finditer(data)]
    return sorted({bisect_right(newlines, start) + 1 for start in starts})


def holds_hit(node: ast.stmt, lines: Sequence[int]) -> bool:
    """Whether a statement, with its decorators, stands on one of `lines`, which are in order."""
    decorators = getattr(node, "decorator_list", None)
    first = decorators[0].lineno if decorators else node.lineno
    position = bisect_right(lines, first - 1)
    return position < len(lines) and lines[position] <= (node.end_lineno or first)
