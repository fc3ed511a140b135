"""What a grid has done, kept: rows as documents, the journal, JSON and Parquet, and what of them may be continued."""

import json
import os
import resource
import signal
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from builders.grids import IDENTITY, failed, failed_loss, loss, outcome, row
from pyarrow import parquet

from bundlekit.api.grid_runs import write_results
from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.errors import FileAccessError, UsageError
from bundlekit.grid.journal import Journal, journal_path
from bundlekit.grid.results_file import ResultsFormat, earlier_results, results_format
from bundlekit.grid.row_document import loss_document, loss_of, row_document, row_of
from bundlekit.model.digest import Digest
from bundlekit.model.grid import GridIdentity, GridRow, is_verdict
from bundlekit.model.losses import LossRow

_ROWS = (row(0), failed(1), failed(2, ErrorCode.SIGNAL, error_type=None, signal="SIGSEGV", pid=None, started_s=None))


def _written(path: Path, rows: tuple[GridRow, ...] = _ROWS, identity: GridIdentity = IDENTITY) -> Path:
    journal = journal_path(path)
    with Journal(journal, identity) as opened:
        for each in rows:
            opened.append(each)
    return journal


def _found(journal: Path, identity: GridIdentity = IDENTITY) -> dict[int, GridRow | LossRow]:
    with Journal(journal, identity) as opened:
        return {row.number: row for row in opened.rows}


@pytest.mark.parametrize("each", _ROWS)
def test_a_row_comes_back_from_its_document_as_it_was(each: GridRow) -> None:
    """Results that are continued must be those that were found, to the last bit of a time."""
    assert row_of(json.loads(json.dumps(row_document(each)))) == each


@pytest.mark.parametrize("key", [key for key in row_document(_ROWS[0]) if key not in {"phase", "error_type", "signal"}])
def test_a_row_with_a_wrong_value_is_refused(key: str) -> None:
    """Whatever wrote it, it was no grid of this version."""
    with pytest.raises(ValueError, match=r"a row whose|not a valid ErrorCode"):
        row_of({**json.loads(json.dumps(row_document(_ROWS[1]))), key: True if key != "error_code" else "E_NEW"})
    with pytest.raises(ValueError, match="no object"):
        row_of([])


def test_a_journal_gives_its_rows_back(tmp_path: Path) -> None:
    """The last row of a task counts: it was run again."""
    again = row(1, seconds=9.0)
    assert _found(_written(tmp_path / "r.json", (*_ROWS, again))) == {0: _ROWS[0], 1: again, 2: _ROWS[2]}


@pytest.mark.parametrize("cut", range(1, 40, 6))
def test_a_torn_row_is_not_trusted_and_spoils_no_other(cut: int, tmp_path: Path) -> None:
    """A machine that loses its power leaves half a line; what is appended next must not be glued to it."""
    journal = _written(tmp_path / "r.json")
    os.truncate(journal, journal.stat().st_size - cut)
    assert _found(journal) == {0: _ROWS[0], 1: _ROWS[1]}
    with Journal(journal, IDENTITY) as opened:
        opened.append(_ROWS[2])
    assert _found(journal) == dict(enumerate(_ROWS))


def test_a_row_that_was_changed_is_not_trusted(tmp_path: Path) -> None:
    """A disk that fails gives other bytes; that one task is run again."""
    journal = _written(tmp_path / "r.json")
    data = journal.read_bytes().replace(b"no such beta", b"no such bete", 1)
    journal.write_bytes(data)
    assert _found(journal) == {0: _ROWS[0], 2: _ROWS[2]}


def test_a_journal_whose_beginning_was_torn_begins_anew(tmp_path: Path) -> None:
    """Killed before its first line was whole, it holds nothing."""
    journal = tmp_path / "r.json.journal"
    journal.write_bytes(b"0123")
    with Journal(journal, IDENTITY) as opened:
        opened.append(_ROWS[0])
    assert _found(journal) == {0: _ROWS[0]}


_OTHERS = {
    "bundle": (GridIdentity(Digest.of(b"other"), IDENTITY.tasks, 3), "it is of the bundle sha256:"),
    "tasks": (GridIdentity(IDENTITY.bundle, Digest.of(b"other"), 3), "it is of 3 other tasks: the grid file has"),
}


@pytest.mark.parametrize(("identity", "reason"), _OTHERS.values(), ids=_OTHERS)
def test_a_journal_of_something_else_is_refused_and_left(identity: GridIdentity, reason: str, tmp_path: Path) -> None:
    """Rows of two bundles in one file would be compared as if they were of one."""
    journal = _written(tmp_path / "r.json")
    before = journal.read_bytes()
    with pytest.raises(UsageError, match=f"cannot be continued: {reason}"):
        Journal(journal, identity)
    assert journal.read_bytes() == before


@pytest.mark.parametrize("text", [b"mine\n", b'{"schema": "x"}\n', b"\n"])
def test_somebody_elses_file_is_refused_and_left(text: bytes, tmp_path: Path) -> None:
    """It only happens to have that name."""
    journal = tmp_path / "r.json.journal"
    journal.write_bytes(text)
    with pytest.raises(UsageError, match="was not written by `bundlekit grid`"):
        Journal(journal, IDENTITY)
    assert journal.read_bytes() == text


def test_two_grids_cannot_share_a_journal(tmp_path: Path) -> None:
    """Started twice by mistake, the second says so and touches nothing."""
    journal = journal_path(tmp_path / "r.json")
    with Journal(journal, IDENTITY) as opened:
        opened.append(_ROWS[0])
        with pytest.raises(UsageError, match="is being written by another grid"):
            Journal(journal, IDENTITY)
        opened.append(_ROWS[1])
    assert set(_found(journal)) == {0, 1}


def test_a_journal_without_rows_leaves_no_file(tmp_path: Path) -> None:
    """A grid that was refused, or interrupted before its first task ended, has nothing to keep."""
    with Journal(tmp_path / "r.json.journal", IDENTITY):
        assert [each.name for each in tmp_path.iterdir()] == ["r.json.journal"]
    assert [each.name for each in tmp_path.iterdir()] == []


def test_a_journal_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Before anything runs."""
    with pytest.raises(FileAccessError, match=r"cannot write .*: Is a directory"):
        Journal(tmp_path, IDENTITY)


def test_a_journal_that_is_no_file_is_refused(tmp_path: Path) -> None:
    """A pipe or a device would be read for ever."""
    os.mkfifo(tmp_path / "r.json.journal")
    with pytest.raises(UsageError, match="is not a regular file"):
        Journal(tmp_path / "r.json.journal", IDENTITY)


def test_a_row_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    """Results that could not be kept must not go on as if they were; a limit stands for the full disk."""
    journal = tmp_path / "r.json.journal"
    earlier = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Journal(journal, IDENTITY) as opened:
        opened.append(_ROWS[0])
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size + 9, earlier[0][1]))
        try:
            for _ in range(2):
                with pytest.raises(FileAccessError, match=r"cannot write .*: (No space left on device|File too large)"):
                    opened.append(_ROWS[1])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, earlier[0])
            signal.signal(signal.SIGXFSZ, earlier[1])
    assert _found(journal) == {0: _ROWS[0]}


@pytest.mark.parametrize("form", ResultsFormat)
def test_results_come_back_from_their_file(form: ResultsFormat, tmp_path: Path) -> None:
    """Both formats hold all that is needed to go on: no other file is."""
    path = tmp_path / f"r{form.value}"
    write_results(outcome(*_ROWS), path, form)
    earlier = earlier_results(path, form)
    assert earlier is not None
    assert earlier.identity == IDENTITY
    assert earlier.rows == _ROWS
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


_LOSSES = (loss(0), failed_loss(1))


@pytest.mark.parametrize("each", _LOSSES)
def test_a_loss_comes_back_from_its_document_as_it_was(each: LossRow) -> None:
    """Losses that are continued must be those that were found."""
    assert loss_of(json.loads(json.dumps(loss_document(each)))) == each


_OPTIONAL = {"phase", "error_type", "signal", "pid", "n_replicates", "loss", "started_s"}


@pytest.mark.parametrize("key", [key for key in loss_document(_LOSSES[0]) if key not in _OPTIONAL])
def test_a_loss_with_a_wrong_value_is_refused(key: str) -> None:
    """As a row is."""
    with pytest.raises(ValueError, match=r"a row whose|a loss that is no object|not a valid ErrorCode"):
        loss_of({**json.loads(json.dumps(loss_document(_LOSSES[1]))), key: True if key != "error_code" else "E_NEW"})


def test_a_journal_gives_losses_back_with_rows(tmp_path: Path) -> None:
    """They are of one journal, in the order in which they came."""
    journal = journal_path(tmp_path / "r.json")
    with Journal(journal, IDENTITY) as opened:
        for each in (*_ROWS, *_LOSSES):
            opened.append(each)
    with Journal(journal, IDENTITY) as opened:
        assert opened.rows == [*_ROWS, *_LOSSES]


@pytest.mark.parametrize("form", ResultsFormat)
def test_losses_come_back_from_their_file(form: ResultsFormat, tmp_path: Path) -> None:
    """In Parquet they are a table of their own, beside that of the tasks."""
    path = tmp_path / f"r{form.value}"
    write_results(outcome(*_ROWS, targets=("fit:loss",), losses=_LOSSES), path, form)
    earlier = earlier_results(path, form)
    assert earlier == (IDENTITY, _ROWS, _LOSSES)
    if form is ResultsFormat.PARQUET:
        table = parquet.read_table(tmp_path / "r.losses.parquet")
        assert table.column("loss").to_pylist() == [0.5, None]
        assert table.column("tasks").to_pylist() == [[0, 1], [0, 1]]
        write_results(outcome(row(0), targets=("fit:loss",)), tmp_path / "other.parquet", form)
        (tmp_path / "other.losses.parquet").replace(tmp_path / "r.losses.parquet")
        assert earlier_results(path, form) == (IDENTITY, _ROWS, ())


@pytest.mark.parametrize("form", ResultsFormat)
def test_no_rows_are_results_too(form: ResultsFormat, tmp_path: Path) -> None:
    """Interrupted before the first task ended."""
    path = tmp_path / f"r{form.value}"
    write_results(outcome(tasks=3), path, form)
    assert earlier_results(path, form) == (IDENTITY, (), ())


def test_a_data_frame_has_a_column_for_each_key(tmp_path: Path) -> None:
    """Parquet is for those who count and join: times are numbers, and a missing error is null."""
    path = tmp_path / "r.parquet"
    write_results(outcome(*_ROWS), path, ResultsFormat.PARQUET)
    table = parquet.read_table(path)
    assert table.column("error_code").to_pylist() == [None, "E_WIRE_RAISED", "E_SIGNAL"]
    assert table.column("seed").to_pylist() == [2**64 - 1] * 3
    assert table.column("outputs").to_pylist()[0][0] == {"name": "a", "size": 3, "checksum": "0" * 64}
    assert json.loads(table.column("params").to_pylist()[0])["b"] == 0.1
    assert json.loads(table.schema.metadata[b"bundlekit"])["failed"] == 2


_NO_RESULTS = {
    "text": b"mine",
    "other-json": b'{"schema": "bundlekit/report/1"}',
    "list": b"[]",
    "no-bundle": b'{"schema": "bundlekit/grid/1", "tasks": []}',
    "no-digest": b'{"schema": "bundlekit/grid/1", "tasks": [], "bundle": {}, "spec": {}}',
    "row": b'{"schema": "bundlekit/grid/1", "tasks": [3], "bundle": {"digest": "%s"}, "spec": {"tasks_digest": "%s"}}'
    % (IDENTITY.bundle.encode(), IDENTITY.tasks.encode()),
    "half": b'{"schema": "bundlekit/grid/1", "tasks": [',
}


@pytest.mark.parametrize("form", ResultsFormat)
@pytest.mark.parametrize("data", _NO_RESULTS.values(), ids=_NO_RESULTS)
def test_a_file_that_is_no_results_is_known_as_such(data: bytes, form: ResultsFormat, tmp_path: Path) -> None:
    """It is refused by whoever asked for it, and never overwritten."""
    path = tmp_path / "r"
    path.write_bytes(data)
    assert earlier_results(path, form) == (None, (), ())


def test_a_parquet_file_of_somebody_else_is_known_as_such(tmp_path: Path) -> None:
    """A table of data is easily named the same."""
    parquet.write_table(pa.table({"number": [1]}), tmp_path / "r.parquet")
    assert earlier_results(tmp_path / "r.parquet", ResultsFormat.PARQUET) == (None, (), ())


def test_what_is_not_there_is_nothing_earlier(tmp_path: Path) -> None:
    """The usual case."""
    assert earlier_results(tmp_path / "r.json", ResultsFormat.JSON) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("r.csv", r"ends in \.json or \.parquet"),
        ("no/r.json", "no is not a directory"),
        ("d.json", "is no regular file"),
    ],
)
def test_a_results_file_that_could_not_be_written_is_refused_at_once(name: str, said: str, tmp_path: Path) -> None:
    """Not after an hour of tasks."""
    (tmp_path / "d.json").mkdir()
    with pytest.raises(UsageError, match=said):
        results_format(tmp_path / name)


@pytest.mark.parametrize("name", ["r.json", "R.JSON", "r.parquet"])
def test_a_results_file_has_its_format_from_its_name(name: str, tmp_path: Path) -> None:
    """As people write them."""
    assert results_format(tmp_path / name).value == Path(name).suffix.lower()


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra; whoever has no use for it installs in seconds."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="need pyarrow, which is not installed") as caught:
        results_format(tmp_path / "r.parquet")
    assert "pip install 'bundlekit[parquet]'" in (caught.value.hint or "")
    assert results_format(tmp_path / "r.json") is ResultsFormat.JSON


_VERDICTS = [
    (row(0), 60.0, True),
    (failed(0), 60.0, True),
    (failed(0, ErrorCode.SIGNAL), 60.0, True),
    (failed(0, ErrorCode.TASK), 60.0, True),
    (failed(0, ErrorCode.TIMEOUT), 60.0, True),
    (failed(0, ErrorCode.TIMEOUT), 30.0, True),
    (failed(0, ErrorCode.TIMEOUT), 61.0, False),
    (failed(0, ErrorCode.KILLED), 60.0, False),
    (failed(0, ErrorCode.VENV), 60.0, False),
    (failed(0, ErrorCode.IO), 60.0, False),
    (failed(0, ErrorCode.INTERRUPTED), 60.0, False),
    (failed(0, ErrorCode.USAGE, phase="environment"), 60.0, False),
    (failed(0, ErrorCode.USAGE, phase="task"), 60.0, True),
    (failed(0, ErrorCode.WIRE_RAISED, phase="environment"), 60.0, True),
]


@pytest.mark.parametrize(("each", "timeout_s", "stands"), _VERDICTS)
def test_only_what_tells_of_the_task_stands(each: GridRow, timeout_s: float, stands: bool) -> None:  # noqa: FBT001 - a column
    """A full disk or a killed machine says nothing of a task; more time may give another end than a deadline."""
    assert is_verdict(each, timeout_s) is stands
