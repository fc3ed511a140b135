"""What a person sees while and after a command works: colours on a terminal, and progress past the first second."""

import os
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

from bundlekit.cli.parameters import OutputFormat
from bundlekit.report.printable import printable

if TYPE_CHECKING:
    from rich.status import Status

__all__ = ["LiveProgress", "abandon_stdout", "coloured", "say", "show", "warn"]

_PATIENCE_S = 1.0
_COLOURS = {"error": "red", "warning": "yellow", "info": "blue", "good": "green"}


def coloured(text: str, word: str) -> str:
    """Return `text` in the colour of `word`; pipes and files get it plain, since echo strips the codes there."""
    if word == "strong":
        return typer.style(text, bold=True)
    if word == "faint":
        return typer.style(text, dim=True)
    return typer.style(text, fg=_COLOURS[word], bold=True)


def say(text: str) -> None:
    """Print `text` on standard output; a reader who went away (`| head`) wanted no more, and the status stays ours."""
    try:
        typer.echo(text, nl=False)
    except BrokenPipeError:
        abandon_stdout()


def warn(message: str) -> None:
    """Print `message` on standard error."""
    typer.echo(printable(message), err=True)


def abandon_stdout() -> None:
    """Let everything that is still to be written to standard output go nowhere, its buffer at exit included."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def show(form: OutputFormat, document: object, lines: Iterable[str]) -> None:
    """Print a command's result: one JSON document and nothing else, or lines for people."""
    if form is OutputFormat.JSON:
        from bundlekit.report.documents import json_text

        say(json_text(document))
        return
    for line in lines:
        say(f"{line}\n")


class LiveProgress:
    """Shows on standard error what goes on, once it has taken a second; says nothing where there is no terminal."""

    def __init__(self) -> None:
        self._message = ""
        self._status: Status | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(_PATIENCE_S, self._start)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Start to wait for the first second to pass."""
        if sys.stderr is not None and sys.stderr.isatty():
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the progress line away."""
        self._timer.cancel()
        with self._lock:
            if self._status is not None:
                self._status.stop()

    def __call__(self, message: str) -> None:
        """Tell what goes on now."""
        with self._lock:
            self._message = printable(message)
            if self._status is not None:
                self._status.update(self._message)

    def _start(self) -> None:
        from rich.console import Console
        from rich.markup import escape

        with self._lock:
            self._status = Console(stderr=True).status(escape(self._message))
            self._status.start()
