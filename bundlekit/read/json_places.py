"""Maps a path of keys to its place in a JSON document, for findings about values that are valid JSON but wrong.

`json` keeps no positions. This scanner reads a document that `json` has already accepted, so it may trust the syntax
and only has to find where keys and values start. It scans only when a finding or a declaration asks, and goes through
deep nesting without recursion.

See: RFC 8259.
"""

import json
import re
from bisect import bisect_right

__all__ = ["JsonPlaces"]

Keys = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')
_MAX_PLACES = 200_000
_MAX_PARTS = 4_000_000
"""Past them, a value has the place of what holds it: a grid of a million numbers is looked up by nobody."""


class JsonPlaces:
    """Where the keys and values of one document stand: 1-based line and column, both counted in characters."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_starts: list[int] = []
        self._keys: dict[Keys, int] = {}
        self._values: dict[Keys, int] = {}

    def value(self, path: Keys) -> tuple[int, int] | None:
        """Return where the value at `path` starts, else where its nearest known parent does."""
        return self._locate(path, self._values)

    def key(self, path: Keys) -> tuple[int, int] | None:
        """Return where the last key of `path` stands, else where its nearest known parent does."""
        return self._locate(path, self._keys)

    def _locate(self, path: Keys, offsets: dict[Keys, int]) -> tuple[int, int] | None:
        if not self._line_starts:
            self._scan()
        for length in range(len(path), -1, -1):
            offset = offsets.get(path[:length])
            if offset is not None:
                line = bisect_right(self._line_starts, offset)
                return line, offset - self._line_starts[line - 1] + 1
        return None

    def _scan(self) -> None:
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", self._text))]
        # Each open container is the path to it; the last key of `path` is where the scanner stands in the innermost.
        path: list[str | int] = []
        expects_key = False
        parts = 0
        for token in _TOKEN.finditer(self._text):
            parts += len(path)
            if len(self._values) >= _MAX_PLACES or parts > _MAX_PARTS:
                return
            match token[0]:
                case "]" | "}":
                    path.pop()
                    expects_key = False
                case ",":
                    last = path[-1]
                    expects_key = isinstance(last, str)
                    if not isinstance(last, str):
                        path[-1] = last + 1
                case ":":
                    expects_key = False
                case text if expects_key:
                    path[-1] = _unquoted(text)
                    self._keys[tuple(path)] = token.start()
                case text:
                    self._put(tuple(path), token.start())
                    if text in "[{":
                        path.append(0 if text == "[" else "")
                        expects_key = text == "{"

    def _put(self, path: Keys, start: int) -> None:
        self._values[path] = start
        if not path or isinstance(path[-1], int):
            self._keys[path] = start


def _unquoted(token: str) -> str:
    return token[1:-1] if "\\" not in token else str(json.loads(token))
