"""What people and programs are told of a grid."""

import json

import pytest
from builders.grids import failed, failed_loss, loss, outcome, row

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.grid.row_document import loss_document, row_document
from bundlekit.model.finding import Obstacle
from bundlekit.model.grid import GridOutcome, GridRow, Tally, processes_of
from bundlekit.report.grids import bar, grid_lines, grid_summary, grid_text
from bundlekit.report.text import plain

_BARS: dict[str, tuple[Tally, str]] = {
    "start": (Tally(8), " 0 of 8 tasks, 0.0 a second"),
    "middle": (Tally(8, 4, 1, 0, 2.0), " 4 of 8 tasks, 1 failed, 2.0 a second, 2.0 s left"),
    "long": (Tally(100_000, 10, 0, 0, 2.0), " 10 of 100000 tasks, 5.0 a second, 5:33:18 left"),
    "continued": (Tally(10, 6, 0, 4, 1.0), " 6 of 10 tasks, 2.0 a second, 2.0 s left"),
    "end": (Tally(8, 8, 0, 0, 4.0), " 8 of 8 tasks, 2.0 a second, 0.0 s left"),
}


@pytest.mark.parametrize(("tally", "said"), _BARS.values(), ids=_BARS)
def test_the_bar_tells_rate_and_time_left(tally: Tally, said: str) -> None:
    """The rate is this run's alone: what was done before took no time of it."""
    line = bar(tally)
    assert line[24:] == said
    assert line[:24].count("\u2501") == 24 * tally.done // tally.tasks


_LOSSES = (loss(0), loss(0, target="fit:other", loss=1.5), failed_loss(1), loss(1, target="fit:other"))
_TARGETS = {"targets": ("fit:loss", "fit:other"), "target_sets": {"all": ("fit:loss", "fit:other")}}
_WHOLE = {
    "rows": outcome(row(0), failed(1)),
    "no-rows": outcome(tasks=2),
    "many": outcome(*(row(number) for number in range(2500))),
    "losses": outcome(row(0), row(1), losses=_LOSSES, **_TARGETS),
}


def test_a_tally_counts_losses_apart_from_tasks() -> None:
    """The rate is that of tasks; a grid is done once it has its losses too."""
    tally = Tally(2, losses=2)
    for each in (row(0), loss(0), failed(1)):
        tally = tally.with_row(each, 2.0)
    assert not tally.is_complete
    assert bar(tally)[24:] == " 2 of 2 tasks, 1 failed, 1 of 2 losses, 1.0 a second, 0.0 s left"
    tally = tally.with_row(failed_loss(1), 3.0)
    assert (tally.is_complete, tally.found, tally.found_failed, tally.seconds) == (True, 2, 1, 3.0)


@pytest.mark.parametrize("made", _WHOLE.values(), ids=_WHOLE)
def test_the_text_of_the_document_is_the_document(made: GridOutcome) -> None:
    """A line for each row, so that line tools and JSON readers both get on with it, in pieces that memory can hold."""
    text = "".join(grid_text(made))
    document = json.loads(text)
    assert {name: value for name, value in document.items() if not isinstance(value, list) or name == "targets"} == (
        json.loads(json.dumps(grid_summary(made)))
    )
    assert document["tasks"] == json.loads(json.dumps([row_document(each) for each in made.rows]))
    assert document["losses"] == json.loads(json.dumps([loss_document(each) for each in made.losses]))
    assert sum('"task_id"' in line for line in text.splitlines()) == len(made.rows)
    assert text.endswith("}\n")
    assert max(map(len, grid_text(made))) < 10**6


def test_a_set_has_the_mean_loss_of_its_targets() -> None:
    """As the platform has it: without weights, and none at all where one of the targets has none."""
    document = json.loads("".join(grid_text(_WHOLE["losses"])))
    assert document["set_losses"] == [
        {"number": 0, "target_set": "all", "loss": 1.0},
        {"number": 1, "target_set": "all", "loss": None},
    ]


def test_losses_are_a_table_of_their_own() -> None:
    """What a study was run for, below what it took; a failure decides the status as one of a task does."""
    made = _WHOLE["losses"]
    made = made._replace(tally=made.tally._replace(losses=4, found=4, found_failed=1))
    lines = list(grid_lines(made, plain))
    assert lines[3].split() == ["set", "target", "replicates", "params", "loss"]
    assert lines[4].split()[:3] == ["0", "fit:loss", "2"]
    assert lines[4].endswith("  0.5")
    assert lines[6].endswith("E_WIRE_RAISED KeyError: no such output")
    assert lines[8].startswith("failed: 2 of 2 tasks succeeded, 3 of 4 losses found, in 2 processes")
    assert made.exit_status == 8
    many = made._replace(losses=[loss(number) if number % 2 else failed_loss(number) for number in range(100)])
    assert "and 26 more losses that there are not; --output json and --results list all" in list(
        grid_lines(many, plain)
    )


def test_a_short_grid_is_shown_whole() -> None:
    """With what a person looks for: what it was, in which process, how it ended."""
    lines = list(grid_lines(outcome(row(0), failed(1)), plain))
    assert lines[0].split() == ["task", "seed", "params", "pid", "seconds", "outcome"]
    assert lines[1].startswith("0     18446744073709551615")
    assert "a 000000000000, b ffffffffffff" in lines[1]
    assert lines[2].endswith("E_WIRE_RAISED ValueError: no such beta")
    assert lines[3] == "failed: 1 of 2 tasks succeeded, 1 failed, in 2 processes, 2.0 s, 1.0 tasks a second"


def test_of_a_long_grid_the_failures_are_shown() -> None:
    """Thousands of lines that say nothing would hide the three that do."""
    rows = [failed(number) if number % 2 else row(number) for number in range(100)]
    lines = list(grid_lines(outcome(*rows), plain))
    assert len(lines) == 1 + 24 + 1 + 1
    assert lines[25] == "and 26 more that failed; --output json and --results list all"
    assert len(list(grid_lines(outcome(*(row(number) for number in range(100))), plain))) == 1


def test_what_a_bundle_says_moves_no_cursor() -> None:
    """Messages and names come from code that nobody here has read."""
    text = "\n".join(grid_lines(outcome(failed(0, message="\x1b[2J"), row(1, outputs={"\x1b": (0, "0" * 64)})), plain))
    assert "\x1b" not in text


def test_an_obstacle_is_told_with_its_hint() -> None:
    """No task was tried, and the reason is one."""
    made = outcome(tasks=2, obstacle=Obstacle(ErrorCode.VENV, "no index", "check the network"))
    lines = list(grid_lines(made, plain))
    assert lines[:2] == ["error: no index", "  hint: check the network"]
    assert made.exit_status == 7
    assert grid_summary(made)["error"] == {
        "code": 7,
        "error_code": "E_VENV",
        "message": "no index",
        "hint": "check the network",
    }


_STATUSES: dict[str, tuple[GridOutcome, int]] = {
    "passed": (outcome(row(0)), 0),
    "first-failure": (outcome(row(0), failed(1, ErrorCode.TIMEOUT), failed(2)), 124),
    "interrupted": (outcome(failed(0), tasks=2, interrupted=True), 130),
    "not-fresh": (outcome(row(0), fresh_pids=False), 1),
    "fresh": (outcome(row(0), fresh_pids=True), 0),
    "failed-and-not-fresh": (outcome(failed(0), fresh_pids=False), 8),
}


@pytest.mark.parametrize(("made", "status"), _STATUSES.values(), ids=_STATUSES)
def test_the_exit_status_tells_the_worst(made: GridOutcome, status: int) -> None:
    """DESIGN decision 9."""
    assert made.exit_status == status
    assert grid_summary(made)["passed"] is (status == 0)


_PROCESSES = {
    "different": ([row(0), row(1)], 2),
    "pid-used-again": ([row(0), row(1, pid=100, started_s=1.0)], 2),
    "pid-on-two-hosts": ([row(0), row(1, pid=100, host="node-2")], 2),
    "one-process": ([row(0), row(1, pid=100)], 1),
    "no-process": ([row(0), row(1, pid=None)], 1),
}


@pytest.mark.parametrize(("rows", "count"), _PROCESSES.values(), ids=_PROCESSES)
def test_processes_are_told_by_host_pid_and_start(rows: list[GridRow], count: int) -> None:
    """Pids wrap and hosts have the same ones; `sort -u` of pids alone would be wrong both ways."""
    assert processes_of(rows) == count
