"""`bundlekit grid --scheduler`: the tasks of a grid on the workers of a running Dask cluster."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from builders.clusters import (
    BundleHome,
    WorkerProcess,
    alive,
    bundle_home,
    noted_pids,
    scheduler,
    wait_for,
    worker,
    worker_variables,
)
from builders.grid_commands import grid_command, grid_document, grid_file, ran_grid
from distributed import Client, LocalCluster

from bundlekit.api.grid_runs import GridWatcher
from bundlekit.api.grids import GridOptions, run_grid
from bundlekit.cluster.grid_tasks import GridTasks
from bundlekit.model.grid import processes_of

pytestmark = pytest.mark.process

_SAME = ("number", "task_id", "params", "seed", "error_code", "phase", "error_type", "message", "signal")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> BundleHome:
    """Return a directory of bundles for all workers of this module."""
    return bundle_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def bundle(home: BundleHome) -> Path:
    """Return the bundle that the workers have."""
    return home.directory / "obedient"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a scheduler."""
    with scheduler(tmp_path_factory.mktemp("scheduler")) as found:
        yield found


@pytest.fixture(scope="module")
def workers(address: str, home: BundleHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run two workers of two threads that are as they should be, each with a deadline of its own."""
    directory = tmp_path_factory.mktemp("workers")
    variables = {**worker_variables(home), "MODELOPS_RPC_TIMEOUT_SECONDS": "60"}
    with ExitStack() as running:
        for number in range(2):
            running.enter_context(worker(address, directory / f"w{number}.log", variables))
        yield


def _told(row: Mapping[str, Any]) -> dict[str, object]:
    """Return what of a row does not depend on who ran the task, nor when."""
    return {**{key: row[key] for key in _SAME}, "answer": row["outputs"].get("answer")}


@pytest.mark.usefixtures("workers")
def test_a_cluster_gives_what_this_machine_gives(address: str, bundle: Path, tmp_path: Path) -> None:
    """Results, failures, params of any shape and losses: moving to a cluster must change nothing but the time."""
    sets = [{"x": 1}, {"x": 1.0}, {"x": 2, "deep": [1, {"y": None}]}, {"x": 3, "ending": "signal"}]
    sets += [{"x": 4, "ending": ending} for ending in ("exit", "raise")]
    spec = grid_file(tmp_path, params=sets, seeds=[1, 2], targets=["scores.means:mean"])
    here = grid_document(bundle, spec, status=9)
    there = grid_document(bundle, spec, "--scheduler", address, "--expect-fresh-pids", status=9)
    assert [_told(row) for row in there["tasks"]] == [_told(row) for row in here["tasks"]]
    codes = [row["error_code"] for row in there["tasks"]][::2]
    assert codes == [None, None, None, "E_SIGNAL", "E_WIRE_EXIT", "E_WIRE_RAISED"]
    for one, other in zip(here["losses"], there["losses"], strict=True):
        for key in ("number", "target", "tasks", "loss", "n_replicates", "diagnostics", "error_code", "message"):
            assert one[key] == other[key]
    assert [each["loss"] for each in there["losses"]] == [1.0, 1.0, 2.0, None, None, None]
    assert (there["executor"], there["processes"], there["fresh_pids"]) == ("cold", 12, True)
    assert {(row["executor"], row["timeout_s"]) for row in there["tasks"]} == {("cold", 60.0)}
    assert {row["host"] for row in there["tasks"]} == {here["tasks"][0]["host"]}


@pytest.mark.usefixtures("workers")
def test_ctrl_c_leaves_nothing_on_the_cluster(address: str, bundle: Path, tmp_path: Path) -> None:
    """Tasks that nobody waits for would hold the workers for hours; what is done is kept, the same command goes on."""
    notes, results = tmp_path / "pids", tmp_path / "r.parquet"
    mark = tmp_path / "mark"
    sets = [{"x": n} for n in range(6)] + [{"x": n, "until": str(mark), "pids": str(notes)} for n in range(6, 12)]
    spec = grid_file(tmp_path, params=sets, targets=["scores.means:mean"])
    command = grid_command(bundle, spec, "--scheduler", address, "--results", results)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(noted_pids(notes)) >= 12, 30)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130, stderr
    assert "interrupted: 6 of 12 tasks succeeded, 6 not run, " in stdout
    assert "Traceback" not in stderr
    assert alive(noted_pids(notes)[::3]) == []
    with Client(address, set_as_default=False) as client:
        wait_for(lambda: not client.run_on_scheduler(lambda dask_scheduler: list(map(str, dask_scheduler.tasks))), 10)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["grid.json", "pids", "r.losses.parquet", "r.parquet"]
    mark.touch()
    done = grid_document(bundle, spec, "--scheduler", address, "--results", results, "--expect-fresh-pids")
    assert (done["succeeded"], done["complete"], len(done["losses"]), done["fresh_pids"]) == (12, True, 12, True)
    assert len(noted_pids(notes)) in {3 * 10, 3 * 12}
    again = ran_grid(bundle, spec, "--scheduler", "tcp://127.0.0.1:9", "--results", results)
    assert "12 done before" in again.stdout


def test_a_grid_goes_on_while_workers_die_and_wrong_ones_join(
    address: str, home: BundleHome, bundle: Path, tmp_path: Path, workers: None
) -> None:
    """A node that is taken away costs the time of its tasks; one with a stale deployment gets none, and is named."""
    del workers
    notes, mark = tmp_path / "pids", tmp_path / "mark"
    sets = [{"x": n, "until": str(mark), "pids": str(notes)} for n in range(12)]
    spec = grid_file(tmp_path, params=sets, targets=["scores.means:mean"])
    command = grid_command(bundle, spec, "--scheduler", address, "--output", "json", "--expect-fresh-pids")
    good = worker_variables(home)
    with ExitStack() as running:
        victim = running.enter_context(worker(address, tmp_path / "victim.log", good))
        wait_for(lambda: any("Starting established" in line for line in victim.lines()), 20)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: len(noted_pids(notes)) >= 3 * 6, 30)
        wrong = running.enter_context(
            worker(address, tmp_path / "wrong.log", {**good, "MODELOPS_EXECUTOR_TYPE": "colt"})
        )
        astray = running.enter_context(
            worker(address, tmp_path / "astray.log", {**good, "MODELOPS_BUNDLES_DIR": str(tmp_path)})
        )
        wait_for(lambda: any("NOT initialized" in line for line in wrong.lines()), 20)
        wait_for(lambda: any("takes no tasks any more" in line for line in astray.lines()), 20)
        os.killpg(victim.process.pid, signal.SIGKILL)
        mark.touch()
        stdout, stderr = process.communicate(timeout=60)
    document = json.loads(stdout)
    assert process.returncode == 0, stderr
    assert (document["succeeded"], document["fresh_pids"], document["complete"]) == (12, True, True)
    assert [row["params"]["x"] for row in document["tasks"]] == list(range(12))
    assert [row["loss"] for row in document["losses"]] == list(range(12))
    assert len(noted_pids(notes)) == 3 * 14
    assert stderr.count("cannot run tasks, so it gets none") == 2
    assert "has the digest sha256:" in stderr
    assert "found 'colt'; did you mean cold?" in stderr
    wait_for(lambda: not alive(noted_pids(notes)[::3]), 10)


@pytest.mark.usefixtures("workers")
def test_what_keeps_workers_from_all_tasks_is_told_once(address: str, home: BundleHome, tmp_path: Path) -> None:
    """That they lack the bundle, or have another bundlekit: not by a row of each of a million tasks."""
    bundle, digest = home.directory / "obedient", home.digest
    other = shutil.copytree(bundle, tmp_path / "other")
    (other / "more.py").write_text("x = 1\n", encoding="utf-8")
    done = ran_grid(other, grid_file(tmp_path), "--scheduler", address, "--results", tmp_path / "r.json")
    assert done.returncode == 2
    assert "2 workers can run no task of the bundle" in done.stdout
    assert "has the digest sha256:" in done.stdout
    assert "every worker needs the bundle: push it to their registry" in done.stdout
    assert not (tmp_path / "r.json").exists()
    with Client(address, set_as_default=False) as client:
        found = GridTasks(client, digest).obstacles("0.0.0")
    assert len(found) == 2
    assert all("and the grid is run with 0.0.0: install the same" in str(each) for each in found.values())


def test_a_cluster_that_goes_away_ends_the_grid(bundle: Path, home: BundleHome, tmp_path: Path) -> None:
    """What is done stays in the journal; nobody waits for ever."""
    notes = tmp_path / "pids"
    sets = [{"x": 0}] + [{"x": n, "sleep": 60, "pids": str(notes)} for n in range(1, 3)]
    with ExitStack() as running:
        short_lived = running.enter_context(scheduler(tmp_path))
        runs: WorkerProcess = running.enter_context(worker(short_lived, tmp_path / "w.log", worker_variables(home)))
        command = grid_command(
            bundle, grid_file(tmp_path, params=sets), "--scheduler", short_lived, "--results", tmp_path / "r.json"
        )
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: len(noted_pids(notes)) >= 6, 30)
        wait_for(lambda: len((tmp_path / "r.json.journal").read_bytes().splitlines()) == 2, 10)
        running.close()
        _, stderr = process.communicate(timeout=30)
        assert runs.process.poll() is not None
    assert process.returncode == 7
    assert "the Dask cluster is gone" in stderr, stderr
    assert "Traceback" not in stderr
    assert len((tmp_path / "r.json.journal").read_bytes().splitlines()) == 2
    wait_for(lambda: not alive(noted_pids(notes)), 10)


def test_a_cluster_in_a_notebook_runs_grids_too(
    home: BundleHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its workers are this process's children, and read the variables that it has; warm ones are fresh for no task."""
    for name, value in worker_variables(home, "auto").items():
        monkeypatch.setenv(name, value)
    spec = grid_file(tmp_path, params=[{"x": n} for n in range(8)], seeds=[1, 2], targets=["scores.means:mean"])
    watcher = GridWatcher(lambda _step: None, lambda _tally: None, lambda _warning: None)
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=":0", host="127.0.0.1") as cluster:
        options = GridOptions(spec, scheduler=cluster.scheduler_address, expect_fresh_pids=True)
        found = run_grid(home.directory / "obedient", options, watcher)
    assert [row.loss for row in found.losses] == list(range(8))
    assert {row.executor for row in (*found.rows, *found.losses)} == {"isolated_warm"}
    assert (found.executor, found.jobs, found.fresh_pids, found.exit_status) == ("auto", 2, False, 1)
    assert processes_of(found.rows) in {1, 2}
