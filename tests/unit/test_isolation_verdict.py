"""What executions say of each other, and the verdict."""

import pytest

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.isolation.compare import Observation, cell_of, first_difference, observation_of, verdict_of
from bundlekit.model.isolation import Cell, Order, Run, Verdict
from bundlekit.model.outcome import Failure, Output, Simulated, TaskRun

_GAVE = Observation({"a": "1", "b": "2"}, None, None, 7, 0.1)
_RAISED = Observation({}, "E_WIRE_RAISED KeyError", "KeyError: 'b'", 7, 0.1)

CELLS = {
    "same": (_GAVE, _GAVE._replace(pid=8, seconds=9.0), Cell.SAME),
    "same-failure": (_RAISED, _RAISED._replace(message="KeyError: 'c'"), Cell.SAME),
    "other-checksum": (_GAVE, _GAVE._replace(outputs={"a": "1", "b": "3"}), Cell.DIFFERENT),
    "output-missing": (_GAVE, _GAVE._replace(outputs={"a": "1"}), Cell.DIFFERENT),
    "crashed": (_GAVE, _RAISED, Cell.CRASHED),
    "other-failure": (_RAISED, _RAISED._replace(failed_how="E_SIGNAL SIGSEGV"), Cell.DIFFERENT),
    "succeeds-only-warm": (_RAISED, _GAVE, Cell.DIFFERENT),
}


@pytest.mark.parametrize(("cold", "warm", "cell"), CELLS.values(), ids=CELLS)
def test_a_warm_execution_is_held_against_the_cold_one(cold: Observation, warm: Observation, cell: Cell) -> None:
    """A task that works only after another leaks as much as one that fails then."""
    assert cell_of(cold, warm) is cell


def _run(*cells: Cell) -> Run:
    return Run(Order("grid", tuple(range(len(cells)))), cells, (1,) * len(cells), 0.1)


VERDICTS = {
    "isolated": ([_run(Cell.SAME, Cell.SAME)], False, Verdict.ISOLATED),
    "isolated-as-far-as-it-went": ([_run(Cell.SAME, Cell.SKIPPED)], False, Verdict.ISOLATED),
    "leaks": ([_run(Cell.SAME), _run(Cell.SAME, Cell.DIFFERENT)], False, Verdict.LEAKS),
    "crashes-come-before-leaks": ([_run(Cell.DIFFERENT, Cell.CRASHED)], False, Verdict.CRASHES_WARM),
    "nondeterministic-comes-first": ([_run(Cell.CRASHED)], True, Verdict.NONDETERMINISTIC),
    "nothing-ran": ([_run(Cell.SKIPPED)], False, None),
    "no-orders": ([], False, None),
}


@pytest.mark.parametrize(("runs", "differs_cold", "verdict"), VERDICTS.values(), ids=VERDICTS)
def test_the_verdict_is_the_first_that_holds(runs: list[Run], differs_cold: bool, verdict: Verdict | None) -> None:  # noqa: FBT001 - a table's column
    """And what was not run clears nobody."""
    assert verdict_of(runs, differs_cold=differs_cold) is verdict


def test_the_first_difference_is_by_the_name_of_the_output() -> None:
    """The same difference is told each time, whatever order the outputs came in."""
    one, other = Output(1, "1", b"x", None), Output(1, "3", b"y", None)
    cold = Observation({"b": "1", "a": "1", "z": "1"}, None, None, 1, 0.1, {"b": one, "a": one, "z": one})
    warm = Observation({"z": "3", "b": "3", "a": "1"}, None, None, 1, 0.1, {"z": other, "b": other, "a": one})
    assert first_difference(cold, warm) == ("b", one, other)
    assert first_difference(cold, cold) is None
    assert first_difference(cold, _RAISED) is None
    assert first_difference(cold._replace(outputs={}, data={}), warm) == ("a", None, one)


def test_a_run_becomes_what_two_of_them_can_be_compared_by() -> None:
    """Messages and pids differ each time, and mean nothing."""
    output = Output(2, "f00", b"ok", None)
    gave = observation_of(TaskRun(Simulated("id", {"raw": output}), 7, 0.5, (), "off"))
    assert gave == Observation({"raw": "f00"}, None, None, 7, 0.5, {"raw": output})
    failure = Failure(ErrorCode.SIGNAL, Phase.CALL, None, "killed", "SIGSEGV", retryable=False, stderr_tail="")
    died = observation_of(TaskRun(failure, 7, 0.5, (), "off"))
    assert died.failed_how == "E_SIGNAL SIGSEGV"
    plain = observation_of(TaskRun(failure._replace(signal_name=None), 7, 0.5, (), "off"))
    assert plain.failed_how == "E_SIGNAL"
