"""Reports onto the terminal and into files."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from bundlekit.cli.terminal import coloured, say
from bundlekit.model.counted import counted
from bundlekit.model.finding import Report
from bundlekit.model.policy import Means
from bundlekit.report.outputs import Destination, Format, plain, render, write_files
from bundlekit.report.printable import printable
from bundlekit.report.surroundings import Surroundings

__all__ = ["emit", "emit_differences", "say_learnt"]

_WITH_RULES = {Format.SARIF, Format.JUNIT}


def emit(reports: Sequence[Report], destinations: Sequence[Destination]) -> None:
    """Print each destination without a file and write the others; annotations bring the summary of their step along."""
    formats = {destination.format for destination in destinations}
    summary = os.environ.get("GITHUB_STEP_SUMMARY") if Format.GITHUB in formats else None
    around = _surroundings(formats, has_summary=bool(summary))
    if Format.HTML in formats:
        from bundlekit.api.finding_sources import finding_sources

        around = around._replace(sources=finding_sources(reports))
    write_files(reports, destinations, around)
    if summary:
        from bundlekit.report.step_summary import append_step_summary

        append_step_summary(Path(summary), reports, around)
    for destination in destinations:
        if destination.file is None:
            style = coloured if destination.format is Format.TEXT else plain
            say(render(reports, destination.format, style, around))
    if not reports and any(each.file is None and each.format is Format.TEXT for each in destinations):
        say("no bundle found: nothing to validate\n")


def say_learnt(reports: Sequence[Report]) -> None:
    """Say on standard error what has become of the baseline, which `validate` has written."""
    for report in reports:
        if report.obstacle is not None:
            typer.echo(f"no baseline is written, since {printable(report.path)} has no verdict", err=True)
            return
    count = sum(report.suppressed.get(Means.BASELINE.value, 0) for report in reports)
    typer.echo(f"{count} finding{' is' if count == 1 else 's are'} in the baseline now", err=True)


def emit_differences(reports: Sequence[Report], destinations: Sequence[Destination]) -> None:
    """Print the diff of each report where the text would stand, and how much it is on standard error.

    What goes to a pipe is the diff as a patch takes it; what goes to a terminal moves no cursor.
    """
    emit(reports, [each for each in destinations if each.file is not None or each.format is not Format.TEXT])
    if any(each.file is None and each.format is Format.TEXT for each in destinations):
        text = "".join(report.difference or "" for report in reports)
        if sys.stdout.isatty():
            text = "".join(f"{printable(line.rstrip(chr(13)))}\n" for line in text.split("\n")[:-1])
        say(text)
    for report in reports:
        for left in report.unfixed:
            typer.echo(
                f"would not fix {left.finding.code} in {printable(left.path)}: {printable(left.reason)}", err=True
            )
        if report.obstacle is not None:
            typer.echo(f"{printable(report.path)}: {printable(report.obstacle.message)}", err=True)
    fixed = [(report.path, made.path) for report in reports for made in report.fixed]
    left_over = sum(len(report.findings) for report in reports) - len(fixed)
    what = f"would fix {counted(len(fixed), 'finding')} in {counted(len(set(fixed)), 'file')}"
    # Some mistakes hide others, which show when they are mended.
    more = "; --fix goes on with what that uncovers" if fixed else ""
    typer.echo(f"{what}, and leave {counted(left_over, 'finding')}{more}", err=True)


def _surroundings(formats: set[Format], *, has_summary: bool) -> Surroundings:
    directory = Path.cwd()
    # A worktree and a submodule have a file of that name.
    root = next((path for path in (directory, *directory.parents) if (path / ".git").exists()), directory)
    if not formats & _WITH_RULES:
        return Surroundings(directory.as_posix(), root.as_posix(), has_summary=has_summary)
    from bundlekit.api.catalogue import catalogue

    return Surroundings(directory.as_posix(), root.as_posix(), catalogue(), has_summary)
