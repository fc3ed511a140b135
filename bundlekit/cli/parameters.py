"""Arguments and options that several commands share, each declared once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["BundlePath", "JobSpec", "OutputFormat", "Python", "Receipt", "ResultOutput", "Sandbox", "SandboxMode"]


class SandboxMode(StrEnum):
    """How much of a sandbox to ask for."""

    AUTO = "auto"
    REQUIRE = "require"
    OFF = "off"


class OutputFormat(StrEnum):
    """How a command prints its result."""

    TEXT = "text"
    JSON = "json"


BundlePath = Annotated[Path, typer.Argument(help="The bundle's directory.", metavar="PATH")]
JobSpec = Annotated[
    Path | None,
    typer.Option("--job-spec", help="A job specification (JSON): its target is checked, its tasks are smoke-run."),
]
Python = Annotated[
    str | None, typer.Option("--python", help="The interpreter to run under: a path or a version such as 3.12.")
]
Receipt = Annotated[
    Path | None,
    typer.Option("--receipt", metavar="FILE", help="Write what was found as an in-toto statement about the bundle."),
]
Sandbox = Annotated[SandboxMode, typer.Option("--sandbox", help="What must hold while bundle code runs.")]
ResultOutput = Annotated[OutputFormat, typer.Option("--output", help="How to print the result.")]
