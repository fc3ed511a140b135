"""Reads the comments ``# bundlekit: ignore[BK301] reason`` of sources, pyproject.toml and the documents beside it.

One stands behind what it speaks of, or alone above it, over nothing but other comments. It may name several codes, or
beginnings of codes. A reason is required: who reads the file later wants to know whether it still holds.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bundlekit.cold_runner.exclusions import REGISTRY
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place
from bundlekit.model.policy import IgnoreComment
from bundlekit.model.project import SourceFile
from bundlekit.read.comments import Comment, comments_of
from bundlekit.read.document import finding_at, is_file, read_document

__all__ = ["read_ignore_comments"]

_MARK = b"bundlekit:"
_START = re.compile(r"(?:^|(?<=\s))#\s*bundlekit:\s*ignore(?![\w-])")
_NEXT_COMMENT = re.compile(r"(?:^|\s)#(?![0-9]).*")
"""Where a comment for another tool follows in the same line; ``#12`` is an issue."""

_DOCUMENTS = ("pyproject.toml", "requirements.txt", ".modelops/modelops.toml", REGISTRY)


def read_ignore_comments(
    root: Path, sources: Mapping[str, SourceFile], documents: Iterable[str], problems: list[Finding]
) -> tuple[IgnoreComment, ...]:
    """Return the comments that ignore something in `sources`, in `documents` and in those that every bundle may have.

    A malformed one is appended to `problems` and ignores nothing.
    """
    marked = {path: source.data for path, source in sources.items() if _MARK in source.data}
    for name in dict.fromkeys([*_DOCUMENTS, *documents]):
        # Whether the document can be read at all is for those who read it.
        data = read_document(root / name, name, "BK106", []) if is_file(root / name) else None
        if data is not None and _MARK in data:
            marked[name] = data
    return tuple(found for path, data in marked.items() for found in _read(path, comments_of(path, data), problems))


def _read(path: str, comments: list[Comment], problems: list[Finding]) -> Iterator[IgnoreComment]:
    alone = {comment.line for comment in comments if comment.is_alone}
    for comment in comments:
        starts = list(_START.finditer(comment.text))
        ends = [*(match.start() for match in starts), len(comment.text)]
        for match, end in zip(starts, ends[1:], strict=True):
            place = Place(path, comment.line, comment.column + match.start())
            codes, reason = _parts(comment.text[match.end() : end])
            wrong = _wrong(codes, reason)
            if wrong is None:
                yield IgnoreComment(path, comment.line, comment.column + match.start(), codes, _target(comment, alone))
            else:
                hint = "write # bundlekit: ignore[BK301] and behind it why"
                problems.append(finding_at("BK108", wrong, place, severity=Severity.WARNING, hint=hint))


def _parts(rest: str) -> tuple[tuple[str, ...], str]:
    """Return the codes and the reason."""
    listed, bracket, reason = rest.lstrip().removeprefix("[").partition("]")
    if not (bracket and rest.lstrip().startswith("[")):
        return (), ""
    codes = tuple(code for part in listed.split(",") if (code := part.strip()))
    return codes, _NEXT_COMMENT.sub("", reason)


def _target(comment: Comment, alone: set[int]) -> int:
    """Return the line that the comment speaks of: its own, or the first below it that is more than a comment."""
    line = comment.line
    while line in alone:
        line += 1
    return line


def _wrong(codes: tuple[str, ...], reason: str) -> str | None:
    if not codes:
        return "the comment names no code in brackets, so it ignores nothing"
    return None if any(map(str.isalnum, reason)) else "the comment gives no reason, so it ignores nothing"
