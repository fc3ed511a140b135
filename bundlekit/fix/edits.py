"""Edits applied to the texts of files, one after the other; one that is not safe is left out and says why."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from bundlekit.fix.python_edits import with_parameter
from bundlekit.fix.replacement import with_replacement
from bundlekit.fix.requirements_edits import with_line
from bundlekit.fix.toml_edits import (
    declares_project,
    with_entry_point,
    with_fresh_process,
    with_new_key,
    with_requirement,
    with_smoke,
)
from bundlekit.fix.unsafe import UnsafeEditError
from bundlekit.model.edit import (
    AddEntryPoint,
    AddParameter,
    AddRequirement,
    AddSmokeTask,
    CreateFile,
    Edit,
    RenameKey,
    ReplaceText,
    RequireFreshProcess,
)

__all__ = ["Edited", "applied", "files_of"]

_PYPROJECT = "pyproject.toml"
_REQUIREMENTS = "requirements.txt"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_BYTE_ORDER_MARK = "\ufeff"
_ENCODING = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII | re.MULTILINE)
_UTF_8 = re.compile(r"utf[-_]?8(?:$|-)|(?:us-)?ascii$", re.ASCII | re.IGNORECASE)


class Edited(NamedTuple):
    """The texts of the files that change, by path; the edits that were made, each with its file; those that were not.

    An edit that was not made has its file and the reason, which is half a sentence.
    """

    texts: Mapping[str, str]
    made: Mapping[Edit, str]
    refused: Mapping[Edit, tuple[str, str]]


def files_of(edit: Edit) -> tuple[str, ...]:
    """Return the paths of the files that `edit` may change, relative to the bundle's root; it changes one of them."""
    match edit:
        case CreateFile(path=path) | RenameKey(path=path):
            return (path,)
        case ReplaceText(place=place) | AddParameter(place=place):
            return (place.path,)
        case AddEntryPoint() | AddSmokeTask() | RequireFreshProcess():
            return (_PYPROJECT,)
        case AddRequirement():  # pragma: no branch - mypy holds the match to be exhaustive
            return (_PYPROJECT, _REQUIREMENTS)


def applied(texts: Mapping[str, str], edits: Iterable[Edit], blocked: Mapping[str, str] = _NOTHING) -> Edited:
    """Return the outcome of making `edits`, each once; a file that is not in `texts` does not exist.

    `blocked` are files that may not be changed, each with the reason. What moves lines comes last, so that the places
    of the others still hold.
    """
    after = dict(texts)
    made: dict[Edit, str] = {}
    refused: dict[Edit, tuple[str, str]] = {}
    for edit in sorted(dict.fromkeys(edits), key=_order):
        path = files_of(edit)[0]
        try:
            path = _file_of(after, edit, blocked)
            after[path] = _applied(after.get(path), path, edit, blocked.get(path))
        except UnsafeEditError as error:
            refused[edit] = (path, str(error))
        except (RecursionError, MemoryError):
            refused[edit] = (path, "it is nested too deeply")
        else:
            made[edit] = path
    return Edited({path: text for path, text in after.items() if text != texts.get(path)}, made, refused)


def _order(edit: Edit) -> tuple[int, int, int]:
    match edit:
        case ReplaceText(place=place) | AddParameter(place=place):
            # From the end of the file, so that what is replaced does not move what is still to be.
            return (0, -(place.line or 0), -(place.column or 0))
        case _:
            return (1, 0, 0)


def _file_of(texts: Mapping[str, str], edit: Edit, blocked: Mapping[str, str]) -> str:
    """Return which of its files the edit changes: a bundle without [project] has its dependencies in a list."""
    if not isinstance(edit, AddRequirement) or _PYPROJECT in blocked:
        return files_of(edit)[0]
    text = texts.get(_PYPROJECT)
    is_declared = text is not None and declares_project(text.removeprefix(_BYTE_ORDER_MARK))
    return _PYPROJECT if is_declared else _REQUIREMENTS


def _applied(text: str | None, path: str, edit: Edit, why_not: str | None) -> str:
    if why_not is not None:
        raise UnsafeEditError(why_not)
    if isinstance(edit, CreateFile):
        if text is not None:
            raise UnsafeEditError("it exists already")
        return edit.text
    if text is None:
        if isinstance(edit, AddRequirement):
            return f"{edit.requirement}\n"
        raise UnsafeEditError("it does not exist")
    plain = text.removeprefix(_BYTE_ORDER_MARK)
    after = _edited(plain, path, edit)
    if not (isinstance(edit, ReplaceText | RenameKey) or _keeps(plain, after)):
        raise UnsafeEditError("something that stands there would be lost")
    return text[: len(text) - len(plain)] + after


_TextEdit = AddRequirement | AddEntryPoint | ReplaceText | RenameKey | AddParameter | AddSmokeTask | RequireFreshProcess


def _edited(text: str, path: str, edit: _TextEdit) -> str:
    if path.endswith(".py"):
        _check_encoding(text)
    match edit:
        case ReplaceText():
            return with_replacement(text, edit)
        case AddParameter():
            return with_parameter(text, edit)
        case AddRequirement(requirement=requirement):
            return with_requirement(text, requirement) if path == _PYPROJECT else with_line(text, requirement)
        case AddEntryPoint():
            return with_entry_point(text, edit)
        case RenameKey():
            return with_new_key(text, edit)
        case AddSmokeTask():
            return with_smoke(text, edit)
        case RequireFreshProcess():  # pragma: no branch - mypy holds the match to be exhaustive
            return with_fresh_process(text, edit)


def _keeps(before: str, after: str) -> bool:
    """Whether every character of `before` is in `after`, in its order."""
    following = iter(after)
    return all(character in following for character in before)


def _check_encoding(source: str) -> None:
    """Refuse a source that says it is in another encoding than the UTF-8 that it was read as (PEP 263)."""
    stated = _ENCODING.search("\n".join(source.split("\n", 2)[:2]))
    if stated and not _UTF_8.match(stated[1]):
        raise UnsafeEditError(f"it is in the encoding {stated[1]}, and only UTF-8 is rewritten")
