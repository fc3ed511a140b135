"""The commands ``cache ls``, ``cache verify`` and ``cache gc``."""

import re
from typing import Annotated

import typer

from bundlekit.cli.parameters import OutputFormat, ResultOutput
from bundlekit.cli.terminal import LiveProgress, coloured, show
from bundlekit.cold_runner.codes import EXIT_STATUS, ErrorCode

__all__ = ["clear", "list_entries", "verify_entries"]

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def list_entries(output: ResultOutput = OutputFormat.TEXT) -> None:
    """List what the cache holds, with sizes and last use, and what killed runs have left behind."""
    from bundlekit.api.caches import list_cache
    from bundlekit.report.caches import contents_document, contents_lines

    contents = list_cache()
    show(output, contents_document(contents), contents_lines(contents, coloured))


def verify_entries(
    *,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove what is damaged and not in use, so that it is built again.")
    ] = False,
    output: ResultOutput = OutputFormat.TEXT,
) -> int:
    """Hold every file of the cache against what was installed; exit status 3 when anything is damaged."""
    from bundlekit.api.caches import verify_cache
    from bundlekit.report.caches import verification_document, verification_lines

    with LiveProgress() as progress:
        verified = verify_cache(progress, remove=remove)
    show(output, verification_document(verified), verification_lines(verified, coloured))
    return EXIT_STATUS[ErrorCode.DIGEST] if verified.damaged else 0


def clear(
    *,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Remove what was not used for so long: 30d, 12h, 90m.")
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Remove the least recently used until this is left: 5GB, 500MiB."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    output: ResultOutput = OutputFormat.TEXT,
) -> None:
    """Remove what is incomplete or left over, and what is too old or too much; never what a run holds."""
    from bundlekit.api.caches import Limits, clear_cache
    from bundlekit.report.caches import clearing_document, clearing_lines

    age_s = None if older_than is None else _number(older_than, _SECONDS, "--older-than", "30d, 12h or 90m")
    size = None if max_size is None else _number(max_size, _BYTES, "--max-size", "5GB or 500MiB", suffix="b?")
    with LiveProgress() as progress:
        cleared = clear_cache(Limits(age_s, None if size is None else int(size)), progress, dry_run=dry_run)
    show(output, clearing_document(cleared), clearing_lines(cleared, coloured))


def _number(text: str, units: dict[str, int], option: str, example: str, *, suffix: str = "") -> float:
    from bundlekit.errors import UsageError

    match = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*({'|'.join(units)}){suffix}", text.strip(), re.ASCII | re.IGNORECASE)
    if match is None:
        msg = f"{option} {text!r}: expected a number and its unit, such as {example}"
        raise UsageError(msg, subject=text)
    return float(match[1]) * units[match[2].lower()]
