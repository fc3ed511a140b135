"""`bundlekit grid` as a user runs it: real tasks, killed, interrupted, continued."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from builders.bundles import make_bundle
from builders.cold_runs import alive, await_death, await_pids, children_of

pytestmark = pytest.mark.process

_WIRE = """\
import os, signal, sys, time

n = 0

def wire(entrypoint, params, seed):
    global n
    n += 1
    kind = params.get("kind", "good")
    if "log" in params:
        with open(params["log"], "a") as file:
            file.write(f"{os.getpid()}\\n")
    if kind == "raise":
        raise ValueError("no such beta")
    if kind == "exit":
        sys.exit(3)
    if kind == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if kind == "murder":
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()
    if kind == "nothing":
        return {}
    time.sleep(params.get("sleep", 0))
    return {"seen": b"%d %d" % (n, seed)}
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return the directory of a bundle whose tasks do as they are told."""
    return make_bundle(tmp_path / "bundle", {"model/wire.py": _WIRE})


def _spec(root: Path, **document: object) -> Path:
    path = root / "grid.json"
    path.write_text(json.dumps({"entrypoint": "main", **document}), encoding="utf-8")
    return path


def _command(bundle: Path, spec: Path, *options: object) -> list[str]:
    words = ["grid", bundle, "--grid-spec", spec, *options]
    return [sys.executable, "-m", "bundlekit", *map(str, words)]


def _ran(bundle: Path, spec: Path, *options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(_command(bundle, spec, *options), capture_output=True, check=False, text=True, timeout=120)


def _document(bundle: Path, spec: Path, *options: object, status: int = 0) -> Mapping[str, Any]:
    done = _ran(bundle, spec, *options, "--output", "json")
    assert done.returncode == status, done.stderr
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="ascii").split() if log.exists() else []


def test_every_task_runs_alone(bundle: Path, tmp_path: Path) -> None:
    """The question of the guide, how many different processes ran, answered without grep."""
    spec = _spec(tmp_path, grid={"x": [1, 1.0, True], "y": ["a", "b"]}, seeds=[1, 2])
    document = _document(bundle, spec, "--expect-fresh-pids", "--jobs", 2)
    assert (document["succeeded"], document["failed"], document["not_run"]) == (12, 0, 0)
    assert (document["processes"], document["fresh_pids"], document["passed"]) == (12, True, True)
    assert [row["number"] for row in document["tasks"]] == list(range(12))
    assert len({row["task_id"] for row in document["tasks"]}) == 12
    # Each met a fresh interpreter: its counter is 1.
    assert len({row["outputs"]["seen"]["checksum"] for row in document["tasks"]}) == 2
    assert len({row["host"] for row in document["tasks"]}) == 1


def test_each_failure_is_its_own_tasks_verdict(bundle: Path, tmp_path: Path) -> None:
    """A crash, an exception, an exit, a timeout and a killed supervisor, side by side with tasks that are well."""
    kinds = ["good", "raise", "crash", "exit", "nothing", "sleep", "murder", "good"]
    sets = [{"kind": kind, "sleep": 60 if kind == "sleep" else 0} for kind in kinds]
    results = tmp_path / "r.json"
    options = ("--results", results, "--timeout-s", 4, "--jobs", 3, "--expect-fresh-pids")
    document = _document(bundle, _spec(tmp_path, params=sets), *options, status=8)
    codes = [row["error_code"] for row in document["tasks"]]
    assert codes == [None, "E_WIRE_RAISED", "E_SIGNAL", "E_WIRE_EXIT", "E_WIRE_RESULT", "E_TIMEOUT", "E_KILLED", None]
    raised, crashed = document["tasks"][1:3]
    assert (raised["error_type"], raised["message"], raised["phase"]) == ("ValueError", "no such beta", "call")
    assert crashed["signal"] == "SIGSEGV"
    # Whoever saw the process of the seventh was killed with it.
    assert document["fresh_pids"] is False
    text = _ran(bundle, _spec(tmp_path, params=sets), *options)
    assert text.returncode == 8
    assert "E_WIRE_RAISED ValueError: no such beta" in text.stdout
    assert "failed: 2 of 8 tasks succeeded, 6 failed, 7 done before" in text.stdout
    assert "not fresh: expected as many processes as tasks, 8, found 7" in text.stdout


@pytest.mark.parametrize(("kind", "status"), [("raise", 8), ("crash", 9), ("sleep", 124)])
def test_the_exit_status_is_that_of_the_first_failure(kind: str, status: int, bundle: Path, tmp_path: Path) -> None:
    """As `run` would have ended on that task (DESIGN decision 9)."""
    sets = [{"kind": "good"}, {"kind": kind, "sleep": 60}, {"kind": "exit"}]
    assert _ran(bundle, _spec(tmp_path, params=sets), "--timeout-s", 3).returncode == status


def test_a_killed_grid_loses_nothing_that_was_done(bundle: Path, tmp_path: Path) -> None:
    """Kill -9 in the middle, then the same command: each task ran once, but those that were running then."""
    log, results, jobs = tmp_path / "log", tmp_path / "r.json", 2
    spec = _spec(tmp_path, params=[{"log": str(log), "sleep": 0.1}], seeds=list(range(30)))
    process = subprocess.Popen(_command(bundle, spec, "--results", results, "--jobs", jobs))
    await_pids(log, 10)
    supervisors = children_of(process.pid)
    process.kill()
    process.wait()
    assert len(supervisors) == jobs
    assert await_death(supervisors, 10) == []
    assert not results.exists()
    journal = tmp_path / "r.json.journal"
    kept = len(journal.read_bytes().splitlines()) - 1
    assert kept >= 10 - 2 * jobs
    with journal.open("ab") as file:
        file.write(journal.read_bytes()[-400:-7])
    document = _document(bundle, spec, "--results", results, "--jobs", jobs, "--expect-fresh-pids")
    assert (document["succeeded"], document["complete"], document["processes"]) == (30, True, 30)
    assert 30 <= len(_lines(log)) <= 30 + jobs
    assert not journal.exists()
    assert json.loads(results.read_text(encoding="utf-8")) == document
    again = _ran(bundle, spec, "--results", results)
    assert "30 done before" in again.stdout
    assert len(_lines(log)) <= 30 + jobs


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_an_interrupted_grid_says_what_is_done_and_goes_on(
    number: signal.Signals, ending: str, bundle: Path, tmp_path: Path
) -> None:
    """Ctrl-C, or the end of a cluster's job: nothing stays behind, nothing is lost, the same command goes on."""
    log, results = tmp_path / "log", tmp_path / f"r.{ending}"
    sets = [{"log": str(log), "sleep": 0.05}] * 6 + [{"log": str(log), "sleep": 5}] * 2
    spec = _spec(tmp_path, params=sets)
    command = _command(bundle, spec, "--results", results, "--jobs", 2)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pids = await_pids(log, 8)
    time.sleep(0.2)
    process.send_signal(number)
    began = time.monotonic()
    stdout, stderr = process.communicate(timeout=20)
    assert time.monotonic() - began < 4
    assert process.returncode == 130
    assert "interrupted: 6 of 8 tasks succeeded, 2 not run" in stdout
    assert "the same command goes on with what is left" in stdout
    assert "Traceback" not in stderr
    assert alive(pids) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bundle", "grid.json", "log", f"r.{ending}"]
    document = _document(bundle, spec, "--results", results, "--jobs", 2)
    assert (document["succeeded"], document["complete"]) == (8, True)
    assert len(_lines(log)) == 10


def test_ctrl_c_at_a_terminal_fails_no_task(bundle: Path, tmp_path: Path) -> None:
    """The terminal sends it to every process of the group: tasks that run must not be counted as killed."""
    log, results = tmp_path / "log", tmp_path / "r.json"
    spec = _spec(tmp_path, params=[{"log": str(log), "sleep": 30}])
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        _command(bundle, spec, "--results", results),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: _own_terminal(theirs),  # noqa: PLW1509 - no thread runs here
    )
    os.close(theirs)
    await_pids(log, 1)
    os.write(ours, b"\x03")
    shown = _everything(ours)
    assert process.wait(20) == 130
    assert "0 of 1 task succeeded, 1 not run, in 0 processes" in shown
    assert json.loads(results.read_text(encoding="utf-8"))["tasks"] == []


def test_a_terminal_sees_a_bar_with_rate_and_time_left(bundle: Path, tmp_path: Path) -> None:
    """After one second, as everywhere; a log sees none."""
    spec = _spec(tmp_path, params=[{"sleep": 0.4}], seeds=list(range(8)))
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    command = _command(bundle, spec, "--jobs", 1)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = _everything(ours)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert "\u2501" in shown
    assert "of 8 tasks" in shown
    assert "a second" in shown
    assert "s left" in shown
    silent = subprocess.run(command, capture_output=True, check=True)
    assert silent.stderr == b""


def test_results_of_another_bundle_or_grid_are_refused(bundle: Path, tmp_path: Path) -> None:
    """A file that holds rows of two bundles would be read as one experiment."""
    results = tmp_path / "r.json"
    spec = _spec(tmp_path, params=[{"x": 1}])
    assert _ran(bundle, spec, "--results", results).returncode == 0
    before = results.read_bytes()
    _spec(tmp_path, params=[{"x": 2}])
    done = _ran(bundle, spec, "--results", results)
    assert done.returncode == 2
    assert "cannot be continued: it is of 1 other tasks: the grid file has changed, or is another" in done.stderr
    _spec(tmp_path, params=[{"x": 1}])
    (bundle / "model" / "more.py").write_text("x = 1\n", encoding="utf-8")
    done = _ran(bundle, spec, "--results", results)
    assert done.returncode == 2
    assert "cannot be continued: it is of the bundle sha256:" in done.stderr
    assert results.read_bytes() == before
    results.write_text("mine", encoding="utf-8")
    done = _ran(bundle, spec, "--results", results)
    assert "it was not written by `bundlekit grid`" in done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bundle", "grid.json", "r.json"]
    assert results.read_text(encoding="utf-8") == "mine"


def test_an_archive_runs_as_its_directory_does(bundle: Path, tmp_path: Path) -> None:
    """The same digest, so the same ids: results begun with one are continued with the other."""
    archive, results = tmp_path / "model.tar.zst", tmp_path / "r.json"
    command = [sys.executable, "-m", "bundlekit", "pack", str(bundle), "-o", str(archive), "--no-validate"]
    subprocess.run(command, check=True, capture_output=True)
    spec = _spec(tmp_path, params=[{"x": 1}], seeds=[1, 2])
    first = _document(bundle, spec, "--results", results)
    again = _document(archive, spec, "--results", results)
    assert again["tasks"] == first["tasks"]
    assert [row["task_id"] for row in _document(archive, spec)["tasks"]] == [row["task_id"] for row in first["tasks"]]


def test_a_job_and_a_study_run_the_same_way(bundle: Path, tmp_path: Path) -> None:
    """The platform's own documents need no rewriting to be tried here."""
    task = {"entrypoint": "model.wire/x", "params": {"param_id": "1", "params": {"x": 1}}, "seed": 3}
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"tasks": [task, {**task, "seed": 4}]}), encoding="utf-8")
    assert [row["seed"] for row in _document(bundle, job)["tasks"]] == [3, 4]
    study = {"model": "model.wire", "scenario": "x", "parameter_sets": [{"params": {"x": 1}, "seed": 3}]}
    job.write_text(json.dumps({**study, "n_replicates": 2}), encoding="utf-8")
    rows = _document(bundle, job)["tasks"]
    assert [(row["entrypoint"], row["seed"]) for row in rows] == [("model.wire/x", 3), ("model.wire/x", 4)]


def test_targets_of_a_job_are_said_not_to_run(bundle: Path, tmp_path: Path) -> None:
    """Whoever finds no loss among the results should have been told."""
    spec = _spec(tmp_path, params=[{}], targets=["model.fit:loss"])
    done = _ran(bundle, spec)
    assert done.returncode == 0
    assert "names targets, which a grid does not run; `validate --job-spec` rehearses them" in done.stderr


def test_ctrl_c_before_tasks_run_leaves_nothing(tmp_path: Path) -> None:
    """Building an environment takes the longest, and has no results to keep."""
    build = (
        '[build-system]\nrequires = []\nbuild-backend = "slow"\nbackend-path = ["."]\n'
        '[project]\nname = "model"\nversion = "1.0"\n'
        '[project.entry-points."modelops.wire"]\nexecute = "model.wire:wire"\n'
    )
    mark = tmp_path / "mark"
    slow = f"import os, time\nopen({str(mark)!r}, 'a').write(f'{{os.getpid()}}\\n')\ntime.sleep(60)\n"
    bundle = make_bundle(tmp_path / "bundle", {"pyproject.toml": build, "slow.py": slow})
    command = _command(bundle, _spec(tmp_path), "--results", tmp_path / "r.json")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pids = await_pids(mark, 1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert alive(pids) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bundle", "grid.json", "mark"]


def test_results_do_not_become_a_part_of_the_bundle(bundle: Path, tmp_path: Path) -> None:
    """Its digest would be another at each run, and no run could be continued."""
    spec = _spec(tmp_path, params=[{}])
    done = _ran(bundle, spec, "--results", bundle / "r.json")
    assert done.returncode == 2
    assert "is in the bundle, which it would become a part of" in done.stderr
    assert not (bundle / "r.json.journal").exists()
    (bundle / ".bundlekit").mkdir()
    for before in (0, 1):
        done = _ran(bundle, spec, "--results", bundle / ".bundlekit" / "r.json")
        assert (done.returncode, f"{before} done before" in done.stdout) == (0, bool(before))


# ruff: noqa: PLR0917 - one parameter a column
_REFUSED: dict[str, tuple[dict[str, object], tuple[str, ...], int, str]] = {
    "scheduler": ({}, ("--scheduler", "tcp://h:1"), 2, "grids run on this machine alone in this version"),
    "executor": ({}, ("--executor", "magic"), 2, "executor 'magic' runs no grids in this version"),
    "jobs": ({}, ("--jobs", "0"), 2, "--jobs 0: expected at least 1"),
    "timeout": ({}, ("--timeout-s", "nan"), 2, "--timeout-s nan: expected a number of seconds above 0"),
    "format": ({}, ("--output", "sarif"), 2, "a grid is written as text or json"),
    "results": ({}, ("--results", "r.csv"), 2, "ends in .json or .parquet"),
    "spec": ({"seeds": [-1]}, (), 6, "seed must be an integer from 0 to 2**64 - 1"),
}


@pytest.mark.parametrize(("spec", "options", "status", "said"), _REFUSED.values(), ids=_REFUSED)
def test_what_cannot_be_run_is_refused_at_once(
    spec: dict[str, object], options: tuple[str, ...], status: int, said: str, bundle: Path, tmp_path: Path
) -> None:
    """With the status that scripts know, before anything is built."""
    done = _ran(bundle, _spec(tmp_path, **spec), *options)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr


def test_a_bundle_without_a_wire_is_refused(tmp_path: Path) -> None:
    """No task of it could succeed, so none is tried."""
    bundle = make_bundle(tmp_path / "bundle", {"pyproject.toml": '[project]\nname = "model"\nversion = "1"\n'})
    done = _ran(bundle, _spec(tmp_path), "--output", "json")
    assert done.returncode == 5


def _own_terminal(descriptor: int) -> None:
    import fcntl  # noqa: PLC0415 - in the child
    import termios  # noqa: PLC0415 - in the child

    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


def _everything(descriptor: int) -> str:
    data = b""
    while True:
        try:
            chunk = os.read(descriptor, 4096)
        except OSError:
            break
        if not chunk:
            break
        data += chunk
    os.close(descriptor)
    return data.decode("utf-8", "replace")
