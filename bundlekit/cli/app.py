"""The commands put together, and the one place where exceptions become messages and exit statuses."""

import contextlib
import signal
import sys
import traceback
from collections.abc import Callable, Sequence

import typer

from bundlekit import __version__
from bundlekit.cli import archives, caches, catalogue, doctor, grids, isolation, registries, runs, validation
from bundlekit.cli.terminal import abandon_stdout
from bundlekit.cold_runner.codes import EXIT_STATUS, ErrorCode
from bundlekit.errors import BundlekitError
from bundlekit.report.printable import printable

__all__ = ["run"]

_INTERRUPTED = EXIT_STATUS[ErrorCode.INTERRUPTED]


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status (DESIGN decision 9)."""
    # A cancelled job is ended by SIGTERM: what was begun must be taken away then too.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        command = typer.main.get_command(_app())
        status = command.main(list(arguments) or ["--help"], prog_name="bundlekit", standalone_mode=False)
    except BundlekitError as error:
        _complain(error.message, error.hint)
        return error.exit_status
    except typer.TyperException as error:
        _complain(error.format_message(), "`bundlekit --help` and `bundlekit COMMAND --help` tell what there is")
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        status = _INTERRUPTED
    except OSError as error:
        abandon_stdout()
        _complain(f"cannot write the result: {error.strerror or error}", None)
        return EXIT_STATUS[ErrorCode.IO]
    except Exception:  # noqa: BLE001 - the top of the command line: whatever arrives here is our own fault
        _confess()
        return EXIT_STATUS[ErrorCode.INTERNAL]
    if status == _INTERRUPTED:
        _complain("interrupted; what was begun has been taken away", None)
    return status if isinstance(status, int) else 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _app() -> typer.Typer:
    app = typer.Typer(
        help="Build simulation-model bundles and prove, before submission, that they will run on the cluster.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_common)
    commands: tuple[Callable[..., object], ...] = (
        validation.validate,
        archives.pack,
        archives.verify,
        archives.unpack,
        archives.inspect,
        archives.diff,
        registries.push,
        registries.pull,
        runs.run,
        doctor.doctor,
        grids.grid,
        isolation.isolation,
        catalogue.rules,
        catalogue.explain,
    )
    for each in commands:
        app.command()(each)
    runner = typer.Typer(help="The standalone cold runner.", rich_markup_mode=None)
    runner.callback()(_group)
    runner.command()(runs.export)
    app.add_typer(runner, name="runner")
    cache = typer.Typer(help="Environments and built bundles that are kept for the next task.", rich_markup_mode=None)
    cache.callback()(_group)
    for name, each in (("ls", caches.list_entries), ("verify", caches.verify_entries), ("gc", caches.clear)):
        cache.command(name)(each)
    app.add_typer(cache, name="cache")
    return app


def _common(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),  # noqa: FBT001, FBT003 - Typer
) -> None:
    if version:
        typer.echo(f"bundlekit {__version__}")
        raise typer.Exit


def _group() -> None:
    """Commands of one family."""


def _complain(message: str, hint: str | None) -> None:
    # Without a standard error, or with a full disk behind it, the exit status still tells.
    with contextlib.suppress(OSError):
        typer.echo(f"{typer.style('error', fg='red', bold=True)}: {printable(message)}", err=True)
        if hint:
            typer.echo(f"  hint: {printable(hint)}", err=True)


def _confess() -> None:
    import platform

    typer.echo(
        f"bundlekit {__version__} broke down; this is a bug in bundlekit and not in your bundle.\n"
        f"Please report it with everything below.\n"
        f"Python {platform.python_version()} on {platform.platform()}\n"
        f"command: {sys.argv[1:]!r}\n{traceback.format_exc()}",
        err=True,
    )
