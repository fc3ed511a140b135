"""Reads one small document of a bundle as bytes, bounded, and says in one sentence why it cannot."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.place import Place

__all__ = [
    "MAX_DOCUMENT_BYTES",
    "MAX_HANDWRITTEN_BYTES",
    "decoded",
    "finding_at",
    "is_file",
    "open_without_waiting",
    "place_of",
    "read_document",
    "regular_file",
]

MAX_DOCUMENT_BYTES = 8 * 1024 * 1024
"""Nobody writes a larger document or module by hand; parsing one may take memory a hundred times its size."""

MAX_HANDWRITTEN_BYTES = 1024 * 1024
"""For TOML and YAML, whose parsers are written in Python and take seconds for a megabyte."""


def is_file(path: Path) -> bool:
    """Whether `path` is there as anything but a directory, so that a FIFO or a broken link is not taken for absent."""
    try:
        return not stat.S_ISDIR(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def open_without_waiting(path: str, flags: int) -> int:
    """Return a descriptor as :func:`os.open` does, but at once, even where a FIFO has taken the place of a file."""
    return os.open(path, flags | os.O_NONBLOCK)


def regular_file(path: Path) -> BinaryIO | None:
    """Open the file at `path` for reading, links followed; None for what is no regular file, which is never opened.

    Raises:
        OSError: nothing is there, or it may not be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        return None
    return open(path, "rb", opener=open_without_waiting)


def place_of(root: Path, path: str) -> bytes:
    """Return where the bundle's file at `path` lies, as bytes: in the locale C, no other form has an accent in it."""
    return os.fsencode(root) + b"/" + path.encode("utf-8", "surrogateescape")


def read_document(
    path: Path, name: str, code: str, problems: list[Finding], *, most: int = MAX_DOCUMENT_BYTES
) -> bytes | None:
    """Return the content of the file at `path`, called `name` in findings; None where it cannot be had.

    `most` is the largest size in bytes that is read.

    Appends a finding with `code` when the file is no regular file, is too large or is not readable.
    """
    try:
        file = regular_file(path)
        if file is None:
            problems.append(finding_at(code, f"{name} is not a regular file", Place(name)))
            return None
        with file:
            data = file.read(most + 1)
            size = max(len(data), os.fstat(file.fileno()).st_size)
    except OSError as error:
        problems.append(finding_at(code, f"{name} cannot be read: {error.strerror or error}", Place(name)))
        return None
    if size > most:
        message = f"{name} has {size:,} bytes, more than the limit of {most:,}"
        problems.append(finding_at(code, message, Place(name)))
        return None
    return data


def decoded(data: bytes, name: str, code: str, problems: list[Finding]) -> str | None:
    """Return `data` as UTF-8 text; None after a finding at the first byte that is none (columns count bytes there)."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line_start = data.rfind(b"\n", 0, error.start) + 1
        place = Place(name, data.count(b"\n", 0, error.start) + 1, error.start - line_start + 1)
        message = f"{name} is not UTF-8: byte 0x{data[error.start]:02x} cannot be decoded"
        problems.append(finding_at(code, message, place, hint="save it as UTF-8"))
        return None


def finding_at(
    code: str,
    message: str,
    place: Place | None,
    *,
    severity: Severity = Severity.ERROR,
    hint: str | None = None,
    entity: str | None = None,
) -> Finding:
    """Return the finding that stands at `place`."""
    if place is None:
        return Finding(code, severity, message, hint=hint, entity=entity)
    return Finding(code, severity, message, place.path, place.line, place.column, hint, entity)
