"""What people and programs are told of a grid."""

import json

import pytest
from builders.grids import failed, outcome, row

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.model.finding import Obstacle
from bundlekit.model.grid import GridOutcome, GridRow, Tally, processes_of
from bundlekit.report.grids import bar, grid_document, grid_lines, grid_text
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


@pytest.mark.parametrize("made", [outcome(row(0), failed(1)), outcome(tasks=2)], ids=["rows", "no-rows"])
def test_the_text_of_the_document_is_the_document(made: GridOutcome) -> None:
    """A line for each task, so that line tools and JSON readers both get on with it."""
    text = grid_text(grid_document(made))
    assert json.loads(text) == json.loads(json.dumps(grid_document(made)))
    assert sum('"task_id"' in line for line in text.splitlines()) == len(made.rows)
    assert text.endswith("}\n")


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
    assert grid_document(made)["error"] == {
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
    assert grid_document(made)["passed"] is (status == 0)


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
