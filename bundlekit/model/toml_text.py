"""Where the keys, values and sections of a TOML document stand in its text: for findings, and for mends of them.

`tomllib` keeps no positions. This scanner reads a document that `tomllib` has already accepted, so it may trust the
syntax and only has to find where things start and end. It scans only when it is asked for the first time.

See: TOML 1.0.0, sections "Keys", "Table" and "Array of Tables".
"""

import re
from bisect import bisect_right
from typing import NamedTuple

__all__ = ["Key", "Section", "Span", "TomlText"]

Key = str | int

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_SIMPLE_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")


class Span(NamedTuple):
    """A part of a text: offsets of its first character and of the one behind its last."""

    start: int
    end: int


class Section(NamedTuple):
    """The keys below one header, or those above the first (without a path).

    Its last key, or else the header itself, starts at `last`; the value of that ends at `end`.
    """

    path: tuple[Key, ...]
    last: int
    end: int


class TomlText:
    """One document: places are a 1-based line and column, both counted in characters."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_starts: list[int] = []
        self._keys: dict[tuple[Key, ...], int] = {}
        self._values: dict[tuple[Key, ...], int] = {}
        self._ends: dict[tuple[Key, ...], int] = {}
        self._tokens: dict[tuple[Key, ...], list[Span]] = {}
        self._sections: list[Section] = []
        self._array_lengths: dict[tuple[Key, ...], int] = {}

    def value(self, path: tuple[Key, ...]) -> tuple[int, int] | None:
        """Return where the value at `path` starts, else where its nearest known parent does."""
        return self._locate(path, self._values)

    def key(self, path: tuple[Key, ...]) -> tuple[int, int] | None:
        """Return where the last key of `path` stands, else where its nearest known parent does."""
        return self._locate(path, self._keys)

    def value_span(self, path: tuple[Key, ...]) -> Span | None:
        """Return the text of the value at `path`, None for a table that is spread over sections or dotted keys."""
        self._scan_once()
        return Span(self._values[path], self._ends[path]) if path in self._ends else None

    def key_spans(self, path: tuple[Key, ...]) -> tuple[Span, ...]:
        """Return every spelling of the last key of `path`: a table may be named by several headers and dotted keys."""
        self._scan_once()
        return tuple(self._tokens.get(path, ()))

    def sections(self) -> tuple[Section, ...]:
        """Return all sections in their order; the first is the one without a header."""
        self._scan_once()
        return tuple(self._sections)

    def _locate(self, path: tuple[Key, ...], offsets: dict[tuple[Key, ...], int]) -> tuple[int, int] | None:
        self._scan_once()
        for length in range(len(path), 0, -1):
            offset = offsets.get(path[:length])
            if offset is not None:
                line = bisect_right(self._line_starts, offset)
                return line, offset - self._line_starts[line - 1] + 1
        return None

    def _scan_once(self) -> None:
        if self._line_starts:
            return
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", self._text))]
        self._sections.append(Section((), 0, 0))
        index = self._after(_BLANK, 0)
        try:
            while index < len(self._text):
                start = index
                if self._text[index] == "[":
                    path, index = self._header(index)
                    self._sections.append(Section(path, start, index))
                else:
                    path = self._sections[-1].path
                    index = self._pair(path, index)
                    self._sections[-1] = Section(path, start, index)
                index = self._after(_BLANK, index)
        except (RecursionError, IndexError):
            # Nested deeper than the interpreter's stack: what was found so far is what there is.
            return

    def _after(self, pattern: re.Pattern[str], index: int) -> int:
        match = pattern.match(self._text, index)
        return match.end() if match else index

    def _header(self, index: int) -> tuple[tuple[Key, ...], int]:
        is_array = self._text.startswith("[[", index)
        names, end = self._dotted_key(index + 2 if is_array else index + 1)
        path: tuple[Key, ...] = ()
        for position, (name, span) in enumerate(names, 1):
            path = (*path, name)
            self._tokens.setdefault(path, []).append(span)
            self._keys.setdefault(path, index)
            self._values.setdefault(path, index)
            if position == len(names) and is_array:
                self._array_lengths[path] = self._array_lengths.get(path, -1) + 1
            if path in self._array_lengths:
                path = (*path, self._array_lengths[path])
        self._keys[path] = self._values[path] = index
        return path, end + (2 if is_array else 1)

    def _dotted_key(self, index: int) -> tuple[list[tuple[str, Span]], int]:
        names: list[tuple[str, Span]] = []
        while True:
            index = self._after(_SPACE, index)
            match = _SIMPLE_KEY.match(self._text, index)
            if match is None:
                raise IndexError
            names.append((_unquoted(match.group()), Span(*match.span())))
            index = self._after(_SPACE, match.end())
            if self._text[index] != ".":
                return names, index
            index += 1

    def _pair(self, prefix: tuple[Key, ...], index: int) -> int:
        start = index
        names, index = self._dotted_key(index)
        path = prefix
        for name, span in names:
            path = (*path, name)
            self._tokens.setdefault(path, []).append(span)
            self._keys.setdefault(path, start)
            self._values.setdefault(path, start)
        index = self._after(_SPACE, index + 1)
        self._values[path] = index
        return self._value(path, index)

    def _value(self, path: tuple[Key, ...], index: int) -> int:
        opening = self._text[index]
        if opening == "[":
            end = self._array(path, index + 1)
        elif opening == "{":
            end = self._inline_table(path, index + 1)
        else:
            end = self._after(_STRING if opening in "\"'" else _SCALAR, index)
        self._ends[path] = end
        return end

    def _array(self, path: tuple[Key, ...], index: int) -> int:
        position = 0
        index = self._after(_BLANK, index)
        while self._text[index] != "]":
            self._keys[*path, position] = self._values[*path, position] = index
            index = self._after(_BLANK, self._value((*path, position), index))
            if self._text[index] == ",":
                index = self._after(_BLANK, index + 1)
            position += 1
        return index + 1

    def _inline_table(self, path: tuple[Key, ...], index: int) -> int:
        index = self._after(_BLANK, index)
        while self._text[index] != "}":
            index = self._after(_BLANK, self._pair(path, index))
            if self._text[index] == ",":
                index = self._after(_BLANK, index + 1)
        return index + 1


def _unquoted(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    if key[0] != '"':
        return key
    if "\\" not in key:
        return key[1:-1]
    import tomllib  # noqa: PLC0415 - only a key with escapes needs it, and the document's reader has loaded it

    return str(tomllib.loads(f"key = {key}")["key"])
