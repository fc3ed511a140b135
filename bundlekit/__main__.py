"""The command ``bundlekit``: answers --version by itself, and hands everything else to the command line."""

import gc
import sys

from bundlekit import __version__

__all__ = ["main"]


def main() -> None:
    """Run the command line with the process's arguments and exit with its status."""
    if sys.argv[1:] == ["--version"]:
        # Before Typer is imported: scripts ask for the version often, and this answers in a third of the time.
        sys.stdout.write(f"bundlekit {__version__}\n")
        return
    # A command makes few reference cycles and ends soon: looking for them takes a tenth of its time.
    gc.set_threshold(100_000)
    try:
        from bundlekit.cli.app import run  # noqa: PLC0415 - the reason stands above

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        # While the command line was still loading: nothing was begun.
        status = 130
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    main()
