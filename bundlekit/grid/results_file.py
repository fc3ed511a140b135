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
from bundlekit.grid.row_document import loss_of, row_of
from bundlekit.model.digest import Digest
from bundlekit.model.grid import GridIdentity, GridRow
from bundlekit.model.losses import LossRow

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
    losses: tuple[LossRow, ...] = ()


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
            return _earlier_parquet(path)
        document = strict_json.loads(path.read_bytes())
        return _earlier(document, document) if isinstance(document, dict) else EarlierResults(None)
    except OSError as error:
        raise FileAccessError(f"cannot read {path}: {error.strerror or error}", subject=path) from error
    except ValueError:
        return EarlierResults(None)


def _earlier_parquet(path: Path) -> EarlierResults:
    from bundlekit.grid.parquet import losses_path, read_loss_parquet, read_parquet  # noqa: PLC0415 - an extra

    document, rows = read_parquet(path)
    tables: dict[str, JsonValue] = {"tasks": rows}
    beside = losses_path(path)
    if beside.exists():
        other, losses = read_loss_parquet(beside)
        # One of another grid is overwritten by ours, if there are losses.
        if isinstance(document, dict) and isinstance(other, dict) and other.get("spec") == document.get("spec"):
            tables["losses"] = losses
    return _earlier(document, tables)


def _earlier(document: JsonValue, tables: Mapping[str, JsonValue]) -> EarlierResults:
    rows, losses = tables.get("tasks"), tables.get("losses")
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
    return EarlierResults(
        identity,
        tuple(row_of(row) for row in rows),
        tuple(loss_of(row) for row in (losses if isinstance(losses, list) else ())),
    )
