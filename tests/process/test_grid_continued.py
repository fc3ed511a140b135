"""A grid that is killed, interrupted, watched and continued."""

import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest
from builders.bundles import make_bundle
from builders.cold_runs import alive, await_death, await_pids, children_of
from builders.grid_commands import WIRE, grid_command, grid_document, grid_file, log_lines, ran_grid

pytestmark = pytest.mark.process


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return the directory of a bundle whose tasks do as they are told."""
    return make_bundle(tmp_path / "bundle", {"model/wire.py": WIRE})


def test_a_killed_grid_loses_nothing_that_was_done(bundle: Path, tmp_path: Path) -> None:
    """Kill -9 in the middle, then the same command: each task ran once, but those that were running then."""
    log, results, jobs = tmp_path / "log", tmp_path / "r.json", 2
    spec = grid_file(tmp_path, params=[{"log": str(log), "sleep": 0.1}], seeds=list(range(30)))
    process = subprocess.Popen(grid_command(bundle, spec, "--results", results, "--jobs", jobs))
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
    document = grid_document(bundle, spec, "--results", results, "--jobs", jobs, "--expect-fresh-pids")
    assert (document["succeeded"], document["complete"], document["processes"]) == (30, True, 30)
    assert 30 <= len(log_lines(log)) <= 30 + jobs
    assert not journal.exists()
    assert json.loads(results.read_text(encoding="utf-8")) == document
    again = ran_grid(bundle, spec, "--results", results)
    assert "30 done before" in again.stdout
    assert len(log_lines(log)) <= 30 + jobs


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_an_interrupted_grid_says_what_is_done_and_goes_on(
    number: signal.Signals, ending: str, bundle: Path, tmp_path: Path
) -> None:
    """Ctrl-C, or the end of a cluster's job: nothing stays behind, nothing is lost, the same command goes on."""
    log, results = tmp_path / "log", tmp_path / f"r.{ending}"
    sets = [{"log": str(log), "sleep": 0.05}] * 6 + [{"log": str(log), "sleep": 5}] * 2
    spec = grid_file(tmp_path, params=sets)
    command = grid_command(bundle, spec, "--results", results, "--jobs", 2)
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
    document = grid_document(bundle, spec, "--results", results, "--jobs", 2)
    assert (document["succeeded"], document["complete"]) == (8, True)
    assert len(log_lines(log)) == 10


def test_ctrl_c_at_a_terminal_fails_no_task(bundle: Path, tmp_path: Path) -> None:
    """The terminal sends it to every process of the group: tasks that run must not be counted as killed."""
    log, results = tmp_path / "log", tmp_path / "r.json"
    spec = grid_file(tmp_path, params=[{"log": str(log), "sleep": 30}])
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        grid_command(bundle, spec, "--results", results),
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
    spec = grid_file(tmp_path, params=[{"sleep": 0.4}], seeds=list(range(8)))
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    command = grid_command(bundle, spec, "--jobs", 1)
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
    command = grid_command(bundle, grid_file(tmp_path), "--results", tmp_path / "r.json")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pids = await_pids(mark, 1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert alive(pids) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bundle", "grid.json", "mark"]


def test_results_of_another_bundle_or_grid_are_refused(bundle: Path, tmp_path: Path) -> None:
    """A file that holds rows of two bundles would be read as one experiment."""
    results = tmp_path / "r.json"
    spec = grid_file(tmp_path, params=[{"x": 1}])
    assert ran_grid(bundle, spec, "--results", results).returncode == 0
    before = results.read_bytes()
    grid_file(tmp_path, params=[{"x": 2}])
    done = ran_grid(bundle, spec, "--results", results)
    assert done.returncode == 2
    assert "cannot be continued: it is of 1 other tasks: the grid file has changed, or is another" in done.stderr
    grid_file(tmp_path, params=[{"x": 1}])
    (bundle / "model" / "more.py").write_text("x = 1\n", encoding="utf-8")
    done = ran_grid(bundle, spec, "--results", results)
    assert done.returncode == 2
    assert "cannot be continued: it is of the bundle sha256:" in done.stderr
    assert results.read_bytes() == before
    results.write_text("mine", encoding="utf-8")
    done = ran_grid(bundle, spec, "--results", results)
    assert "it was not written by `bundlekit grid`" in done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bundle", "grid.json", "r.json"]
    assert results.read_text(encoding="utf-8") == "mine"


def test_results_do_not_become_a_part_of_the_bundle(bundle: Path, tmp_path: Path) -> None:
    """Its digest would be another at each run, and no run could be continued."""
    spec = grid_file(tmp_path, params=[{}])
    done = ran_grid(bundle, spec, "--results", bundle / "r.json")
    assert done.returncode == 2
    assert "is in the bundle, which it would become a part of" in done.stderr
    assert not (bundle / "r.json.journal").exists()
    (bundle / ".bundlekit").mkdir()
    for before in (0, 1):
        done = ran_grid(bundle, spec, "--results", bundle / ".bundlekit" / "r.json")
        assert (done.returncode, f"{before} done before" in done.stdout) == (0, bool(before))


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
