"""A grid's results as a file: read to be continued, in the format that its name tells.

Writing JSON is the report's part; Parquet has a schema of its own, in which a task is a row.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner import strict_json
from bundlekit.cold_runner.strict_json import JsonValue
from bundlekit.errors import FileAccessError, UsageError
from bundlekit.grid.row_document import row_of
from bundlekit.model.digest import Digest
from bundlekit.model.grid import GridIdentity, GridRow

__all__ = ["EarlierResults", "ResultsFormat", "earlier_results", "results_format"]

_SCHEMA = "bundlekit/grid/1"


class ResultsFormat(StrEnum):
    """How results are kept, by the ending of the file's name."""

    JSON = ".json"
    PARQUET = ".parquet"


class EarlierResults(NamedTuple):
    """What a results file holds; `identity` is None when it was not written by a grid."""

    identity: GridIdentity | None
    rows: tuple[GridRow, ...] = ()


def results_format(path: Path) -> ResultsFormat:
    """Return the format of the results file at `path`, before anything is run for it.

    Raises:
        UsageError: its name ends otherwise, its directory is not there, or what writes the format is not installed.
    """
    try:
        form = ResultsFormat(path.suffix.lower())
    except ValueError:
        msg = f"--results {path}: expected a name that ends in .json or .parquet"
        raise UsageError(msg, subject=path) from None
    if not path.parent.is_dir():
        msg = f"--results {path}: {path.parent} is not a directory"
        raise UsageError(msg, subject=path, hint="create it first")
    if path.exists() and not path.is_file():
        raise UsageError(f"--results {path}: it is no regular file", subject=path)
    if form is ResultsFormat.PARQUET:
        from bundlekit.grid.parquet import require_pyarrow  # noqa: PLC0415 - an extra

        require_pyarrow()
    return form


def earlier_results(path: Path, form: ResultsFormat) -> EarlierResults | None:
    """Return what an earlier run left at `path`, None when there is nothing.

    Raises:
        FileAccessError: it cannot be read.
    """
    if not path.exists():
        return None
    try:
        if form is ResultsFormat.PARQUET:
            from bundlekit.grid.parquet import read_parquet  # noqa: PLC0415 - an extra

            document, rows = read_parquet(path)
        else:
            document = strict_json.loads(path.read_bytes())
            rows = document.get("tasks") if isinstance(document, dict) else None
        return _earlier(document, rows)
    except OSError as error:
        raise FileAccessError(f"cannot read {path}: {error.strerror or error}", subject=path) from error
    except ValueError:
        return EarlierResults(None)


def _earlier(document: JsonValue, rows: JsonValue) -> EarlierResults:
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA or not isinstance(rows, list):
        return EarlierResults(None)
    bundle, spec = document.get("bundle"), document.get("spec")
    if not isinstance(bundle, Mapping) or not isinstance(spec, Mapping):
        return EarlierResults(None)
    size = spec.get("tasks")
    identity = GridIdentity(
        Digest.parse(bundle.get("digest")),
        Digest.parse(spec.get("tasks_digest")),
        size if isinstance(size, int) else 0,
    )
    return EarlierResults(identity, tuple(row_of(row) for row in rows))
