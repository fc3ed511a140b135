"""Grids on a LocalCluster while its workers are killed: every task has a verdict, and nothing is left behind."""

import json
import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.clusters import BundleHome, alive, bundle_home, noted_pids, wait_for, worker_variables
from distributed import Client, LocalCluster

from bundlekit.cluster.dask_service import DaskSimulationService

pytestmark = pytest.mark.process

_TASKS = 300
_KILLS = 5
_ENDINGS = ("none",) * 9 + ("signal",)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> BundleHome:
    """Return a directory of bundles."""
    return bundle_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(params=["cold", "isolated_warm"])
def client(request: pytest.FixtureRequest, home: BundleHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Yield a client of two workers of four threads, whose nannies start them anew when they are killed."""
    for name, value in worker_variables(home, request.param).items():
        monkeypatch.setenv(name, value)
    with (
        LocalCluster(n_workers=2, threads_per_worker=4, dashboard_address=":0", host="127.0.0.1") as cluster,
        Client(cluster, set_as_default=False) as connected,
    ):
        yield connected


def test_300_tasks_have_300_verdicts_though_five_workers_are_killed(
    client: Client, home: BundleHome, tmp_path: Path
) -> None:
    """Load figure L10: each tenth task crashes as well, and no process is left when all is done."""
    notes = tmp_path / "pids"
    service = DaskSimulationService(client)
    tasks = [home.task(n, x=n, ending=_ENDINGS[n % 10], sleep=0.02, pids=str(notes)) for n in range(_TASKS)]
    futures = service.submit_batch(tasks)
    killed: list[int] = []
    killer = threading.Thread(target=_kill_workers, args=(client, notes, killed))
    killer.start()
    results = service.gather(futures)
    killer.join()
    assert len(set(killed)) == _KILLS
    codes = [None if each.error is None else each.error.error_type for each in results]
    assert codes == [None if ending == "none" else "E_SIGNAL" for ending in _ENDINGS] * (_TASKS // 10)
    answers = [each.outputs["answer"].inline for each in results if each.error is None]
    assert [json.loads(each or b"")["seed"] for each in answers] == [n for n in range(_TASKS) if n % 10 != 9]
    client.shutdown()
    wait_for(lambda: not alive(noted_pids(notes)), 10)


def _kill_workers(client: Client, notes: Path, killed: list[int]) -> None:
    chance = random.Random(7)  # noqa: S311 - which worker dies is no secret
    for number in range(_KILLS):
        wait_for(lambda number=number: len(noted_pids(notes)) >= 3 * 40 * (number + 1), 120)
        pids = [pid for pid in client.run(os.getpid, on_error="ignore").values() if pid not in killed]
        pid = chance.choice(pids)
        killed.append(pid)
        os.kill(pid, signal.SIGKILL)
