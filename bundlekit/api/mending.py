"""Mends what findings say: reads the files that the edits name, and shows the difference or writes them."""

import difflib
import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.source_files import read_texts, write_text
from bundlekit.api.validation import Progress, ValidateOptions, validate
from bundlekit.errors import FileAccessError, UsageError
from bundlekit.fix.edits import applied, files_of
from bundlekit.model.finding import Finding, Fixed, Level, Obstacle, Report, Unfixed

__all__ = ["Mended", "Written", "difference", "fix", "mend", "with_differences", "write"]

_ROUNDS = 6
"""A mend can uncover another mistake, and that one more; each round costs a validation."""


class Mended(NamedTuple):
    """What mending a bundle comes to: texts before and after by path, and what became of each finding with an edit."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    fixed: tuple[Fixed, ...] = ()
    unfixed: tuple[Unfixed, ...] = ()


class Written(NamedTuple):
    """The paths of the files that were written, and what kept the others from it."""

    paths: tuple[str, ...]
    obstacle: Obstacle | None = None


class _Tally(NamedTuple):
    """What was done to one bundle: in all rounds, and whether in the last of them."""

    fixed: tuple[Fixed, ...] = ()
    unfixed: tuple[Unfixed, ...] = ()
    obstacle: Obstacle | None = None
    has_changed: bool = False


def fix(paths: Sequence[Path], options: ValidateOptions, progress: Progress) -> tuple[Report, ...]:
    """Mend the bundles that `paths` stand for, and return the reports of how they are then.

    What reading finds is mended first, so that bundle code runs only when nothing more can be said without. A file that
    cannot be written is the obstacle of its bundle's report.

    Raises:
        UsageError: a path is an archive; or as :func:`bundlekit.api.validation.validate`.
    """
    for path in paths:
        if path.is_file():
            message = f"{path} is an archive, which nothing can mend: name the directory that it came from"
            raise UsageError(message, subject=path)
    tallies: dict[str, _Tally] = {}
    level = Level.STATIC
    for _ in range(_ROUNDS):
        reports = validate(paths, options._replace(level=level), progress)
        for report in reports:
            tallies[report.path] = _mended_once(report, tallies.get(report.path, _Tally()), options.job_spec)
        if any(tallies[report.path].has_changed for report in reports):
            continue
        if level is options.level:
            return tuple(_with_tally(report, tallies[report.path]) for report in reports)
        level = options.level
    reports = validate(paths, options, progress)
    return tuple(_with_tally(report, tallies.get(report.path, _Tally())) for report in reports)


def _mended_once(report: Report, tally: _Tally, job_spec: Path | None) -> _Tally:
    """Mend what the findings of `report` say, and return what was done by then."""
    if tally.obstacle is not None:
        return tally._replace(has_changed=False)
    mended = mend(Path(report.path), report.findings, job_spec)
    written = write(Path(report.path), mended, job_spec)
    fixed = [each for each in mended.fixed if each.path in written.paths]
    return _Tally((*tally.fixed, *fixed), mended.unfixed, written.obstacle, bool(written.paths))


def _with_tally(report: Report, tally: _Tally) -> Report:
    obstacle = report.obstacle or tally.obstacle
    return report._replace(fixed=tally.fixed, unfixed=tally.unfixed, obstacle=obstacle)


def mend(root: Path, findings: Sequence[Finding], job_spec: Path | None = None) -> Mended:
    """Return the bundle's files at `root` with every edit of `findings` made that is safe; nothing is written.

    `job_spec` is the one other file that may be mended.
    """
    edits = [finding.edit for finding in findings if finding.edit is not None]
    files = read_texts(root, [path for edit in edits for path in files_of(edit)], job_spec)
    edited = applied(files.texts, edits, files.blocked)
    pairs = [(each, each.edit) for each in findings if each.edit is not None]
    return Mended(
        files.texts,
        edited.texts,
        tuple(Fixed(each, edited.made[edit]) for each, edit in pairs if edit in edited.made),
        tuple(Unfixed(each, *edited.refused[edit]) for each, edit in pairs if edit in edited.refused),
    )


def with_differences(reports: Sequence[Report], job_spec: Path | None = None) -> tuple[Report, ...]:
    """Return `reports` with what mending would do now; what that might uncover is not known before it is done."""
    found = []
    for report in reports:
        mended = Mended({}, {}) if Path(report.path).is_file() else mend(Path(report.path), report.findings, job_spec)
        text = difference(mended, report.path)
        found.append(report._replace(fixed=mended.fixed, unfixed=mended.unfixed, difference=text))
    return tuple(found)


def difference(mended: Mended, label: str) -> str:
    """Return what mending changes as a unified diff, its paths below `label`."""
    parts: list[str] = []
    for path, after in sorted(mended.after.items()):
        before = mended.before.get(path)
        name = posixpath.normpath(posixpath.join(label, path))
        old = "/dev/null" if before is None else name
        lines = difflib.unified_diff(_lines(before or ""), _lines(after), old, name)
        parts.extend(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
        if before is None and not after:
            # An empty file has no line to show; without these, git would not create it.
            parts.append(f"diff --git {name} {name}\nnew file mode 100644\nindex 0000000..e69de29\n")
            parts.append(f"--- /dev/null\n+++ {name}\n")
    return "".join(parts)


def _lines(text: str) -> list[str]:
    """Return the lines as a patch counts them: by line feeds alone."""
    *lines, last = text.split("\n")
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]


def write(root: Path, mended: Mended, job_spec: Path | None = None) -> Written:
    """Write every changed file, each wholly or not at all, up to the first that cannot be or has changed meanwhile."""
    paths: list[str] = []
    for path, text in sorted(mended.after.items()):
        try:
            write_text(root, path, mended.before.get(path), text, job_spec)
        except FileAccessError as error:
            return Written(tuple(paths), Obstacle(error.code, error.message, error.hint))
        paths.append(path)
    return Written(tuple(paths))
