"""Mends what findings say: reads the files that the edits name, and shows the difference or writes them."""

import difflib
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.validation import Progress, ValidateOptions, validate
from bundlekit.errors import FileAccessError, UsageError
from bundlekit.fix.edits import applied, files_of
from bundlekit.model.edit import Edit
from bundlekit.model.finding import Finding, Report
from bundlekit.read.document import MAX_DOCUMENT_BYTES, regular_file
from bundlekit.report.outputs import write_atomically

__all__ = ["Fixed", "Mended", "difference", "fix", "mend", "write"]

_BYTE_ORDER_MARK = "\ufeff"


_ROUNDS = 3
"""A mend can uncover another mistake, hardly more than one more."""


class Fixed(NamedTuple):
    """The reports after mending, how many findings were mended, in which files, and what could not be."""

    reports: tuple[Report, ...]
    mended: int
    files: tuple[str, ...]
    refused: tuple[str, ...]


class Mended(NamedTuple):
    """What mending a bundle comes to: texts before and after by path, and how many findings each way."""

    before: Mapping[str, str | None]
    after: Mapping[str, str]
    mended: int
    refused: tuple[str, ...]


def fix(paths: Sequence[Path], options: ValidateOptions, progress: Progress) -> Fixed:
    """Mend the bundles that `paths` stand for, and return the reports of how they are then.

    Raises:
        UsageError: a path is an archive.
        FileAccessError: a file cannot be written; those before it are mended.
    """
    for path in paths:
        if path.is_file():
            raise UsageError(
                f"{path} is an archive, which nothing can mend: name the directory that it came from", subject=path
            )
    count, files, refused = 0, set[str](), dict[str, None]()
    for _ in range(_ROUNDS):
        reports = validate(paths, options, progress)
        changes = [(Path(report.path), mend(Path(report.path), report.findings)) for report in reports]
        refused |= dict.fromkeys(reason for _, mended in changes for reason in mended.refused)
        if not any(mended.after for _, mended in changes):
            return Fixed(reports, count, tuple(sorted(files)), tuple(refused))
        for root, mended in changes:
            write(root, mended)
            count += mended.mended
            files |= {f"{root}/{path}" for path in mended.after}
    return Fixed(validate(paths, options, progress), count, tuple(sorted(files)), tuple(refused))


def mend(root: Path, findings: Sequence[Finding]) -> Mended:
    """Return the bundle's files at `root` with every edit of `findings` made that is safe; nothing is written."""
    edits = [finding.edit for finding in findings if finding.edit is not None]
    possible, outside = _inside(root, edits)
    before = {path: _text(root, path) for path in dict.fromkeys(map(files_of, possible))}
    edited = applied({path: text for path, text in before.items() if text is not None}, possible)
    made = set(edited.made)
    refused = [f"{files_of(edit)}: {reason}" for edit, reason in edited.refused]
    refused += [f"{files_of(edit)} is not a file of the bundle" for edit in outside]
    count = sum(finding.edit in made for finding in findings)
    return Mended(before, edited.texts, count, tuple(refused))


def difference(mended: Mended, label: str) -> str:
    """Return what mending changes as a unified diff, its paths below `label`."""
    parts: list[str] = []
    for path, after in sorted(mended.after.items()):
        before = mended.before.get(path)
        name = f"{label}/{path}"
        lines = difflib.unified_diff(
            (before or "").splitlines(keepends=True),
            after.splitlines(keepends=True),
            "/dev/null" if before is None else name,
            name,
        )
        parts.extend(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
        if before is None and not after:
            # An empty file has no line to show.
            parts.append(f"--- /dev/null\n+++ {name}\n")
    return "".join(parts)


def write(root: Path, mended: Mended) -> None:
    """Write every changed file, each wholly or not at all; modes stay as they are.

    Raises:
        FileAccessError: a file cannot be written, or has changed since it was read.
    """
    for path, text in mended.after.items():
        file = root / path
        before = mended.before.get(path)
        if _text(root, path) != before:
            raise FileAccessError(f"{path} has changed since it was checked: it is left as it is", subject=path)
        mode = None if before is None else stat.S_IMODE(file.stat().st_mode)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, text, mode=mode)


def _inside(root: Path, edits: Iterable[Edit]) -> tuple[list[Edit], list[Edit]]:
    """Return the edits of files that may be changed, and those of others: outside of the bundle, behind a link."""
    listed = list(edits)
    outside = {path for path in map(files_of, listed) if not _is_own(root, path)}
    return [each for each in listed if files_of(each) not in outside], [
        each for each in listed if files_of(each) in outside
    ]


def _is_own(root: Path, path: str) -> bool:
    """Whether the path leads to a file inside the bundle without any link on the way, or to none."""
    if path.startswith("/") or ".." in path.split("/"):
        return False
    here = root
    for part in path.split("/"):
        here /= part
        if here.is_symlink():
            return False
    return not here.exists() or here.is_file()


def _text(root: Path, path: str) -> str | None:
    """Return the file as text, None where there is none, or none in UTF-8 without a byte order mark."""
    try:
        opened = regular_file(root / path)
        if opened is None:
            return None
        with opened:
            data = opened.read(MAX_DOCUMENT_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return None if len(data) > MAX_DOCUMENT_BYTES or text.startswith(_BYTE_ORDER_MARK) else text
