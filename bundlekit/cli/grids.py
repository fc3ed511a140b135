"""The command ``grid``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bundlekit.cli.parameters import Python, Sandbox, SandboxMode

if TYPE_CHECKING:
    from bundlekit.model.grid import GridOutcome
    from bundlekit.report.outputs import Destination

__all__ = ["grid"]


def grid(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A bundle's directory or archive.")],
    *,
    grid_spec: Annotated[
        Path,
        typer.Option(
            "--grid-spec", metavar="FILE", help="A grid file or a job specification (JSON): all its tasks run."
        ),
    ],
    executor: Annotated[str, typer.Option(help="Which executor runs the tasks; this version has: cold.")] = "cold",
    jobs: Annotated[
        int | None, typer.Option("--jobs", help="How many tasks run at once; default one for each processor.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler; not in this version.")
    ] = None,
    expect_fresh_pids: Annotated[
        bool, typer.Option("--expect-fresh-pids", help="Fail unless as many processes ran as there are tasks.")
    ] = False,
    timeout_s: Annotated[float, typer.Option("--timeout-s", help="Deadline of each task in seconds.")] = 3600.0,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep results in FILE.json or FILE.parquet; one that is there is continued."),
    ] = None,
    sandbox: Sandbox = SandboxMode.OFF,
    python: Python = None,
    output: Annotated[
        list[str] | None,
        typer.Option(metavar="FORMAT[:FILE]", help="text or json, to standard output or FILE; repeatable."),
    ] = None,
) -> int:
    """Run every task of a grid, each in a fresh process, several at once.

    Exit status: 0 all succeeded, 1 processes were not fresh, 2 usage, 5 bundle refused, 6 bad grid file,
    7 environment, 130 interrupted; else that of the first task that failed, in the order of the grid.
    """
    from bundlekit.api.grid_runs import GridWatcher
    from bundlekit.api.grids import GridOptions, run_grid
    from bundlekit.cli.terminal import LiveProgress, warn
    from bundlekit.report.grids import bar

    destinations = _destinations(output or ["text"])
    options = GridOptions(
        spec=grid_spec,
        executor=executor,
        jobs=jobs,
        timeout_s=timeout_s,
        expect_fresh_pids=expect_fresh_pids,
        results=results,
        python=python,
        sandbox=sandbox.value,
        scheduler=scheduler,
    )
    with LiveProgress() as progress:
        watcher = GridWatcher(progress, lambda tally: progress(bar(tally)), warn)
        outcome = run_grid(path, options, watcher)
    _emit(outcome, destinations)
    return outcome.exit_status


def _destinations(texts: list[str]) -> "list[Destination]":
    from bundlekit.errors import UsageError
    from bundlekit.report.outputs import Destination, Format, check_replaceable

    destinations = [Destination.parse(text) for text in texts]
    for destination in destinations:
        if destination.format not in {Format.TEXT, Format.JSON}:
            msg = f"--output {destination.format.value}: a grid is written as text or json"
            raise UsageError(msg, subject=destination.format.value)
        if destination.file is not None:
            check_replaceable(destination.file, '"bundlekit/grid/' if destination.format is Format.JSON else None)
    return destinations


def _emit(outcome: "GridOutcome", destinations: "list[Destination]") -> None:
    from bundlekit.cli.terminal import coloured, say
    from bundlekit.report.grids import grid_document, grid_lines, grid_text
    from bundlekit.report.outputs import Format, plain, write_atomically

    for destination in destinations:
        if destination.format is Format.JSON:
            text = grid_text(grid_document(outcome))
        else:
            style = coloured if destination.file is None else plain
            text = "".join(f"{line}\n" for line in grid_lines(outcome, style))
        if destination.file is None:
            say(text)
        else:
            write_atomically(destination.file, text)
