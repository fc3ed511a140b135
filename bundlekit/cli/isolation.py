"""The command ``isolation``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bundlekit.cli.parameters import Python, Sandbox, SandboxMode

if TYPE_CHECKING:
    from bundlekit.model.isolation import IsolationOutcome
    from bundlekit.report.outputs import Destination

__all__ = ["isolation"]


def isolation(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A bundle's directory or archive.")],
    *,
    grid_spec: Annotated[
        Path | None,
        typer.Option(
            "--grid-spec",
            metavar="FILE",
            help="A grid file or a job specification (JSON): tasks to try; default the smoke tasks of the settings.",
        ),
    ] = None,
    sequence: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBERS", help="Run these tasks alone (0,2,3) in one process, and hold the last against cold."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the shuffled order.")] = 0,
    max_tasks: Annotated[int, typer.Option("--max-tasks", help="Most executions of tasks, cold and warm.")] = 400,
    max_seconds: Annotated[float, typer.Option("--max-seconds", help="Most seconds of it all.")] = 300.0,
    jobs: Annotated[
        int | None, typer.Option("--jobs", help="How many processes run at once; default one for each processor.")
    ] = None,
    timeout_s: Annotated[float, typer.Option("--timeout-s", help="Deadline of each task in seconds.")] = 600.0,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep what is seen in FILE as it comes; one that is there is gone on with."),
    ] = None,
    sandbox: Sandbox = SandboxMode.AUTO,
    python: Python = None,
    output: Annotated[
        list[str] | None,
        typer.Option(metavar="FORMAT[:FILE]", help="text, json or html, to standard output or FILE; repeatable."),
    ] = None,
) -> int:
    """Find out whether one task changes the next: run tasks alone and after others, and name what differs.

    Exit status: 0 isolated, 1 leaks, crashes warm or nondeterministic, 2 usage, 4 the budget was too small to say
    anything, 5 bundle refused, 6 bad grid file, 7 environment, 130 interrupted; else that of the first task, when none
    succeeds.
    """
    from bundlekit.api.isolation import IsolationOptions, IsolationWatcher, run_isolation
    from bundlekit.cli.terminal import LiveProgress, warn

    destinations = _destinations(output or ["text"])
    options = IsolationOptions(
        spec=grid_spec,
        seed=seed,
        max_tasks=max_tasks,
        max_seconds=max_seconds,
        jobs=jobs,
        timeout_s=timeout_s,
        sequence=_numbers(sequence),
        resume=resume,
        python=python,
        sandbox=sandbox.value,
    )
    with LiveProgress() as progress:
        outcome = run_isolation(path, options, IsolationWatcher(progress, warn))
    _emit(outcome, destinations)
    return outcome.exit_status


def _numbers(text: str | None) -> tuple[int, ...]:
    from bundlekit.errors import UsageError

    if text is None:
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        msg = f"--sequence {text!r}: expected numbers of tasks with commas between them, such as 0,2,3"
        raise UsageError(msg, subject=text) from None


def _destinations(texts: list[str]) -> "list[Destination]":
    from bundlekit.errors import UsageError
    from bundlekit.report.outputs import PAGE_MARK, Destination, Format, check_replaceable

    destinations = [Destination.parse(text) for text in texts]
    for destination in destinations:
        if destination.format not in {Format.TEXT, Format.JSON, Format.HTML}:
            msg = f"--output {destination.format.value}: an experiment is written as text, json or html"
            raise UsageError(msg, subject=destination.format.value)
        if destination.file is not None:
            marks = {Format.JSON: '"bundlekit/isolation/', Format.HTML: PAGE_MARK}
            check_replaceable(destination.file, marks.get(destination.format))
    return destinations


def _emit(outcome: "IsolationOutcome", destinations: "list[Destination]") -> None:
    from bundlekit.cli.terminal import coloured, say
    from bundlekit.report.documents import json_text
    from bundlekit.report.isolation import isolation_document, isolation_lines
    from bundlekit.report.outputs import Format, plain, write_atomically

    for destination in destinations:
        if destination.format is Format.JSON:
            text = json_text(isolation_document(outcome))
        elif destination.format is Format.HTML:
            from bundlekit.report.html.isolation import isolation_page

            text = isolation_page(outcome)
        else:
            style = coloured if destination.file is None else plain
            text = "".join(f"{line}\n" for line in isolation_lines(outcome, style))
        if destination.file is None:
            say(text)
        else:
            write_atomically(destination.file, text)
