"""Reports -> the Markdown that GitHub shows on the page of a workflow's run.

See: "Workflow commands for GitHub Actions", adding a job summary: one step may add 1 MiB.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from bundlekit.errors import FileAccessError
from bundlekit.model.finding import Finding, Report, Severity
from bundlekit.report.printable import printable, printable_lines
from bundlekit.report.surroundings import Surroundings
from bundlekit.report.text import plain, summary_line

__all__ = ["MAX_SUMMARY_BYTES", "append_step_summary", "step_summary"]

MAX_SUMMARY_BYTES = 1024 * 1024

_MAX_CELL = 2000
"""Characters of one message: one traceback must not push out all other findings."""

_RESERVED_BYTES = 400
"""For the sentence that tells how many findings are left out."""

# Whatever has a meaning in Markdown or HTML, as entities: these mean nothing in either, in or out of a table.
_ENTITIES = str.maketrans({character: f"&#{ord(character)};" for character in "\\`*_[]<>#|~&$@"})


def step_summary(reports: Sequence[Report], around: Surroundings, limit_bytes: int = MAX_SUMMARY_BYTES) -> str:
    """Return all findings as one table a bundle, errors first, in at most `limit_bytes` of UTF-8."""
    failed = sum(not report.passed for report in reports)
    verdict = f"{failed:,} of {len(reports):,} failed" if failed else f"{len(reports):,} passed"
    parts = [f"## bundlekit: {verdict}\n\n" if reports else "## bundlekit: no bundle found\n\n"]
    left = limit_bytes - _RESERVED_BYTES - len(parts[0].encode())
    total = sum(len(report.findings) for report in reports)
    shown = 0
    for part, findings in _parts(reports, around):
        left -= len(part.encode())
        if left < 0:
            rest = total - shown
            parts.append(
                f"\n\n{rest:,} of {total:,} findings are left out: a summary holds 1 MiB; the log has them all.\n"
            )
            break
        parts.append(part)
        shown += findings
    return "".join(parts)


def append_step_summary(path: Path, reports: Sequence[Report], around: Surroundings) -> None:
    """Add the summary to the file at `path`, after what the step has written there already.

    Raises:
        FileAccessError: the file cannot be written.
    """
    try:
        # Earlier commands of a step write to the same file, and their text counts too.
        with path.open("ab") as file:
            room = MAX_SUMMARY_BYTES - os.fstat(file.fileno()).st_size
            file.write(step_summary(reports, around, room).encode() if room > _RESERVED_BYTES else b"")
    except OSError as error:
        msg = f"cannot write the step's summary to {path}: {error.strerror}"
        raise FileAccessError(msg, subject=path) from error


def _parts(reports: Sequence[Report], around: Surroundings) -> Iterator[tuple[str, int]]:
    """Yield pieces of the text, each with the number of findings in it."""
    for report in reports:
        yield f"### {_cell(around.path(report.path, None))}\n\n{_cell(summary_line(report, plain))}\n\n", 0
        if report.obstacle is not None:
            hint = "" if report.obstacle.hint is None else f"<br>hint: {_cell(report.obstacle.hint)}"
            yield f"**{report.obstacle.code.value}** {_cell(report.obstacle.message)}{hint}\n\n", 0
        if report.findings:
            yield "| severity | rule | place | finding |\n|---|---|---|---|\n", 0
        for severity in Severity:
            for finding in (each for each in report.findings if each.severity is severity):
                yield _row(finding, around.path(report.path, finding.path)), 1
        yield "\n", 0


def _row(finding: Finding, path: str) -> str:
    place = ":".join(str(part) for part in (path, finding.line, finding.column) if part is not None)
    text = _cell(finding.message) + ("" if finding.hint is None else f"<br>hint: {_cell(finding.hint)}")
    # In code, since GitHub would make an emoji of the line in `wire.py:100:5`.
    code = f"<code>{printable(place).translate(_ENTITIES)}</code>"
    return f"| {finding.severity.value} | {finding.code} | {code} | {text} |\n"


def _cell(text: str) -> str:
    short = text if len(text) <= _MAX_CELL else f"{text[:_MAX_CELL]}..."
    return printable_lines(short).translate(_ENTITIES).replace("\n", "<br>")
