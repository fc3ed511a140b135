"""The commands ``push`` and ``pull``."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bundlekit.cli.parameters import OutputFormat, Python, ResultOutput, Sandbox, SandboxMode
from bundlekit.cli.terminal import LiveProgress, coloured, show

if TYPE_CHECKING:
    from bundlekit.model.digest import Digest

__all__ = ["pull", "push"]

Insecure = Annotated[
    bool, typer.Option("--insecure", help="Speak to the registry without TLS; to this machine that is so anyway.")
]


class LayoutName(StrEnum):
    """How a bundle lies in a registry."""

    BUNDLEKIT = "bundlekit"
    MODELOPS = "modelops"


def push(
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="A directory, an archive, or sha256:DIGEST.")],
    target: Annotated[
        str | None, typer.Argument(metavar="TARGET", help="oci://HOST/REPOSITORY[:TAG]; the default tag is latest.")
    ] = None,
    *,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TARGET", help="The same, or oci-layout:DIRECTORY[:TAG].")
    ] = None,
    layout: Annotated[
        LayoutName, typer.Option("--layout", help="modelops: one layer a file, as ModelOps' workers pull it.")
    ] = LayoutName.BUNDLEKIT,
    expect: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Move the tag if it stands for this digest of the registry.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Move the tag whatever it stands for.")] = False,
    insecure: Insecure = False,
    validate: Annotated[
        bool, typer.Option("--validate/--no-validate", help="A directory: validate to level smoke before packing.")
    ] = True,
    allow_unproved: Annotated[
        bool, typer.Option("--allow-unproved", help="A directory: push although only the default smoke task failed.")
    ] = False,
    sandbox: Sandbox = SandboxMode.AUTO,
    python: Python = None,
    output: ResultOutput = OutputFormat.TEXT,
) -> int:
    """Put a bundle into a registry or an OCI image layout; a tag that stands for another bundle is not overwritten."""
    from bundlekit.api.archives import PackOptions
    from bundlekit.api.registries import Layout, PushOptions, TagPolicy, push_bundle
    from bundlekit.api.validation import ValidateOptions
    from bundlekit.cli.reports import emit
    from bundlekit.model.archive import PackRefusal
    from bundlekit.report.archives import refusal_line
    from bundlekit.report.outputs import Destination, Format
    from bundlekit.report.registries import push_document, push_lines

    packing = PackOptions(
        validate=validate,
        allow_unproved=allow_unproved,
        validation=ValidateOptions(sandbox=sandbox.value, python=python),
    )
    policy = TagPolicy(force, _digest(expect))
    options = PushOptions(Layout(layout.value), policy, insecure, packing)
    with LiveProgress() as progress:
        pushed = push_bundle(bundle, _target(target, to), options, progress)
    if isinstance(pushed, PackRefusal):
        emit([pushed.report], [Destination(Format(output.value), None)])
        typer.echo(refusal_line(pushed.report), err=True)
        return pushed.report.exit_status or 1
    show(output, push_document(pushed), push_lines(pushed, coloured))
    return 0


def pull(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="oci://HOST/REPOSITORY[:TAG][@sha256:...] or oci-layout:DIRECTORY."),
    ],
    *,
    destination: Annotated[
        Path | None,
        typer.Option("-o", metavar="DEST", help="A new directory, or an archive (*.tar.zst); default: the store."),
    ] = None,
    insecure: Insecure = False,
    output: ResultOutput = OutputFormat.TEXT,
) -> None:
    """Fetch a bundle, hold every byte of it against its digests, and keep it in the store."""
    from bundlekit.api.registries import pull_bundle
    from bundlekit.report.registries import pull_document, pull_lines

    with LiveProgress() as progress:
        pulled = pull_bundle(source, destination, progress, insecure=insecure)
    show(output, pull_document(pulled), pull_lines(pulled, coloured))


def _target(target: str | None, to: str | None) -> str:
    from bundlekit.errors import UsageError

    if (target is None) == (to is None):
        message = "expected one target: oci://HOST/REPOSITORY[:TAG], or --to oci-layout:DIRECTORY"
        raise UsageError(message, subject=target)
    return target or to or ""


def _digest(text: str | None) -> "Digest | None":
    from bundlekit.errors import UsageError
    from bundlekit.model.digest import Digest

    try:
        return None if text is None else Digest.parse(text)
    except ValueError as error:
        message = f"--expect: {error}"
        raise UsageError(message, subject=text) from error
