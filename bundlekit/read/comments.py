"""Finds the comments of Python, TOML, YAML and requirements files: the real ones, not what looks so in a string.

Of a file that cannot be read as what it is, there is no comment.

See: TOML 1.0.0, "Comment"; YAML 1.2.2, section 6.6; pip, "Requirements File Format".
"""

import io
import re
import tokenize
from collections.abc import Callable, Iterator
from typing import NamedTuple

__all__ = ["Comment", "comments_of"]

_TOML = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|(?:"""|\'\'\').*'
    r'|"(?:[^"\\\n]|\\.)*(?:"|$)'
    r"|'[^'\n]*(?:'|$)"
    r"|(?P<comment>#[^\n]*)",
    re.DOTALL | re.MULTILINE,
)
_AFTER_SPACE = re.compile(r"(?:^|(?<=\s))#[^\r\n]*", re.MULTILINE)
_YAML_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_LINE_END = re.compile("\r\n|[\r\n]")


class Comment(NamedTuple):
    """A comment from its ``#`` on; line and column count from 1. `is_alone`: nothing stands before it in its line."""

    text: str
    line: int
    column: int
    is_alone: bool


def comments_of(path: str, data: bytes) -> list[Comment]:
    """Return the comments of the file `data`, which is what the end of its name says: else, requirements."""
    if path.endswith(".py"):
        return list(_python(data))
    text = data.decode("utf-8-sig", "replace")
    if path.endswith(".toml"):
        return list(_placed(text, _toml_offsets, _LINE_END))
    if path.endswith((".yaml", ".yml")):
        return list(_placed(text, _yaml_offsets, _YAML_LINE_END))
    return list(_placed(text, _requirement_offsets, _LINE_END))


def _python(data: bytes) -> Iterator[Comment]:
    found = []
    try:
        for token in tokenize.tokenize(io.BytesIO(data).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                found.append(Comment(token.string, line, column + 1, not token.line[:column].strip()))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return
    yield from found


def _placed(
    text: str, offsets: Callable[[str], Iterator[tuple[int, int]]], line_end: re.Pattern[str]
) -> Iterator[Comment]:
    starts = [0, *(match.end() for match in line_end.finditer(text))]
    number = 0
    for start, end in offsets(text):
        while number < len(starts) and starts[number] <= start:
            number += 1
        line_start = starts[number - 1]
        yield Comment(text[start:end], number, start - line_start + 1, not text[line_start:start].strip())


def _toml_offsets(text: str) -> Iterator[tuple[int, int]]:
    for match in _TOML.finditer(text):
        if match["comment"]:
            yield match.span()


def _requirement_offsets(text: str) -> Iterator[tuple[int, int]]:
    for match in _AFTER_SPACE.finditer(text):
        yield match.span()


def _yaml_offsets(text: str) -> Iterator[tuple[int, int]]:
    import yaml  # noqa: PLC0415 - two interpreter starts that only a registry with such a comment pays

    scalars: list[tuple[int, int]] = []
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.ScalarToken):
                start = token.start_mark.index
                if token.style in {"|", ">"}:
                    # A comment may stand behind the sign that opens a block.
                    start += len(text[start:].partition("\n")[0])
                scalars.append((start, token.end_mark.index))
    except (yaml.YAMLError, RecursionError):
        return
    scalars.reverse()
    for match in _AFTER_SPACE.finditer(text):
        while scalars and scalars[-1][1] <= match.start():
            scalars.pop()
        if not (scalars and scalars[-1][0] <= match.start()):
            yield match.span()
