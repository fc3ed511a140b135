"""Columns as people and editors count them.

Syntax trees count the UTF-8 bytes of a line, and so do the rules that take places from them; reports count characters.
"""

from collections.abc import Iterable, Iterator, Mapping

from bundlekit.model.finding import Finding
from bundlekit.model.project import SourceFile

__all__ = ["byte_column", "in_characters"]


def byte_column(line: str, column: int) -> int:
    """Return where the character at the 1-based `column` of `line` starts, in bytes from 1."""
    return len(line[: column - 1].encode("utf-8", "surrogatepass")) + 1


def in_characters(findings: Iterable[Finding], sources: Mapping[str, SourceFile]) -> Iterator[Finding]:
    """Yield `findings` with the columns in Python sources, which count bytes, as columns that count characters."""
    read: dict[str, list[str]] = {}
    for finding in findings:
        source = sources.get(finding.path or "")
        if source is None or finding.line is None or finding.column is None or source.data.isascii():
            yield finding
            continue
        lines = read.setdefault(source.path, _lines(source.data))
        if finding.line > len(lines):
            yield finding
            continue
        before = lines[finding.line - 1].encode("utf-8", "surrogatepass")[: finding.column - 1]
        yield finding._replace(column=len(before.decode("utf-8", "ignore")) + 1)


def _lines(data: bytes) -> list[str]:
    """Return the lines of a source as Python decodes them, none where it cannot."""
    from importlib.util import decode_source  # noqa: PLC0415 - only findings in sources beyond ASCII need it

    try:
        return decode_source(data).split("\n")
    except (SyntaxError, ValueError, LookupError):
        return []
