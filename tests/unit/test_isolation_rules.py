"""What the rules of the isolation stage say of an experiment; their examples are run in tests/process."""

from pathlib import Path

import pytest
from builders.bundles import make_bundle
from builders.isolation import isolated, leaking, outcome

from bundlekit.api.trial_parse import trial_parse
from bundlekit.model.edit import RequireFreshProcess
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.isolation import Cell, Divergence, IsolationOutcome, Verdict, Victim
from bundlekit.probe.evidence import Evidence
from bundlekit.probe.isolation_rules import ISOLATION_RULES
from bundlekit.read.project import read_project


def said(root: Path, found: IsolationOutcome | None, pyproject: str | None = None) -> dict[str, Finding]:
    """Return what is said of an experiment on the good bundle, by code."""
    bundle = make_bundle(root / "bundle", {} if pyproject is None else {"pyproject.toml": pyproject})
    evidence = Evidence(read_project(bundle, trial=trial_parse), {}, isolation=found)
    findings = [finding for rule in ISOLATION_RULES for finding in rule.check(evidence)]
    assert len({finding.code for finding in findings}) == len(findings)
    return {finding.code: finding for finding in findings}


def test_nothing_is_said_where_nothing_was_run(tmp_path: Path) -> None:
    """The other levels have no experiment."""
    assert said(tmp_path, None) == {}
    assert said(tmp_path, outcome(None)) == {}


def test_a_leak_and_a_crash_are_errors_with_proof_and_culprit(tmp_path: Path) -> None:
    """Who reads it must be able to see it again."""
    findings = said(tmp_path, leaking())
    assert set(findings) == {"BK820", "BK821", "BK826"}
    leak, crash = findings["BK820"], findings["BK821"]
    assert leak.severity is crash.severity is Severity.ERROR
    assert leak.message == (
        'task 3 ({"beta": 0.35} seed 0) gives another result after task 0 ({"beta": 0.2} seed 0), then '
        "task 2 ({\"beta\": 0.3} seed 2): output curve at column 'infected', row 17: 103.25 alone, 98.5 then "
        "(42 ULPs apart)"
    )
    assert leak.hint == (
        "show it again: bundlekit isolation examples/leaky-cpp --grid-spec grid.json --sequence 0,2,3; the cause is "
        "leaky::Model::simulate(double, unsigned long)::memo in leaky/_core.so"
    )
    unknown = leaking()._replace(native_state=tuple(each._replace(is_cause=None) for each in leaking().native_state))
    hint = said(tmp_path / "unknown", unknown)["BK820"].hint or ""
    assert hint.endswith(
        "; state that is left: leaky::Model::simulate(double, unsigned long)::memo, calls, leaky.model._cache"
    )
    assert "SIGSEGV in phase call" in crash.message
    edit = leak.edit
    assert isinstance(edit, RequireFreshProcess)
    assert edit.why == "bundlekit isolation: task 3 changes after task 0, 2 in the same process"


def test_a_bundle_that_is_marked_is_not_blamed(tmp_path: Path) -> None:
    """Whoever obeys the mark gets right results."""
    findings = said(tmp_path, leaking()._replace(requires_fresh_process=True, failed_cold=()))
    assert {finding.severity for finding in findings.values()} == {Severity.INFO}
    assert all(finding.edit is None for finding in findings.values())
    assert (findings["BK820"].hint or "").startswith(
        "requires-fresh-process = true keeps it from that; show it again: "
    )


def test_no_mend_of_a_document_that_cannot_be_read(tmp_path: Path) -> None:
    """There is nothing to write the setting into."""
    assert said(tmp_path, leaking(), "[project\n")["BK820"].edit is None


def test_a_task_that_fails_alone_is_told_with_the_command_that_shows_it(tmp_path: Path) -> None:
    """The smoke stage runs the first of a grid alone, so that nobody else tells of the others."""
    finding = said(tmp_path, isolated()._replace(failed_cold=(2,)))["BK826"]
    assert finding.severity is Severity.WARNING
    assert finding.message == 'task 2 ({"beta": 0.3} seed 2) of grid.json fails in a process of its own'
    assert finding.hint == (
        "see why: bundlekit run examples/leaky-cpp --entrypoint sir --params '{\"beta\": 0.3}' --seed 2"
    )
    for number, ends in enumerate(("of its own, and so does 1 other", "of its own, and so do 2 others")):
        others = isolated()._replace(failed_cold=(2, 3, 4)[: number + 2])
        assert said(tmp_path / f"others{number}", others)["BK826"].message.endswith(ends)


def test_a_mark_that_nothing_needs_is_told(tmp_path: Path) -> None:
    """It costs a process for each task."""
    findings = said(tmp_path, isolated()._replace(requires_fresh_process=True))
    assert set(findings) == {"BK823", "BK824"}
    assert "in 4 orders of tasks nothing was seen that needs it" in findings["BK823"].message


def test_state_that_changed_nothing_is_told_and_no_error(tmp_path: Path) -> None:
    """A counter of calls is no leak, until somebody reads it."""
    found = isolated()._replace(native_state=leaking().native_state, python_state=leaking().python_state, notes=())
    finding = said(tmp_path, found)["BK825"]
    assert finding.severity is Severity.INFO
    assert finding.message.endswith("simulate(double, unsigned long)::memo, calls, leaky.model._cache")
    many = found._replace(
        python_state=tuple(
            each._replace(name=f"a.x{n}", is_own=True) for n in range(4) for each in found.python_state[:1]
        )
    )
    assert said(tmp_path, many)["BK825"].message.endswith("a.x0 and 3 more")
    stripped = found._replace(native_state=(found.native_state[1]._replace(symbol=None),), python_state=())
    assert said(tmp_path, stripped)["BK825"].message.endswith("leaky/_core.so .bss+0x40")


UNSTEADY = {
    "set": ("hash_order", "sort what comes from a set"),
    "clock": ("differs_each_time", "seed every generator"),
}


@pytest.mark.parametrize(("note", "advice"), UNSTEADY.values(), ids=UNSTEADY)
def test_results_that_differ_are_an_error_whatever_the_mark(note: str, advice: str, tmp_path: Path) -> None:
    """A fresh process does not help a result that differs from one fresh process to the next."""
    divergence = Divergence("raw", "", "there", "not there")
    victims = tuple(
        Victim(
            number, "cold", Cell.DIFFERENT, (number,), is_minimal=True, divergence=divergence, message="", command="c"
        )
        for number in range(3)
    )
    found = outcome(Verdict.NONDETERMINISTIC)._replace(notes=(note,), victims=victims, requires_fresh_process=True)
    findings = said(tmp_path, found)
    assert set(findings) == {"BK822"}
    assert findings["BK822"].severity is Severity.ERROR
    assert findings["BK822"].message == (
        'task 0 ({"beta": 0.2} seed 0) gives another result in another fresh process, and so do 2 others: '
        "output raw: there alone, not there then"
    )
    assert advice in (findings["BK822"].hint or "")


def test_a_victim_of_no_other_task_is_told_so(tmp_path: Path) -> None:
    """A process that is warm can differ by itself."""
    alone = leaking().victims[0]._replace(sequence=(3,), divergence=None, message=None)
    finding = said(tmp_path, outcome(Verdict.LEAKS)._replace(victims=(alone,)))["BK820"]
    assert (
        finding.message == 'task 3 ({"beta": 0.35} seed 0) gives another result in a warm process: its outputs differ'
    )
