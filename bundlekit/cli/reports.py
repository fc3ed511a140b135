"""Reports onto the terminal and into files."""

from collections.abc import Sequence

from bundlekit.cli.terminal import coloured, say
from bundlekit.model.finding import Report
from bundlekit.report.outputs import Destination, Format, plain, render, write_files

__all__ = ["emit"]


def emit(reports: Sequence[Report], destinations: Sequence[Destination]) -> None:
    """Print each destination without a file and write the others."""
    write_files(reports, destinations)
    for destination in destinations:
        if destination.file is None:
            style = coloured if destination.format is Format.TEXT else plain
            say(render(reports, destination.format, style))
    if not reports and any(each.file is None and each.format is Format.TEXT for each in destinations):
        say("no bundle found: nothing to validate\n")
