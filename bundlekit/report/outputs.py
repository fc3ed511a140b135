"""Where reports go: repeatable ``FORMAT[:FILE]`` destinations."""

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Self

from bundlekit.errors import FileAccessError, UsageError
from bundlekit.model.finding import Report
from bundlekit.report.surroundings import Surroundings
from bundlekit.report.text import Style, plain, report_lines

__all__ = [
    "PACK_REPORT_MARK",
    "PAGE_MARK",
    "Destination",
    "Format",
    "check_destinations",
    "check_replaceable",
    "plain",
    "render",
    "write_atomically",
    "write_files",
]


PACK_REPORT_MARK = '"bundlekit/pack-report/'
"""What stands near the start of every document of that kind."""

PAGE_MARK = '<meta name="generator" content="bundlekit '
"""What stands near the start of every page in HTML."""

_START_BYTES = 4096


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    HTML = "html"


_MARKS = {
    Format.JSON: '"bundlekit/report/',
    Format.SARIF: '"fullName": "bundlekit ',
    Format.JUNIT: '<testsuites name="bundlekit"',
    Format.HTML: PAGE_MARK,
}
"""What stands near the start of every report of ours in that format; the others have nothing that tells them."""

_ANYWHERE = Surroundings()


class Destination(NamedTuple):
    """One format and the file it goes to; without a file it goes to standard output."""

    format: Format
    file: Path | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the destination that ``FORMAT[:FILE]`` names.

        Raises:
            UsageError: the format is none of ours, or the colon has no file behind it.
        """
        name, colon, file = text.partition(":")
        formats = [each.value for each in Format]
        if name not in formats or (colon and not file):
            msg = f"--output {text!r}: expected FORMAT or FORMAT:FILE with a format of {', '.join(formats)}"
            raise UsageError(msg, subject=text)
        return cls(Format(name), Path(file) if colon else None)


def render(reports: Sequence[Report], form: Format, style: Style = plain, around: Surroundings = _ANYWHERE) -> str:
    """Return the reports in the given format."""
    # A hook writes text, and each of the other formats would cost it a share of its time.
    match form:
        case Format.TEXT:
            return "".join(f"{line}\n" for line in report_lines(reports, style))
        case Format.JSON:
            from bundlekit.report.documents import json_text, reports_document  # noqa: PLC0415 - the reason stands above

            return json_text(reports_document(reports))
        case Format.GITHUB:
            from bundlekit.report.github import annotation_lines  # noqa: PLC0415 - the reason stands above

            return "".join(f"{line}\n" for line in annotation_lines(reports, around))
        case Format.SARIF:
            from bundlekit.report.documents import json_text  # noqa: PLC0415 - the reason stands above
            from bundlekit.report.sarif import sarif_document  # noqa: PLC0415 - the reason stands above

            return json_text(sarif_document(reports, around))
        case Format.JUNIT:
            from bundlekit.report.junit import junit_text  # noqa: PLC0415 - the reason stands above

            return junit_text(reports, around)
        case Format.HTML:
            from bundlekit.report.html.reports import reports_page  # noqa: PLC0415 - the reason stands above

            return reports_page(reports, around)


def check_destinations(destinations: Sequence[Destination]) -> None:
    """Refuse, before any work, a file that could not be written afterwards or that is somebody's own.

    Raises:
        UsageError: there is no such directory, or a file stands there that is no report of bundlekit.
    """
    for destination in destinations:
        if destination.file is not None:
            check_replaceable(destination.file, _MARKS.get(destination.format))


def check_replaceable(path: Path, mark: str | None) -> None:
    """Refuse to replace what bundlekit did not write; `mark` is a text that what it wrote begins with, if any.

    Raises:
        UsageError: there is no such directory, or a file stands there without the mark.
    """
    if not path.parent.is_dir():
        msg = f"{path} cannot be written: {path.parent} is not a directory"
        raise UsageError(msg, subject=path, hint="create it first")
    if path.is_dir():
        msg = f"{path} cannot be written: it is a directory"
        raise UsageError(msg, subject=path)
    if mark is None or not path.is_file() or path.stat().st_size == 0:
        return
    with path.open("rb") as file:
        start = file.read(_START_BYTES)
    if mark.encode() not in start:
        msg = f"{path} exists and was not written by bundlekit: it is left as it is"
        raise UsageError(msg, subject=path, hint="name another file, or remove this one first")


def write_files(
    reports: Sequence[Report], destinations: Sequence[Destination], around: Surroundings = _ANYWHERE
) -> None:
    """Write each destination that names a file.

    Raises:
        FileAccessError: a file cannot be written.
    """
    for destination in destinations:
        if destination.file is not None:
            write_atomically(destination.file, render(reports, destination.format, around=around))


def write_atomically(path: Path, text: str, *, mode: int | None = None) -> None:
    """Replace the file at `path` by `text`, wholly or not at all; with `mode`, under that mode.

    Raises:
        FileAccessError: the file cannot be written; what stood there still does.
    """
    temporary = path.with_name(f".{path.name[:200]}.{os.urandom(6).hex()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="")
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}"
        raise FileAccessError(msg, subject=path) from error
    finally:
        temporary.unlink(missing_ok=True)
