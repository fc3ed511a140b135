"""Plugin and service on real Dask clusters, whose workers are processes with variables of their own."""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from builders.clusters import (
    BundleHome,
    alive,
    bundle_home,
    noted_pids,
    scheduler,
    wait_for,
    worker,
    worker_variables,
)
from distributed import Client
from project_checkout import PROJECT, run

from bundlekit.cluster.dask_service import DaskSimulationService
from bundlekit.errors import AggregationFailedError, UsageError, WorkerNotReadyError
from bundlekit.model.contracts import ReplicateSet, SimReturn
from bundlekit.model.contracts.shapes import SimReturnShape

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> BundleHome:
    """Return a directory of bundles for all workers of this module."""
    return bundle_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a scheduler that has no workers but those of the test that runs."""
    with scheduler(tmp_path_factory.mktemp("scheduler")) as found:
        yield found


@pytest.fixture
def client(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Yield a client whose own variables ask for what no worker is to do."""
    monkeypatch.setenv("MODELOPS_EXECUTOR_TYPE", "direct")
    monkeypatch.delenv("MODELOPS_BUNDLES_DIR", raising=False)
    with Client(address, set_as_default=False) as connected:
        wait_for(lambda: not connected.scheduler_info(n_workers=-1)["workers"], 20)
        yield connected


_TYPES = ("TableArtifact", "ErrorInfo", "SimReturn", "AggregationReturn")


def _made_by(name: str) -> type:
    """Return a type of somebody else's, of that name."""
    return type(name, (SimpleNamespace,), {"__module__": "theirs"})


def _answer(result: SimReturnShape) -> dict[str, object]:
    inline = result.outputs["answer"].inline
    assert inline is not None
    answer: dict[str, object] = json.loads(inline)
    return answer


def test_workers_obey_their_own_variables(client: Client, address: str, home: BundleHome, tmp_path: Path) -> None:
    """The seeds' cluster ran what the client's pod was told, and its deployment guide greps for these lines."""
    with ExitStack() as running:
        workers = [
            running.enter_context(worker(address, tmp_path / f"w{number}.log", worker_variables(home)))
            for number in range(2)
        ]
        wait_for(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == 2, 30)
        service = DaskSimulationService(client)
        assert list(service.executors.values()) == ["cold", "cold"]
        results = service.gather(service.submit_batch(home.task(seed, x=seed) for seed in range(8)))
        assert [_answer(each)["x"] for each in results] == list(range(8))
        pids = {each.outputs["pid"].inline for each in results}
        for each in workers:
            text = "\n".join(each.lines())
            assert re.search(r"^ModelOps runtime initialized on worker \S+$", text, re.MULTILINE)
            assert re.search(r"^Executor: cold$", text, re.MULTILINE)
            assert re.search(r"^Fresh venv for each process: no$", text, re.MULTILINE)
        lines = [line for each in workers for line in each.lines() if line.startswith("Child process PID")]
        # grep "Child process PID" | awk '{print $4}' | sort -u | wc -l
        assert len({line.split()[3] for line in lines}) == len(pids) == 8


def test_a_wrong_worker_is_named_with_its_own_error(
    client: Client, address: str, home: BundleHome, tmp_path: Path
) -> None:
    """One node with a stale deployment would otherwise run a part of the grid in another executor."""
    good = worker_variables(home)
    with (
        worker(address, tmp_path / "good.log", good),
        worker(address, tmp_path / "colt.log", {**good, "MODELOPS_EXECUTOR_TYPE": "colt"}) as wrong,
        worker(address, tmp_path / "two.log", {**good, "MODELOPS_MEM_LIMIT_BYTES": "4G", "MODELOPS_COLD_DEBUG": "?"}),
    ):
        wait_for(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == 3, 30)
        with pytest.raises(WorkerNotReadyError, match="2 workers cannot run tasks") as caught:
            DaskSimulationService(client)
        for told in ("found 'colt'; did you mean cold?", "MODELOPS_MEM_LIMIT_BYTES", "MODELOPS_COLD_DEBUG"):
            assert told in caught.value.message
        assert isinstance(caught.value.subject, dict)
        assert len(caught.value.subject) == 2
        assert any("ModelOps runtime NOT initialized" in line for line in wrong.lines())


def test_a_cluster_without_workers_is_an_error(client: Client) -> None:
    """Registering a plugin with nobody succeeds in Dask."""
    with pytest.raises(WorkerNotReadyError, match=r"no worker was ready within 1 s: the cluster has no worker"):
        DaskSimulationService(client, ready_timeout_s=1)


def test_workers_that_join_later_are_held_to_the_same(
    client: Client, address: str, home: BundleHome, tmp_path: Path
) -> None:
    """Dask logs the error of a late worker's plugin, and gives that worker tasks all the same."""
    good = worker_variables(home)
    with ExitStack() as running:
        running.enter_context(worker(address, tmp_path / "first.log", good))
        service = DaskSimulationService(client)
        running.enter_context(worker(address, tmp_path / "second.log", good))
        wait_for(lambda: len(service.wait_until_ready(30)) == 2, 30)
        running.enter_context(worker(address, tmp_path / "wrong.log", {**good, "MODELOPS_EXECUTOR": "warm"}))
        wait_for(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == 3, 30)
        with pytest.raises(WorkerNotReadyError, match="MODELOPS_EXECUTOR_TYPE='cold' and MODELOPS_EXECUTOR='warm'"):
            service.wait_until_ready(30)
        with pytest.raises(WorkerNotReadyError, match="contradict each other"):
            service.submit(home.task(1))
    with worker(address, tmp_path / "last.log", good):
        assert service.wait_until_ready(30)
        assert _answer(service.gather([service.submit(home.task(2, x=5))])[0])["x"] == 5


@pytest.fixture
def service(client: Client, address: str, home: BundleHome, tmp_path: Path) -> Iterator[DaskSimulationService]:
    """Yield a service with two workers of two threads."""
    with ExitStack() as running:
        for number in range(2):
            running.enter_context(worker(address, tmp_path / f"w{number}.log", worker_variables(home)))
        wait_for(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == 2, 30)
        yield DaskSimulationService(client)


def test_tasks_share_a_result_only_if_they_are_the_same(service: DaskSimulationService, home: BundleHome) -> None:
    """Today's key is the seed and twelve digits of the bundle: the second of two parameter sets got the first's."""
    tasks = [
        home.task(7, x=1),
        home.task(7, x=2),
        home.task(7, x=1.0),
        home.task(7, x=True),
        home.task(8, x=1),
        home.task(7, x=1, env={"COLOUR": "red"}),
        home.task(7, x=1, env={"COLOUR": "blue"}),
        home.task(7, x=1),
    ]
    futures = service.submit_batch(tasks)
    results = service.gather(futures)
    seen = [(repr(each["x"]), each["seed"], each["colour"]) for each in map(_answer, results)]
    assert seen == [
        ("1", 7, None),
        ("2", 7, None),
        ("1.0", 7, None),
        ("True", 7, None),
        ("1", 8, None),
        ("1", 7, "red"),
        ("1", 7, "blue"),
        ("1", 7, None),
    ]
    assert len({each.key for each in futures}) == 7
    assert service.submit(tasks[0]).key == futures[0].key


def test_replicates_and_aggregations(service: DaskSimulationService, client: Client, home: BundleHome) -> None:
    """A study is replicates, and a loss over them."""
    replicates = service.gather(service.submit_replicate_set(ReplicateSet(home.task(10, x=1), 3, seed_offset=5)))
    assert [_answer(each)["seed"] for each in replicates] == [15, 16, 17]
    tasks = [home.task(seed, x=seed) for seed in range(4)]
    [done] = service.gather([service.submit_batch_with_aggregation(tasks, "scores.means:mean")])
    assert (done.loss, done.n_replicates, dict(done.diagnostics)) == (1.5, 4, {"n": 4})
    with pytest.raises(AggregationFailedError, match="positions \\[1\\] of sim_returns"):
        service.gather(
            [service.submit_batch_with_aggregation([tasks[0], home.task(ending="raise")], "scores.means:mean")]
        )
    theirs = SimpleNamespace(**{name: _made_by(name) for name in _TYPES})
    told = DaskSimulationService(client, contracts=theirs)
    both = told.gather([told.submit(home.task(1, x=1)), told.submit_batch_with_aggregation(tasks, "scores.means:mean")])
    assert [type(each).__name__ for each in both] == ["SimReturn", "AggregationReturn"]
    assert [type(each).__module__ for each in both] == ["theirs", "theirs"]
    with pytest.raises(UsageError, match="found those of 0"):
        service.submit_batch_with_aggregation([], "scores.means:mean")


def test_hostile_tasks_have_their_verdicts_and_cost_no_worker(
    service: DaskSimulationService, client: Client, home: BundleHome
) -> None:
    """Run in the worker itself, one `os._exit` takes a worker, and its retries three more."""
    before = set(client.scheduler_info(n_workers=-1)["workers"])
    endings = ["none", "signal", "exit", "raise"] * 5
    results = service.gather(service.submit_batch(home.task(n, ending=end) for n, end in enumerate(endings)))
    codes = [None if each.error is None else each.error.error_type for each in results]
    assert codes == [None, "E_SIGNAL", "E_WIRE_EXIT", "E_WIRE_RAISED"] * 5
    assert set(client.scheduler_info(n_workers=-1)["workers"]) == before


@pytest.mark.parametrize("executor", ["cold", "isolated_warm"])
def test_a_cancelled_task_ends_at_once_and_can_be_asked_for_again(
    client: Client, address: str, home: BundleHome, tmp_path: Path, executor: str
) -> None:
    """Dask lets a cancelled task run to its end: an hour of a core for a result that is thrown away."""
    notes = tmp_path / "pids"
    with worker(address, tmp_path / "w.log", worker_variables(home, executor)):
        service = DaskSimulationService(client)
        task = home.task(1, sleep=60, x=1, pids=str(notes))
        long, short = service.submit_batch([task, home.task(2, x=2)])
        wait_for(lambda: len(noted_pids(notes)) == 3, 20)
        [child, *_watchers] = noted_pids(notes)
        service.cancel([long])
        cancelled, done = service.gather([long, short])
        assert isinstance(cancelled, SimReturn)
        assert cancelled.error is not None
        assert cancelled.error.error_type == "E_INTERRUPTED"
        assert _answer(done)["x"] == 2
        wait_for(lambda: not alive([child]), 5)
        again = service.submit(task)
        wait_for(lambda: len(noted_pids(notes)) == 6, 20)
        service.cancel([again])
        wait_for(lambda: not alive([noted_pids(notes)[3]]), 5)
        assert _answer(service.gather([service.submit(home.task(3, x=3))])[0])["x"] == 3


@pytest.mark.parametrize("executor", ["cold", "isolated_warm"])
def test_nothing_runs_on_for_a_client_or_a_worker_that_went(
    address: str, home: BundleHome, tmp_path: Path, executor: str
) -> None:
    """A notebook that was closed, and a pod that is told to end, are no reason to compute for an hour."""
    notes = tmp_path / "pids"
    with worker(address, tmp_path / "w.log", worker_variables(home, executor)) as running:
        with Client(address, set_as_default=False) as client:
            _left = DaskSimulationService(client).submit(home.task(1, sleep=60, pids=str(notes)))
            wait_for(lambda: len(noted_pids(notes)) == 3, 20)
        wait_for(lambda: not alive([noted_pids(notes)[0]]), 10)
        with Client(address, set_as_default=False) as client:
            _left = DaskSimulationService(client).submit(home.task(2, sleep=60, pids=str(notes)))
            wait_for(lambda: len(noted_pids(notes)) == 6, 20)
            running.process.send_signal(signal.SIGTERM)
            wait_for(lambda: not alive([noted_pids(notes)[3]]), 10)
            assert running.process.wait(20) is not None


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("executor", ["cold", "isolated_warm"])
def test_tasks_of_workers_that_end_are_done_by_others_and_leave_nothing(
    client: Client, address: str, home: BundleHome, tmp_path: Path, *, executor: str, end: signal.Signals
) -> None:
    """A node that is taken away is a matter of every day; a simulation that nobody waits for would run for hours."""
    notes = tmp_path / "pids"
    with ExitStack() as running:
        first, second = (
            running.enter_context(worker(address, tmp_path / f"w{number}.log", worker_variables(home, executor)))
            for number in range(2)
        )
        wait_for(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == 2, 30)
        service = DaskSimulationService(client)
        futures = service.submit_batch(home.task(n, x=n, sleep=0.3, pids=str(notes)) for n in range(30))
        wait_for(lambda: len(noted_pids(notes)) >= 15, 30)
        os.killpg(first.process.pid, end)
        results = service.gather(futures)
        assert [_answer(each)["x"] for each in results] == list(range(30))
        assert second.process.poll() is None
    wait_for(lambda: not alive(noted_pids(notes)), 10)


def test_doctor_shows_every_worker_and_what_differs(
    client: Client, address: str, home: BundleHome, tmp_path: Path
) -> None:
    """The first question about a cluster is which of its workers is not like the others."""
    good = worker_variables(home)
    with (
        worker(address, tmp_path / "good.log", good),
        worker(address, tmp_path / "wrong.log", {**good, "MODELOPS_EXECUTOR_TYPE": "colt"}),
    ):
        wait_for(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == 2, 30)
        command = [sys.executable, "-m", "bundlekit", "doctor", "--scheduler", address]
        ran = run([*command, "--output", "json"], tmp_path, PYTHONPATH=str(PROJECT))
        assert ran.status == 1, ran.output
        document = json.loads(ran.stdout)
        by_name = {each["name"]: each["diagnosis"] for each in document["workers"]}
        assert (by_name["good"]["executor"], by_name["wrong"]["executor"]) == ("cold", None)
        assert [each["what"] for each in document["differences"]] == ["executor", "bundle source"]
        assert any("found 'colt'; did you mean cold?" in problem for problem in document["problems"])
        text = run(command, tmp_path, PYTHONPATH=str(PROJECT))
        assert "differs executor:" in text.stdout
