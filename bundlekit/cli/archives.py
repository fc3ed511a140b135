"""The commands ``pack``, ``verify``, ``unpack``, ``inspect`` and ``diff``."""

from pathlib import Path
from typing import Annotated

import typer

from bundlekit.cli.parameters import BundlePath, JobSpec, OutputFormat, Python, ResultOutput, Sandbox, SandboxMode

__all__ = ["diff", "inspect", "pack", "unpack", "verify"]

ArchivePath = Annotated[Path, typer.Argument(metavar="FILE", help="An archive made by pack.")]


def pack(
    path: BundlePath = Path(),
    archive: Annotated[
        Path | None, typer.Option("-o", metavar="FILE", help="Where to write; default <name>-<version>.tar.zst.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The name of a bundle that declares none.")] = None,
    validate: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--validate/--no-validate", help="Validate to level smoke before packing.")
    ] = True,
    allow_unproved: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--allow-unproved", help="Pack although only the default smoke task was there and failed.")
    ] = False,
    job_spec: JobSpec = None,
    sandbox: Sandbox = SandboxMode.AUTO,
    python: Python = None,
    output: ResultOutput = OutputFormat.TEXT,
) -> int:
    """Validate a bundle, then write its archive and, beside it, the report of what was proved and left out."""
    from bundlekit.api.archives import PackOptions, PackRefusal
    from bundlekit.api.archives import pack as pack_bundle
    from bundlekit.api.validation import ValidateOptions
    from bundlekit.cli.terminal import LiveProgress
    from bundlekit.report.archives import pack_document, pack_lines, refusal_line
    from bundlekit.report.documents import json_text, report_document

    validation = ValidateOptions(job_spec=job_spec, sandbox=sandbox.value, python=python)
    options = PackOptions(archive, name, validate, allow_unproved, validation)
    with LiveProgress() as progress:
        outcome = pack_bundle(path, options, progress)
    if isinstance(outcome, PackRefusal):
        _report([outcome.report], output, json_text(report_document(outcome.report)))
        typer.echo(refusal_line(outcome.report), err=True)
        return outcome.report.exit_status or 1
    if outcome.report is not None and output is OutputFormat.TEXT:
        _report([outcome.report], output, "")
    _print(output, json_text(pack_document(outcome)), pack_lines(outcome))
    return 0
