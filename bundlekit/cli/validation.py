"""The command ``validate``."""

from pathlib import Path
from typing import Annotated

import typer

from bundlekit.cli.parameters import JobSpec, Python, Sandbox, SandboxMode
from bundlekit.model.finding import Level

__all__ = ["validate"]


def validate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Bundle directories, archives, or repositories of bundles."),
    ] = None,
    *,
    level: Annotated[Level, typer.Option(help="How far to go; static runs nothing of the bundle.")] = Level.SMOKE,
    job_spec: JobSpec = None,
    grid_spec: Annotated[
        Path | None,
        typer.Option(
            "--grid-spec",
            help="A grid file (JSON): its first tasks are smoke-run; all take part in the isolation level.",
        ),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(metavar="CODES", help="Only these codes or code prefixes, whatever the settings say; repeatable."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="CODES", help="Not these either, besides what the settings ignore; repeatable."),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="A file of known findings, which do not count.", metavar="FILE")
    ] = None,
    write_baseline: Annotated[
        bool,
        typer.Option(
            "--write-baseline", help="Make the findings of now known: in --baseline, else in the settings' file."
        ),
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what can be mended safely, then report what is left.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what --fix would change and write nothing, even with --fix.")
    ] = False,
    cache: Annotated[
        bool,
        typer.Option(
            "--cache/--no-cache", help="With --level static, take the report of an unchanged bundle as it was."
        ),
    ] = True,
    sandbox: Sandbox = SandboxMode.AUTO,
    python: Python = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT[:FILE]",
            help="text, json, github, sarif, junit or html, to standard output or FILE; repeatable.",
        ),
    ] = None,
) -> int:
    """Check bundles; without --level static, also build, import and smoke-run them.

    Exit status: 0 clean, 1 error findings or (--diff) anything to fix, 2 usage, 3 damaged archive, 7 environment
    trouble that is not the bundle's.
    """
    from bundlekit.api.validation import ValidateOptions
    from bundlekit.api.validation import validate as validate_bundles
    from bundlekit.cli.reports import emit, emit_differences, say_learnt
    from bundlekit.cli.terminal import LiveProgress
    from bundlekit.errors import UsageError
    from bundlekit.report.outputs import Destination, check_destinations

    if job_spec is not None and grid_spec is not None:
        raise UsageError("--job-spec and --grid-spec both say what is to be run: give one of them")
    if write_baseline and (fix or diff):
        raise UsageError("--write-baseline makes known what --fix would mend: mend first, then write the baseline")
    destinations = [Destination.parse(text) for text in output or ["text"]]
    check_destinations(destinations)
    options = ValidateOptions(
        level=level,
        job_spec=job_spec or grid_spec,
        select=tuple(select or ()),
        ignore=tuple(ignore or ()),
        sandbox=sandbox.value,
        python=python,
        baseline=baseline,
        write_baseline=write_baseline,
        reuse=cache and not write_baseline,
    )
    searched = tuple(paths or (Path(),))
    with LiveProgress() as progress:
        if fix and not diff:
            from bundlekit.api.mending import fix as fix_bundles

            reports = fix_bundles(searched, options, progress)
        else:
            reports = validate_bundles(searched, options, progress)
    if diff:
        from bundlekit.api.mending import with_differences

        reports = with_differences(reports, options.job_spec)
        emit_differences(reports, destinations)
    else:
        if write_baseline:
            say_learnt(reports)
        emit(reports, destinations)
    return max((report.exit_status for report in reports), default=0)
