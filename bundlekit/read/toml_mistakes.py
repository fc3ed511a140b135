"""Says in plain words what is wrong with a document that is no TOML, where the parser only names a character.

The answer is read from the text around the place where the parser stopped, and hardly from its words, which change with
the version of Python. Strings, comments and brackets before that place tell an open bracket from a missing comma.

See: TOML 1.0.0.
"""

import re
from typing import NamedTuple

__all__ = ["Mistake", "find_mistake"]

# Every quantifier gives nothing back, and an unclosed string is one token (it has a group): else a line of quotes takes
# the square of its length, and the document may be a megabyte.
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+(?:"{3,5}|(\\?\Z))'
    r"|'''(?:[^']|'{1,2}(?!'))*+(?:'{3,5}|(\Z))"
    r"|#[^\n]*+"
    r'|"(?:[^"\\\n]|\\[^\n])*+(?:"|())'
    r"|'[^'\n]*+(?:'|())"
    r"|[\[\]{}]",
    re.DOTALL,
)
_KEY = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_DOTTED = rf"{_KEY}(?:[ \t]*+\.[ \t]*+{_KEY})*+"
_STATEMENT = re.compile(
    rf"^[ \t]*+(?:(?P<key>{_DOTTED})[ \t]*+=|\[\[?[ \t]*+(?P<table>{_DOTTED})[ \t]*+\])", re.MULTILINE
)
_BARE_VALUE = re.compile(rf"""[ \t]*+({_DOTTED})[ \t]*+=[ \t]*+([^"'\[{{#\n]*+)(?:#|$)""")
_CONFLICT = re.compile(r"(?:<{7}|={7}|>{7})(?:\s|$)")
_CURLY_QUOTES = frozenset("\u2018\u2019\u201c\u201d\u201e")
_WORDS = {
    "true": "booleans are written true and false",
    "false": "booleans are written true and false",
    "none": "TOML has no null: leave the key out",
    "null": "TOML has no null: leave the key out",
}
_SHOWN_CHARACTERS = 60


class Mistake(NamedTuple):
    """What is wrong, how to mend it, and at which offset of the text."""

    what: str
    hint: str
    offset: int


class _Stop(NamedTuple):
    """Where the parser stopped and what it said; `line` is the line around it, which starts at `line_start`."""

    text: str
    offset: int
    said: str
    line_start: int
    line: str


def find_mistake(text: str, offset: int, said: str) -> Mistake | None:
    """Return what is wrong with `text`, at whose `offset` the parser stopped and `said` why, None if unclear."""
    start = text.rfind("\n", 0, offset) + 1
    stop = _Stop(text, offset, said, start, text[start:].partition("\n")[0])
    return next((mistake for look in _LOOKS if (mistake := look(stop)) is not None), None)


def _foreign(stop: _Stop) -> Mistake | None:
    if _CONFLICT.match(stop.line):
        return Mistake("a merge conflict is left in it", "resolve the conflict and delete its markers", stop.line_start)
    if stop.line.lstrip().startswith("//"):
        return Mistake("a line starts with //", "comments start with #", stop.line_start)
    here = stop.text[stop.offset : stop.offset + 1]
    if here in _CURLY_QUOTES:
        return Mistake("a curly quote is no quote", "put texts into plain quotes", stop.offset)
    if here == "(":
        return Mistake("a parenthesis starts no value", "write arrays as [...]", stop.offset)
    return None


def _repeated(stop: _Stop) -> Mistake | None:
    before = [match for match in _STATEMENT.finditer(stop.text) if match.start() < stop.offset]
    if not (before and stop.said.startswith(("Cannot overwrite", "Cannot declare"))):
        return None
    last = before.pop()
    kind = "key" if last["key"] else "table"
    first = None
    for match in reversed(before):
        if match[kind] == last[kind]:
            first = _line_number(stop.text, match.end())
        if kind == "key" and match["table"]:
            break
    name = last["key"] or f"[{last['table']}]"
    hint = "keep one of the two" + (f"; the first is in line {first}" if first else "")
    return Mistake(f"the {kind} {name} is there twice", hint, last.end() - len(last[0].lstrip()))


def _open_string(stop: _Stop) -> Mistake | None:
    end = stop.line_start + len(stop.line)
    lone = next((match for match in _TOKEN.finditer(stop.text, 0, end) if match.lastindex), None)
    if lone is None:
        return None
    quote = lone[0][0] * (3 if lone[0].startswith(('"""', "'''")) else 1)
    before = stop.text[: lone.start()].rpartition("\n")[2].rstrip(" \t")
    if not before or before[-1] in "=[,{.":
        what = f"the string that starts here is not closed: its second {quote} is missing"
        return Mistake(what, f"write {quote} at the end of the text", lone.start())
    what = f"one {quote} is missing in this line"
    return Mistake(what, "put every text between two quotes", min(stop.offset, lone.start()))


def _backslash(stop: _Stop) -> Mistake | None:
    if not stop.said.startswith(("Invalid hex", "Unescaped")):
        return None
    hint = "write / or \\\\, or put the text between single quotes, where a backslash is only itself"
    return Mistake("a backslash between double quotes starts an escape, and this is none", hint, stop.offset)


def _separator(stop: _Stop) -> Mistake | None:
    if not stop.said.startswith("Expected '='"):
        return None
    if stop.text[stop.offset : stop.offset + 1] == ":":
        return Mistake("a colon follows the key", "write key = value", stop.offset)
    return Mistake("no = follows the key", "write key = value; a key with spaces needs quotes", stop.offset)


def _open_bracket(stop: _Stop) -> Mistake | None:
    opened = _opened(stop.text, stop.line_start)
    if not (opened and _STATEMENT.match(stop.line)):
        at_end = not stop.text[stop.offset :].strip()
        opened = _opened(stop.text, stop.offset)
        if opened and (not at_end or stop.text[opened[-1]] == "{"):
            return _inside(stop, opened[-1])
    if not opened:
        return None
    return Mistake("the array that starts here is not closed: its ] is missing", "write ] at its end", opened[0])


def _inside(stop: _Stop, opening: int) -> Mistake | None:
    """Return what is wrong between two items of the array or inline table that starts at `opening`."""
    previous, here = stop.text[: stop.offset].rstrip()[-1:], stop.text[stop.offset : stop.offset + 1]
    if stop.text[opening] == "{":
        if here in {"", "\r", "\n", "#"}:
            hint = "write it in one line, or as a table of its own"
            return Mistake("an inline table does not end in the line where it starts", hint, opening)
        if here == "}":
            return Mistake("a comma stands before the } of an inline table", "delete that comma", stop.offset)
    elif opening >= stop.line_start and not stop.text[stop.line_start : opening].strip("[ \t"):
        return Mistake("the header of a table is not closed: its ] is missing", "write ] at its end", stop.offset)
    if stop.said.startswith("Unclosed") and previous not in "[{,":
        return Mistake("a comma is missing before this value", "put a comma between any two values", stop.offset)
    return None


def _value(stop: _Stop) -> Mistake | None:
    match = _BARE_VALUE.match(stop.line)
    if match is None:
        if not stop.said.startswith("Expected newline"):
            return None
        rest = stop.text[stop.offset :].partition("\n")[0].strip()
        if rest in {",", ";"}:
            return Mistake(f"a {rest} ends the line", "delete it", stop.offset)
        return Mistake("something follows in the same line", "start a new line for it, or delete it", stop.offset)
    key, value = match[1], match[2].rstrip(" \t")
    offset = stop.line_start + match.start(2)
    if not value:
        return Mistake(f"the key {key} has no value", f'write {key} = "..."', offset)
    if value.lower() in _WORDS:
        return Mistake(f"{value} is no value", _WORDS[value.lower()], offset)
    if value[-1] in ",;":
        return Mistake(f"a {value[-1]} ends the line", "delete it", offset + len(value) - 1)
    shown = value if len(value) <= _SHOWN_CHARACTERS else "..."
    return Mistake("this text has no quotes", f'write {key} = "{shown}"', offset)


_LOOKS = (_foreign, _repeated, _open_string, _backslash, _separator, _open_bracket, _value)


def _opened(text: str, end: int) -> list[int]:
    """Return the offsets of the brackets that are open at `end`, outermost first."""
    opened: list[int] = []
    for match in _TOKEN.finditer(text, 0, end):
        if match[0] in {"[", "{"}:
            opened.append(match.start())
        elif match[0] in {"]", "}"} and opened:
            opened.pop()
    return opened


def _line_number(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
