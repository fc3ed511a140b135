"""The isolation experiment on real bundles: each leak is shown, proved, and its culprit named."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders.bundles import GOOD_PYPROJECT, make_bundle
from builders.cold_runs import await_death, children_of
from builders.isolation_bundles import MODEL, cells, experiment, spec

from bundlekit.api.mending import fix
from bundlekit.api.validation import ValidateOptions
from bundlekit.model.finding import Level, Severity
from bundlekit.model.isolation import Cell, Divergence, Verdict

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the bundle, for all tests: it is built once."""
    return make_bundle(tmp_path_factory.mktemp("isolation") / "bundle", {"model/wire.py": MODEL})


def command(*words: object) -> list[str]:
    """Return the words of the command line."""
    return [sys.executable, "-m", "bundlekit", "isolation", *map(str, words)]


def test_a_bundle_whose_tasks_leave_nothing_is_isolated(bundle: Path, tmp_path: Path) -> None:
    """A false alarm costs the fast executor, and trust in the next alarm."""
    outcome = experiment(bundle, spec(tmp_path, "isolated", sets=3, seeds=2))
    assert (outcome.verdict, outcome.exit_status) == (Verdict.ISOLATED, 0)
    assert [run.order.name for run in outcome.runs] == ["grid", "reversed", "shuffled", "repeated", "pairs"]
    assert {cell for run in outcome.runs for cell in run.cells} == {Cell.SAME}
    # Each order is one process, and no two share one.
    assert [len(set(run.pids)) for run in outcome.runs] == [1] * 5
    assert len({run.pids[0] for run in outcome.runs}) == 5
    assert (outcome.notes, outcome.not_shown, outcome.victims) == ((), (), ())
    assert (outcome.native_state, outcome.python_state) == ((), ())
    assert outcome.budget.tasks_used == 2 * 6 + 3 * 6 + 4 + 37


def test_a_leak_that_shows_at_the_fourth_set_of_parameters(bundle: Path, tmp_path: Path) -> None:
    """The story of the seeds: three sets pass, four fail, and it takes days to see why."""
    outcome = experiment(bundle, spec(tmp_path, "fourth_set", sets=5, seeds=2))
    assert (outcome.verdict, outcome.exit_status) == (Verdict.LEAKS, 1)
    assert [number for number, cell in cells(outcome, "grid").items() if cell is Cell.DIFFERENT] == [6, 7, 8, 9]
    victim = outcome.victims[0]
    assert (victim.task, victim.order, victim.is_minimal) == (6, "grid", True)
    assert len(victim.sequence) == 4
    assert {outcome.tasks[number].params["b"] for number in victim.sequence} == {0, 1, 2, 3}
    assert victim.divergence is not None
    assert victim.divergence[:4] == ("curve", "$.v", "3", "6")


def test_two_tasks_that_only_together_change_a_third(bundle: Path, tmp_path: Path) -> None:
    """Leaving out either one would acquit the other."""
    outcome = experiment(bundle, spec(tmp_path, "two_polluters"))
    assert outcome.verdict is Verdict.LEAKS
    victim = outcome.victims[0]
    assert (victim.task, victim.sequence, victim.is_minimal) == (5, (1, 4, 5), True)
    assert {each.sequence[:-1] for each in outcome.victims} <= {(1, 4), (4, 1)}


def test_a_task_that_fails_can_be_the_culprit(bundle: Path, tmp_path: Path) -> None:
    """What it would have cleaned up at its end is left, and it is not left out of the orders."""
    outcome = experiment(bundle, spec(tmp_path, "after_exception"))
    assert (outcome.verdict, outcome.failed_cold) == (Verdict.LEAKS, (2,))
    assert outcome.victims[0].sequence == (2, 3)
    assert cells(outcome, "grid") == {0: Cell.SAME, 1: Cell.SAME, 2: Cell.SAME} | dict.fromkeys(
        (3, 4, 5), Cell.DIFFERENT
    )


def test_a_task_that_kills_the_warm_process(bundle: Path, tmp_path: Path) -> None:
    """It succeeds alone; where it does not, the order goes on in another process."""
    outcome = experiment(bundle, spec(tmp_path, "crashes"))
    assert outcome.verdict is Verdict.CRASHES_WARM
    (grid,) = (run for run in outcome.runs if run.order.name == "grid")
    assert grid.cells == (*[Cell.SAME] * 3, Cell.CRASHED, *[Cell.SAME] * 2)
    assert len(set(grid.pids[:4])) == 1
    assert len(set(grid.pids[4:])) == 1
    assert grid.pids[3] != grid.pids[4]
    (victim,) = outcome.victims
    assert (len(victim.sequence), victim.sequence[-1], victim.divergence) == (2, 3, None)
    assert "E_WIRE_EXIT" in (victim.message or "")


def test_a_task_that_raises_after_another(bundle: Path, tmp_path: Path) -> None:
    """The message of the exception is part of the proof."""
    outcome = experiment(bundle, spec(tmp_path, "raises"))
    assert outcome.verdict is Verdict.CRASHES_WARM
    (victim,) = outcome.victims
    assert victim.sequence == (1, 3)
    assert "index 3 is out of range" in (victim.message or "")


def test_a_task_that_works_only_after_another(bundle: Path, tmp_path: Path) -> None:
    """It is no failure, and yet what it gives hangs on what was there before."""
    outcome = experiment(bundle, spec(tmp_path, "needs_another"))
    assert (outcome.verdict, outcome.failed_cold) == (Verdict.LEAKS, (2,))
    (victim,) = outcome.victims
    assert victim.sequence == (1, 2)


def test_results_that_hang_on_the_order_of_a_set(bundle: Path, tmp_path: Path) -> None:
    """The runner's fixed PYTHONHASHSEED hides it; another runner has another."""
    outcome = experiment(bundle, spec(tmp_path, "set_order", sets=3))
    assert (outcome.verdict, outcome.exit_status) == (Verdict.NONDETERMINISTIC, 1)
    assert outcome.notes == ("hash_order",)
    assert outcome.runs == ()
    assert outcome.not_shown == ("no task was run warm: where results differ cold, nothing else can be said",)
    assert [victim.sequence for victim in outcome.victims] == [(0,), (1,), (2,)]
    assert isinstance(outcome.victims[0].divergence, Divergence)


def test_results_that_differ_each_time(bundle: Path, tmp_path: Path) -> None:
    """A generator that nobody seeded."""
    outcome = experiment(bundle, spec(tmp_path, "entropy", sets=3))
    assert (outcome.verdict, outcome.notes) == (Verdict.NONDETERMINISTIC, ("differs_each_time",))


def test_a_seed_that_changes_nothing_is_told(bundle: Path, tmp_path: Path) -> None:
    """Beside the verdict: a deterministic model may be meant."""
    outcome = experiment(bundle, spec(tmp_path, "ignores_seed", sets=3))
    assert (outcome.verdict, outcome.notes) == (Verdict.ISOLATED, ("seed_ignored",))
    assert experiment(bundle, spec(tmp_path, "ignores_seed", sets=2, seeds=2)).notes == ("seed_ignored",)


def test_a_leak_that_shows_only_now_and_then(bundle: Path, tmp_path: Path) -> None:
    """What is seen once is true, though it cannot always be seen again."""
    outcome = experiment(bundle, spec(tmp_path, "flaky"))
    assert outcome.verdict is Verdict.LEAKS
    assert all(len(victim.sequence) > 1 for victim in outcome.victims if victim.is_minimal)
    assert any(victim.divergence is not None for victim in outcome.victims)


def test_a_result_that_hangs_on_the_clock_is_no_leak(bundle: Path, tmp_path: Path) -> None:
    """Two cold runs in the same moment agree, and every later run differs, after whatever tasks."""
    # Each of 4 tasks cold, twice, and two with other seeds.
    outcome = experiment(bundle, spec(tmp_path, "slow_clock", sets=4, at=str(tmp_path / "clock"), after=10))
    assert (outcome.verdict, outcome.notes) == (Verdict.NONDETERMINISTIC, ("differs_each_time",))


def test_a_difference_that_is_never_seen_again_is_no_leak(bundle: Path, tmp_path: Path) -> None:
    """What hangs on an address in memory differs now and then, whatever ran before."""
    # The 12th execution is a warm one: each of 4 tasks cold, twice, and two with other seeds come before.
    outcome = experiment(bundle, spec(tmp_path, "one_off", sets=4, at=str(tmp_path / "count"), when=12), jobs=1)
    assert (outcome.verdict, outcome.notes) == (Verdict.NONDETERMINISTIC, ("differs_each_time",))
    (victim,) = outcome.victims
    assert (victim.is_minimal, victim.message) == (False, "differed once in 5 runs of the same sequence")


def test_no_verdict_where_no_task_succeeds(bundle: Path, tmp_path: Path) -> None:
    """Failing alike everywhere is no sign of health; the exit status is that of the failure."""
    outcome = experiment(bundle, spec(tmp_path, "all_fail", sets=2))
    assert (outcome.verdict, outcome.exit_status, outcome.failed_cold) == (None, 8, (0, 1))
    assert outcome.obstacle is not None
    assert "no task succeeds" in outcome.obstacle.message
    assert "KeyError" in outcome.obstacle.message


def test_the_budget_is_kept_and_what_it_left_out_is_said(bundle: Path, tmp_path: Path) -> None:
    """Isolated means: as far as was looked."""
    outcome = experiment(bundle, spec(tmp_path, "isolated", sets=30), max_tasks=20)
    assert outcome.budget.tasks_used <= 20
    assert outcome.verdict is Verdict.ISOLATED
    assert any("28 of 30 tasks of the grid were not run" in each for each in outcome.not_shown)
    nothing = experiment(bundle, spec(tmp_path, "isolated"), max_tasks=3)
    assert (nothing.verdict, nothing.exit_status) == (None, 4)


def test_the_printed_command_shows_it_again(bundle: Path, tmp_path: Path) -> None:
    """A proof that cannot be repeated is none."""
    outcome = experiment(bundle, spec(tmp_path, "after_exception"))
    words = shlex.split(outcome.victims[0].command)[2:]
    done = subprocess.run(command(*words), capture_output=True, check=False, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "differs after task 2" in done.stdout
    assert "output curve at $.v: 3 alone, 4 then" in done.stdout
    words[words.index("--sequence") + 1] = "0,3"
    assert subprocess.run(command(*words), capture_output=True, check=False, timeout=60).returncode == 0


def test_validation_finds_it_and_marks_the_bundle(tmp_path: Path) -> None:
    """What is marked runs in fresh processes, and is no error any more."""
    text = f"{GOOD_PYPROJECT}[tool.bundlekit] # ours\nnetwork = false\n"
    files = {"pyproject.toml": text, "model/wire.py": MODEL}
    root = make_bundle(tmp_path / "bundle", files)
    grid = spec(tmp_path, "after_exception", sets=4)
    options = ValidateOptions(Level.ISOLATION, job_spec=grid, sandbox="off")
    (report,) = fix([root], options, lambda _step: None)
    assert (report.passed, [made.finding.code for made in report.fixed]) == (True, ["BK820"])
    assert (root / "pyproject.toml").read_text() == (
        f"{text}# bundlekit isolation: task 3 changes after task 2 in the same process\nrequires-fresh-process = true\n"
    )
    (finding,) = (each for each in report.findings if each.code == "BK820")
    assert (finding.severity, finding.edit) == (Severity.INFO, None)
    assert report.isolation is not None
    assert report.isolation.verdict is Verdict.LEAKS


def test_an_interrupted_experiment_leaves_nothing_and_goes_on(bundle: Path, tmp_path: Path) -> None:
    """Ctrl-C ends all processes; what was seen is not run again."""
    notes, grid = tmp_path / "notes", spec(tmp_path, "fourth_set")
    words = command(bundle, "--grid-spec", grid, "--sandbox", "off", "--resume", notes, "--output", "json")
    began = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    while not (notes.exists() and notes.read_bytes().count(b'"warm"') >= 2):
        time.sleep(0.02)
        assert began.poll() is None
    tree = children_of(began.pid)
    tree += [grandchild for child in tree for grandchild in children_of(child)]
    os.killpg(began.pid, signal.SIGINT)
    _, said = began.communicate(timeout=30)
    assert began.returncode == 130
    assert await_death(tree, 2) == []
    assert b"interrupted" in said
    facts = notes.read_bytes().count(b"\n") - 1
    done = subprocess.run(words, capture_output=True, check=False, timeout=60)
    document = json.loads(done.stdout)
    assert (done.returncode, document["verdict"], document["victims"][0]["task"]) == (1, "leaks", 3)
    again = json.loads(subprocess.run(words, capture_output=True, check=False, timeout=60).stdout)
    assert facts > 12
    assert again["budget"]["tasks_used"] < document["budget"]["tasks_used"]
