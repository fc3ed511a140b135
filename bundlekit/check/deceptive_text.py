"""Finds text in sources that people read otherwise than Python does: reordered by control characters, or lookalikes.

Letters of other alphabets are no fault: beta, Delta or sharp s are what they look like, and so is a formula's script l
or subscript i. A name only deceives where one that mixes alphabets looks as if it were ASCII, or where Python reads
ASCII (NFKC) for a word that is written otherwise.

See: CVE-2021-42574 (Trojan Source), CVE-2021-42694 (homoglyphs); UAX 31 and UTS 39; PEP 3131 for the normal form.
"""

import io
import re
import tokenize
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from bundlekit.check.columns import byte_column

__all__ = ["Control", "Lookalike", "controls", "has_unread_names", "lookalikes"]

_CONTROL_BYTES = re.compile(rb"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
_CONTROL = re.compile("[\u202a-\u202e\u2066-\u2069]")
_MAX_BYTES = 1024 * 1024
"""Above, names are not told from what strings and comments say, which takes longer than parsing."""

_MAX_LETTERS = 255
"""Nobody reads a longer word, and sorting its combining marks would take the square of its length."""

_WORD = re.compile(r"\w+")
_FORMULA = re.compile("[a-zA-Z]?[a-zA-Z\u2100-\u214f\U0001d400-\U0001d7ff]")
"""A symbol, or a differential of one, as mathematicians draw them."""

_CYRILLIC = {
    "\u0430": "a",
    "\u0441": "c",
    "\u0435": "e",
    "\u0456": "i",
    "\u0458": "j",
    "\u043e": "o",
    "\u0440": "p",
    "\u0455": "s",
    "\u0443": "y",
    "\u0445": "x",
    "\u04bb": "h",
    "\u0501": "d",
    "\u051b": "q",
    "\u051d": "w",
    "\u0475": "v",
    "\u0410": "A",
    "\u0412": "B",
    "\u0421": "C",
    "\u0415": "E",
    "\u041d": "H",
    "\u0406": "I",
    "\u0408": "J",
    "\u041a": "K",
    "\u041c": "M",
    "\u041e": "O",
    "\u0420": "P",
    "\u0405": "S",
    "\u0422": "T",
    "\u0425": "X",
    "\u04ae": "Y",
    "\u051a": "Q",
    "\u051c": "W",
}
_GREEK = {
    "\u03bf": "o",
    "\u03bd": "v",
    "\u0391": "A",
    "\u0392": "B",
    "\u0395": "E",
    "\u0396": "Z",
    "\u0397": "H",
    "\u0399": "I",
    "\u039a": "K",
    "\u039c": "M",
    "\u039d": "N",
    "\u039f": "O",
    "\u03a1": "P",
    "\u03a4": "T",
    "\u03a5": "Y",
    "\u03a7": "X",
}
_ARMENIAN = {"\u0585": "o", "\u057d": "u", "\u0578": "n", "\u0570": "h", "\u0581": "g"}
_LOOKALIKES = {**_CYRILLIC, **_GREEK, **_ARMENIAN}


_SYMBOLS_OF_PHYSICS = ("\u03bd", "\u2113")
"""Nu and script l, before Latin subscripts: only beside the word that they look like do they deceive."""


class Control(NamedTuple):
    """A control character that reorders what is shown; line and column from 1, the column in bytes."""

    character: str
    line: int
    column: int


class Lookalike(NamedTuple):
    """An identifier as it is written, what it is taken for, whether Python itself reads it so, and where it stands."""

    written: str
    taken_for: str
    is_read_so: bool
    line: int
    column: int


def controls(data: bytes) -> Iterator[Control]:
    """Yield the first bidirectional control character of each line of a source, wherever it stands."""
    if _CONTROL_BYTES.search(data) is None:
        return
    for number, line in enumerate(_text(data).split("\n"), 1):
        match = _CONTROL.search(line)
        if match is not None:
            yield Control(match[0], number, byte_column(line, match.start() + 1))


def lookalikes(data: bytes) -> Iterator[Lookalike]:
    """Yield the deceptive identifiers of a source, each where it first stands."""
    suspects = {} if len(data) > _MAX_BYTES else _suspects(_text(data))
    if not suspects:
        return
    # Only now tell names from what strings and comments say.
    try:
        for token in tokenize.tokenize(io.BytesIO(data).readline):
            if token.type == tokenize.NAME and token.string in suspects:
                line, column = token.start
                taken_for, is_read_so = suspects.pop(token.string)
                yield Lookalike(token.string, taken_for, is_read_so, line, byte_column(token.line, column + 1))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return


def has_unread_names(data: bytes) -> bool:
    """Whether a source is too large to look for its deceptive identifiers, and has words that may be some."""
    return len(data) > _MAX_BYTES and bool(_suspects(_text(data)))


def _text(data: bytes) -> str:
    """Return a source as Python decodes it, nothing where it cannot: that is found elsewhere."""
    from importlib.util import decode_source  # noqa: PLC0415 - only sources beyond ASCII need it

    try:
        return decode_source(data)
    except (SyntaxError, ValueError, LookupError):
        return ""


def _suspects(text: str) -> dict[str, tuple[str, bool]]:
    """Return the words that may deceive, with what each is taken for and whether Python reads it so."""
    found = {}
    words = set(_WORD.findall(text))
    for word in {word for word in words if not word.isascii()}:
        if len(word) > _MAX_LETTERS or not word.isidentifier():
            continue
        taken_for = _taken_for(word)
        if taken_for is not None and (taken_for[0] in words or not _is_symbol(word)):
            found[word] = taken_for
    return found


def _taken_for(word: str) -> tuple[str, bool] | None:
    """Return the ASCII that a word is taken for, and whether Python reads it so; None where it does not deceive."""
    normal = unicodedata.normalize("NFKC", word)
    if normal.isascii():
        return None if all(_is_formula(part) for part in word.split("_")) else (normal, True)
    shown = "".join(_LOOKALIKES.get(letter, letter) for letter in word)
    is_mixed = shown.isascii() and any(_is_mixed(part) for part in word.split("_"))
    return (shown, False) if is_mixed else None


def _is_symbol(word: str) -> bool:
    """Whether a word is one symbol of physics and a subscript."""
    return word.startswith(_SYMBOLS_OF_PHYSICS) and word[1:].isascii()


def _is_formula(part: str) -> bool:
    """Whether a part of a name is ASCII or a mathematical symbol, before the raised or lowered letters at its end."""
    base = part
    while base and unicodedata.category(base[-1]) == "Lm":
        base = base[:-1]
    return base.isascii() or _FORMULA.fullmatch(base) is not None


def _is_mixed(part: str) -> bool:
    """Whether a part of a name has letters of ASCII and lookalikes; one Latin letter beside Greek is physics (d nu)."""
    latin = sum(letter.isascii() and letter.isalpha() for letter in part)
    foreign = [letter for letter in part if not letter.isascii()]
    return bool(foreign) and latin > (1 if all(letter in _GREEK for letter in foreign) else 0)
