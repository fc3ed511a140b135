"""The command ``doctor``."""

from typing import Annotated

import typer

from bundlekit.cli.parameters import OutputFormat, ResultOutput
from bundlekit.cli.terminal import LiveProgress, coloured, show

__all__ = ["doctor"]


def doctor(
    *,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Examine every worker of the Dask cluster there, such as tcp://host:8786."
        ),
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout-s", help="Seconds to wait for a scheduler, and then for its workers.")
    ] = 30.0,
    output: ResultOutput = OutputFormat.TEXT,
) -> int:
    """Tell what this machine, or each worker of a cluster, can run; exit status 1 when something must be mended."""
    from bundlekit.api.doctor import examine_cluster, examine_machine
    from bundlekit.report.doctor import cluster_lines, machine_lines

    if scheduler is None:
        with LiveProgress() as progress:
            machine = examine_machine(progress)
        show(output, machine, machine_lines(machine, coloured))
        return int(not machine["passed"])
    with LiveProgress() as progress:
        cluster = examine_cluster(scheduler, timeout_s, progress)
    show(output, cluster, cluster_lines(cluster, coloured))
    return int(not cluster["passed"])
