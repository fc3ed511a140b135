"""One string of a document replaced by another, in the quotes that it has.

The string must stand at its very place. Afterwards the document is read again, as its own format, and must have the new
value there and the old ones everywhere else.
"""

import ast
import json
import re
import tomllib
from collections.abc import Callable
from typing import NamedTuple

from bundlekit.fix.differences import Difference, differences
from bundlekit.fix.unsafe import UnsafeEditError
from bundlekit.model.edit import ReplaceText
from bundlekit.model.place import Place

__all__ = ["with_replacement"]

_QUOTES = ('"""', "'''", '"', "'", "")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f\"'\\]*")


class _Format(NamedTuple):
    """The quotes of strings in a format, and what proves that `before` and `after` differ in the one string alone."""

    quotes: tuple[str, ...]
    proves: Callable[[str, str, ReplaceText], bool]


def with_replacement(text: str, edit: ReplaceText) -> str:
    """Return `text` with the string at the edit's place replaced.

    Raises:
        UnsafeEditError: the string does not stand there, or more than that would change.
    """
    path = edit.place.path
    known = next((each for suffix, each in _FORMATS.items() if path.endswith(suffix)), None)
    if known is None:
        raise UnsafeEditError("strings of such files cannot be replaced")
    start = _offset(text, edit.place, counts_bytes=path.endswith(".py"))
    quote = next((each for each in known.quotes if text.startswith(f"{each}{edit.old}{each}", start)), None)
    if quote is None:
        raise UnsafeEditError(f"{edit.old!r} does not stand in line {edit.place.line}, column {edit.place.column}")
    if (quote and not _PLAIN.fullmatch(edit.new)) or not edit.new.isprintable():
        raise UnsafeEditError(f"{edit.new!r} cannot be written in the quotes that stand there")
    start += len(quote)
    after = f"{text[:start]}{edit.new}{text[start + len(edit.old) :]}"
    try:
        is_proved = known.proves(text, after, edit)
    except (ValueError, SyntaxError) as error:
        raise UnsafeEditError(f"it could not be read any more: {error}") from error
    if not is_proved:
        raise UnsafeEditError("more than that would change")
    return after


def _offset(text: str, place: Place, *, counts_bytes: bool) -> int:
    """Return the offset of a place; columns of Python sources count the bytes of UTF-8, as its parser does."""
    lines = text.split("\n")
    line, column = place.line or 0, place.column or 0
    if not 0 < line <= len(lines) or column < 1:
        raise UnsafeEditError(f"there is no line {line}, column {column} any more")
    before = lines[line - 1]
    characters = column - 1
    if counts_bytes:
        characters = len(before.encode("utf-8", "surrogatepass")[:characters].decode("utf-8", "replace"))
    return sum(len(each) + 1 for each in lines[: line - 1]) + characters


def _toml(before: str, after: str, edit: ReplaceText) -> bool:
    return _is_one(list(differences(tomllib.loads(before), tomllib.loads(after))), edit)


def _json(before: str, after: str, edit: ReplaceText) -> bool:
    return _is_one(list(differences(json.loads(before), json.loads(after))), edit)


def _is_one(found: list[Difference], edit: ReplaceText) -> bool:
    return len(found) == 1 and (found[0].before, found[0].after) == (edit.old, edit.new)


def _yaml(before: str, after: str, edit: ReplaceText) -> bool:
    """Compare the events of the two: anchors and aliases count as they are written, so nothing is expanded."""
    import yaml  # noqa: PLC0415 - only a fix of a registry pays for it

    def events(text: str) -> list[tuple[str, ...]]:
        try:
            return [
                (type(each).__name__, *(str(getattr(each, name, "")) for name in ("anchor", "tag", "value", "style")))
                for each in yaml.parse(text, Loader=yaml.SafeLoader)
            ]
        except yaml.YAMLError as error:
            raise ValueError(str(error).partition("\n")[0]) from error

    pairs = list(zip(events(before), events(after), strict=True))
    changed = [(old, new) for old, new in pairs if old != new]
    return len(changed) == 1 and changed[0][0][3] == edit.old and changed[0][1][3] == edit.new


def _python(before: str, after: str, edit: ReplaceText) -> bool:
    """Compare all nodes of the two trees in their order: one constant differs."""
    pairs = list(zip(ast.walk(ast.parse(before)), ast.walk(ast.parse(after)), strict=True))
    changed = [
        (getattr(old, "value", None), getattr(new, "value", None)) for old, new in pairs if _own(old) != _own(new)
    ]
    return changed == [(edit.old, edit.new)]


def _own(node: ast.AST) -> tuple[str, list[object]]:
    """Return what a node holds beside other nodes and places."""
    fields = [value for _, value in ast.iter_fields(node)]
    return type(node).__name__, [None if isinstance(value, ast.AST | list) else value for value in fields]


def _line(before: str, after: str, edit: ReplaceText) -> bool:
    """Nothing but the end, white space, a comment or a marker may follow: else another requirement begins alike."""
    start = _offset(before, edit.place, counts_bytes=False)
    return after != before and re.match(r"\s|$|#", before[start + len(edit.old) :]) is not None


_FORMATS = {
    ".toml": _Format(_QUOTES[:-1], _toml),
    ".json": _Format(('"',), _json),
    ".yaml": _Format(('"', "'", ""), _yaml),
    ".yml": _Format(('"', "'", ""), _yaml),
    ".py": _Format(_QUOTES[:-1], _python),
    ".txt": _Format(("",), _line),
}
