"""Reads the comments ``# bundlekit: ignore[BK301] reason`` of sources, pyproject.toml and the documents beside it.

One stands behind what it speaks of, or alone on the line above; of what is found in a whole file, anywhere in it. A
reason is required: who reads the file later wants to know whether it still holds.
"""

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner.exclusions import REGISTRY
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place
from bundlekit.model.policy import IgnoreComment
from bundlekit.model.project import SourceFile
from bundlekit.read.document import finding_at, is_file, read_document

__all__ = ["read_ignore_comments"]

_MARK = re.compile(rb"#\s*bundlekit:\s*ignore\b")
_COMMENT = re.compile(r"#\s*bundlekit:\s*ignore\b(?:\[(?P<codes>[^\]]*)\])?[\s:,-]*(?P<reason>.*)")
_CODE = re.compile(r"BK\d{0,3}", re.ASCII)
_STRING_OR_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?"""|' r"'''.*?'''|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'|#[^\n]*", re.DOTALL
)
_DOCUMENTS = ("pyproject.toml", "requirements.txt", REGISTRY)


class _Found(NamedTuple):
    text: str
    line: int
    column: int
    is_alone: bool


def read_ignore_comments(
    root: Path, sources: Mapping[str, SourceFile], problems: list[Finding]
) -> tuple[IgnoreComment, ...]:
    """Return the comments that ignore something; a malformed one is appended to `problems` and ignores nothing."""
    found: list[IgnoreComment] = []
    for path, source in sources.items():
        if _MARK.search(source.data):
            found.extend(_read(path, _python_comments(source.data), problems))
    for name in _DOCUMENTS:
        # Whether the document can be read at all is for those who read it.
        data = read_document(root / name, name, "BK106", []) if is_file(root / name) else None
        if data is not None and _MARK.search(data):
            found.extend(_read(name, _document_comments(data.decode("utf-8", "replace")), problems))
    return tuple(found)


def _read(path: str, comments: Iterator[_Found], problems: list[Finding]) -> Iterator[IgnoreComment]:
    for comment in comments:
        match = _COMMENT.search(comment.text)
        if match is None:
            continue
        codes = tuple(code.strip() for code in (match["codes"] or "").split(",") if code.strip())
        wrong = _wrong(codes, match["reason"])
        if wrong is not None:
            place = Place(path, comment.line, comment.column)
            hint = "write # bundlekit: ignore[BK301] and behind it why"
            problems.append(finding_at("BK108", wrong, place, severity=Severity.WARNING, hint=hint))
            continue
        lines = (comment.line, comment.line + 1) if comment.is_alone else (comment.line,)
        yield IgnoreComment(path, comment.line, comment.column, codes, lines)


def _wrong(codes: tuple[str, ...], reason: str) -> str | None:
    if not codes:
        return "the comment names no code in brackets, so it ignores nothing"
    malformed = next((code for code in codes if not _CODE.fullmatch(code)), None)
    if malformed is not None:
        return f"the comment names {malformed!r:.40}, which is no code, so it ignores nothing"
    return None if reason.strip() else "the comment gives no reason, so it ignores nothing"


def _python_comments(data: bytes) -> Iterator[_Found]:
    try:
        for token in tokenize.tokenize(io.BytesIO(data).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                yield _Found(token.string, line, column + 1, not token.line[:column].strip())
    except (tokenize.TokenError, SyntaxError, ValueError):
        return


def _document_comments(text: str) -> Iterator[_Found]:
    for match in _STRING_OR_COMMENT.finditer(text):
        if match[0].startswith("#"):
            start = text.rfind("\n", 0, match.start()) + 1
            line = text.count("\n", 0, match.start()) + 1
            before = text[start : match.start()]
            yield _Found(match[0], line, match.start() - start + 1, not before.strip())
