"""The commands ``pack``, ``verify``, ``unpack``, ``inspect`` and ``diff``."""

from pathlib import Path
from typing import Annotated

import typer

from bundlekit.cli.parameters import (
    BundlePath,
    JobSpec,
    OutputFormat,
    Python,
    Receipt,
    ResultOutput,
    Sandbox,
    SandboxMode,
)
from bundlekit.cli.terminal import LiveProgress, coloured, show

__all__ = ["diff", "inspect", "pack", "unpack", "verify"]

ArchivePath = Annotated[Path, typer.Argument(metavar="FILE", help="An archive made by pack.")]


def pack(
    path: BundlePath = Path(),
    *,
    archive: Annotated[
        Path | None, typer.Option("-o", metavar="FILE", help="Where to write; default <name>-<version>.tar.zst.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The name of a bundle that declares none.")] = None,
    validate: Annotated[
        bool, typer.Option("--validate/--no-validate", help="Validate to level smoke before packing.")
    ] = True,
    allow_unproved: Annotated[
        bool, typer.Option("--allow-unproved", help="Pack although only the default smoke task was there and failed.")
    ] = False,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Take what this bundle passed as known, or run it again.")
    ] = True,
    receipt: Receipt = None,
    job_spec: JobSpec = None,
    sandbox: Sandbox = SandboxMode.AUTO,
    python: Python = None,
    output: ResultOutput = OutputFormat.TEXT,
) -> int:
    """Validate a bundle, then write its archive and, beside it, the report of what was proved and left out."""
    from bundlekit.api.archives import PackOptions
    from bundlekit.api.archives import pack as pack_bundle
    from bundlekit.api.validation import ValidateOptions
    from bundlekit.cli.reports import emit
    from bundlekit.model.archive import PackRefusal
    from bundlekit.report.archives import pack_document, pack_lines, refusal_line
    from bundlekit.report.outputs import Destination, Format

    validation = ValidateOptions(job_spec=job_spec, sandbox=sandbox.value, python=python, reuse=cache)
    options = PackOptions(archive, name, validate, allow_unproved, validation, receipt)
    with LiveProgress() as progress:
        outcome = pack_bundle(path, options, progress)
    if isinstance(outcome, PackRefusal):
        emit([outcome.report], [Destination(Format(output.value), None)])
        typer.echo(refusal_line(outcome.report), err=True)
        return outcome.report.exit_status or 1
    if outcome.report is not None and output is OutputFormat.TEXT:
        emit([outcome.report], [Destination(Format.TEXT, None)])
    show(output, pack_document(outcome), pack_lines(outcome, coloured))
    return 0


def verify(
    archive: ArchivePath,
    receipt: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A receipt of pack or validate: it must be about this very bundle."),
    ] = None,
    output: ResultOutput = OutputFormat.TEXT,
) -> int:
    """Hold every byte of an archive against its manifest, and the bundle against a receipt.

    Exit status: 0 sound, 1 the receipt says that the bundle did not pass or is unproved, 3 damaged, or not the bundle
    that the receipt is about.
    """
    from bundlekit.api.archives import verify as verify_archive
    from bundlekit.model.receipt import Result
    from bundlekit.report.archives import inspection_document, inspection_lines

    with LiveProgress() as progress:
        verified = verify_archive(archive, progress, receipt=receipt)
    show(output, inspection_document(verified), inspection_lines(verified, coloured))
    return int(verified.receipt is not None and verified.receipt.result is not Result.PASSED)


def inspect(archive: ArchivePath, output: ResultOutput = OutputFormat.TEXT) -> None:
    """Tell what an archive's manifest says, and its digests in registries; its files are not held against it."""
    from bundlekit.api.archives import inspect as inspect_archive
    from bundlekit.report.archives import inspection_document, inspection_lines

    inspected = inspect_archive(archive)
    show(output, inspection_document(inspected), inspection_lines(inspected, coloured))


def unpack(
    archive: ArchivePath,
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="A directory that does not exist or is empty.")],
    output: ResultOutput = OutputFormat.TEXT,
) -> None:
    """Verify an archive and lay its files out in a directory, all of them or none."""
    from bundlekit.api.archives import unpack as unpack_archive
    from bundlekit.report.archives import unpack_document, unpack_line

    with LiveProgress() as progress:
        unpacked = unpack_archive(archive, destination, progress)
    show(output, unpack_document(unpacked), [unpack_line(unpacked, coloured)])


def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A bundle's directory or archive.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    output: ResultOutput = OutputFormat.TEXT,
) -> int:
    """Tell what differs between two bundles; exit status 1 when anything does."""
    from bundlekit.api.archives import compare
    from bundlekit.report.archives import difference_document, difference_lines

    with LiveProgress() as progress:
        first, second, found = compare(a, b, progress)
    show(output, difference_document(first, second, found), difference_lines(first, second, found, coloured))
    return int(first.digest != second.digest)
