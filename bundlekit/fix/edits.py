"""Edits applied to the texts of files, one after the other; one that is not safe is left out and says why."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bundlekit.fix.python_edits import with_parameter
from bundlekit.fix.toml_edits import UnsafeEditError, edited_pyproject
from bundlekit.model.edit import (
    AddEntryPoint,
    AddParameter,
    AddRequirement,
    AddSmokeTask,
    CreateFile,
    Edit,
    ReplaceText,
)

__all__ = ["Edited", "applied", "files_of"]

PYPROJECT = "pyproject.toml"


class Edited(NamedTuple):
    """The texts after the edits, by path; the edits that were made; and those that were not, each with the reason."""

    texts: Mapping[str, str]
    made: tuple[Edit, ...]
    refused: tuple[tuple[Edit, str], ...]


def files_of(edit: Edit) -> str:
    """Return the path of the file that `edit` changes, relative to the bundle's root."""
    match edit:
        case CreateFile(path=path):
            return path
        case ReplaceText(place=place) | AddParameter(place=place):
            return place.path
        case AddRequirement() | AddEntryPoint() | AddSmokeTask():  # pragma: no branch - mypy holds it to be exhaustive
            return PYPROJECT


def applied(texts: Mapping[str, str], edits: Iterable[Edit]) -> Edited:
    """Return the outcome of making `edits`, each once; a file that is not in `texts` does not exist.

    What moves lines comes last, so that the places of the others still hold.
    """
    after = dict(texts)
    made: list[Edit] = []
    refused: list[tuple[Edit, str]] = []
    for edit in sorted(dict.fromkeys(edits), key=_order):
        path = files_of(edit)
        try:
            after[path] = _applied(after.get(path), edit)
        except UnsafeEditError as error:
            refused.append((edit, str(error)))
        else:
            made.append(edit)
    return Edited({path: text for path, text in after.items() if text != texts.get(path)}, tuple(made), tuple(refused))


def _order(edit: Edit) -> tuple[int, int, int]:
    match edit:
        case ReplaceText(place=place) | AddParameter(place=place):
            # From the end of the file, so that what is replaced does not move what is still to be.
            return (0, -(place.line or 0), -(place.column or 0))
        case _:
            return (1, 0, 0)


def _applied(text: str | None, edit: Edit) -> str:
    if isinstance(edit, CreateFile):
        if text is not None:
            raise UnsafeEditError(f"{edit.path} exists already")
        return edit.text
    if text is None:
        raise UnsafeEditError(f"{files_of(edit)} does not exist, or is no text")
    # Line ends are put back as they were: the editors of both kinds of document write plain ones.
    has_returns = "\r\n" in text
    plain = text.replace("\r\n", "\n")
    if isinstance(edit, ReplaceText):
        found = _replaced(plain, edit)
    else:
        found = with_parameter(plain, edit) if isinstance(edit, AddParameter) else edited_pyproject(plain, edit)
    return found.replace("\n", "\r\n") if has_returns else found


def _replaced(text: str, edit: ReplaceText) -> str:
    lines = text.split("\n")
    number, column = edit.place.line or 1, edit.place.column or 1
    if number > len(lines):
        raise UnsafeEditError(f"{edit.place.path} has no line {number} any more")
    line = lines[number - 1]
    if line.count(edit.old, column - 1) != 1:
        raise UnsafeEditError(f"{edit.old!r} does not stand alone in line {number} of {edit.place.path}")
    start = line.index(edit.old, column - 1)
    lines[number - 1] = f"{line[:start]}{edit.new}{line[start + len(edit.old) :]}"
    return "\n".join(lines)
