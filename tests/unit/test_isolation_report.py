"""The outcome of an experiment, for people and for programs."""

import json
from pathlib import Path

import jsonschema
import pytest
from builders.isolation import blocked, isolated, leaking, outcome

from bundlekit.model.grid import GridTask
from bundlekit.model.isolation import Cell, Divergence, IsolationOutcome, Order, Run, Verdict
from bundlekit.report.documents import json_text
from bundlekit.report.isolation import isolation_document, isolation_lines
from bundlekit.report.text import plain

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/isolation.schema.json").read_text(encoding="utf-8"))


def lines(found: IsolationOutcome) -> list[str]:
    """Return the text without colours."""
    return list(isolation_lines(found, plain))


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(isolated(), id="isolated"),
        pytest.param(leaking(), id="leaking"),
        pytest.param(blocked(), id="blocked"),
    ],
)
def test_the_document_is_as_its_schema_says(found: IsolationOutcome) -> None:
    """Programs read it."""
    document = json.loads(json_text(isolation_document(found)))
    jsonschema.validate(document, SCHEMA)
    assert document["schema"] == "bundlekit/isolation/1"


def test_the_document_has_the_sequence_of_the_first_victim() -> None:
    """And says of each task that took part how it ended alone."""
    document = isolation_document(leaking())
    assert document["sequence"] == [0, 2, 3]
    assert [task["cold"] for task in document["tasks"]] == ["succeeded"] * 15 + ["failed"]
    assert isolation_document(isolated())["sequence"] == []


def test_the_text_shows_matrix_proof_culprit_and_verdict() -> None:
    """What a scientist needs to believe it, in one screen."""
    found = lines(leaking())
    assert found[0].startswith("order")
    assert found[3].split() == ["grid", *map(str, range(15))]
    assert found[4].split() == list("\u00b7-\u00b7D\u00b7\u00b7\u00b7D\u00b7\u00b7\u00b7D\u00b7\u00b7X")
    text = "\n".join(found)
    assert 'task 3 ({"beta": 0.35} seed 0) differs after task 0 ({"beta": 0.2} seed 0), then task 2' in text
    assert "  output curve at column 'infected', row 17: 103.25 alone, 98.5 then (42 ULPs apart)" in found
    assert "  show it again: bundlekit isolation examples/leaky-cpp --grid-spec grid.json --sequence 0,2,3" in found
    assert "fails after" in text
    assert "and perhaps after fewer" in text
    assert (
        "native state leaky/_core.so: leaky::Model::simulate(double, unsigned long)::memo changed (24 bytes, the "
        "vector that it holds (3,200 bytes)) in task 0: path-dependent, which is why the output differs"
    ) in found
    assert "native state numpy/random/mtrand.so: .bss+0x1c40 changed (16 bytes) in task 0: changed" in found
    assert (
        "python state leaky.model._cache (module-global) changed in task 0: {} -> {0.2: <object>}: accumulates" in found
    )
    assert "note: 1 task failed in a process of its own too: 15" in found
    assert found[-1] == (
        "leaks: what a task gives depends on the tasks before it in its process; 400 executions in 212.5 s "
        "(of 400 and 300 s), sandbox landlock"
    )


def test_a_healthy_bundle_is_said_to_be_so_with_what_was_not_shown() -> None:
    """Isolated means: as far as was looked."""
    found = lines(isolated())
    assert found[-1].startswith("isolated: no task that ran changed another; 24 executions")
    assert not any("of its own too" in line for line in found)
    assert "note: the seed changes nothing: outputs are the same for all seeds of the same parameters" in found
    assert "not shown: Sequences of more than three tasks were tried in these orders alone." in found


def test_the_hints_follow_the_mark() -> None:
    """Marked and isolated is told so; marked and leaking needs no advice."""
    assert not any("hint" in line for line in lines(leaking()._replace(requires_fresh_process=True)))
    assert any("hint: have each call" in line for line in lines(leaking()))
    assert any(
        "nothing was seen that needs it" in line for line in lines(isolated()._replace(requires_fresh_process=True))
    )


def test_no_verdict_is_told_with_its_reason() -> None:
    """And what to do."""
    found = lines(blocked())
    assert "error: the budget of 3 executions is used up" in found
    assert "  hint: allow more with --max-tasks" in found
    assert found[-1].startswith("no verdict; 12 executions")


def test_one_sequence_alone_gives_no_verdict_on_the_bundle() -> None:
    """It is the answer to one question."""
    run = Run(Order("sequence", (2, 0)), (Cell.SAME, Cell.SAME), (7, 7), 0.1)
    found = lines(outcome(Verdict.ISOLATED)._replace(notes=("sequence_only",), runs=(run,)))
    assert found[-1].startswith("same: the last task gives what it gives alone")


def test_much_is_cut_and_counted() -> None:
    """A screen is a screen; the document has all."""
    many = leaking()._replace(victims=leaking().victims * 3, native_state=leaking().native_state * 5)
    found = lines(many)
    assert "and 3 tasks more; --output json lists all" in found
    assert "and 3 changes more; --output json lists all" in found


STATUSES = {
    "isolated": (isolated(), 0),
    "leaks": (leaking(), 1),
    "nondeterministic": (outcome(Verdict.NONDETERMINISTIC), 1),
    "blocked": (blocked(), 4),
}


@pytest.mark.parametrize(("found", "status"), STATUSES.values(), ids=STATUSES)
def test_the_exit_status_follows_the_verdict(found: IsolationOutcome, status: int) -> None:
    """As CI reads it."""
    assert found.exit_status == status


DISTANCES = {
    "none": (("a", "b", None), "a alone, b then"),
    "one": (("1.0", "1.0000000000000002", 1), "1.0 alone, 1.0000000000000002 then (1 ULP apart)"),
    "few": (("1", "2", 1000), "1 alone, 2 then (1000 ULPs apart)"),
    "much": (("1.4", "1.8", 1 << 40), "1.4 alone, 1.8 then (28.6% apart)"),
    "little": (("2", "2.00001", 5000), "2 alone, 2.00001 then (5.0e-06 of it apart)"),
    "from-zero": (("0", "1", 1 << 60), "0 alone, 1 then (1152921504606846976 ULPs apart)"),
    "no-numbers": (("1 (in hex)", "1.5", 5000), "1 (in hex) alone, 1.5 then (5000 ULPs apart)"),
    "infinite": (("1", "inf", 5000), "1 alone, inf then (5000 ULPs apart)"),
}


@pytest.mark.parametrize(("sides", "text"), DISTANCES.values(), ids=DISTANCES)
def test_a_difference_is_told_in_the_unit_that_says_most(sides: tuple[str, str, int | None], text: str) -> None:
    """A few units in the last place are rounding; a million million of them are another result."""
    assert str(Divergence("raw", "", *sides)) == f"output raw: {text}"


def test_long_parameters_are_cut_for_people() -> None:
    """Some carry a table."""
    shown = GridTask("main", {"table": list(range(100))}, 3).shown
    assert shown == '{"table": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, ... seed 3'
