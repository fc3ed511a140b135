"""Reports onto the terminal and into files."""

import os
from collections.abc import Sequence
from pathlib import Path

import typer

from bundlekit.cli.terminal import coloured, say
from bundlekit.model.finding import Report
from bundlekit.model.policy import Means
from bundlekit.report.outputs import Destination, Format, plain, render, write_files
from bundlekit.report.printable import printable
from bundlekit.report.surroundings import Surroundings

__all__ = ["emit", "say_learnt", "say_mended", "show_difference"]

_WITH_RULES = {Format.SARIF, Format.JUNIT}


def emit(reports: Sequence[Report], destinations: Sequence[Destination]) -> None:
    """Print each destination without a file and write the others; annotations bring the summary of their step along."""
    formats = {destination.format for destination in destinations}
    summary = os.environ.get("GITHUB_STEP_SUMMARY") if Format.GITHUB in formats else None
    around = _surroundings(formats, has_summary=bool(summary))
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


def show_difference(reports: Sequence[Report]) -> int:
    """Print what mending would change in each bundle, and return 1 if that is anything or an error is left."""
    from bundlekit.api.mending import difference, mend

    texts = [difference(mend(Path(report.path), report.findings), report.path) for report in reports]
    say("".join(texts))
    return max((report.exit_status for report in reports), default=0) or int(any(texts))


def say_mended(count: int, files: Sequence[str], refused: Sequence[str]) -> None:
    """Say on standard error what was mended, and what could not be: the report is all there is on standard output."""
    for reason in refused:
        typer.echo(f"not mended: {reason}", err=True)
    findings = f"{count} finding{'' if count == 1 else 's'}"
    where = f"{len(files)} file{'' if len(files) == 1 else 's'}"
    typer.echo(f"mended {findings} in {where}{': ' if files else ''}{', '.join(files)}", err=True)


def _surroundings(formats: set[Format], *, has_summary: bool) -> Surroundings:
    directory = Path.cwd()
    # A worktree and a submodule have a file of that name.
    root = next((path for path in (directory, *directory.parents) if (path / ".git").exists()), directory)
    if not formats & _WITH_RULES:
        return Surroundings(directory.as_posix(), root.as_posix(), has_summary=has_summary)
    from bundlekit.api.catalogue import catalogue

    return Surroundings(directory.as_posix(), root.as_posix(), catalogue(), has_summary)
