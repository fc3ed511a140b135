"""Several cold tasks at once, as a host with many threads runs them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from builders.cold_runs import wire_bundle

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.cold_runner.environments.tree_digest import inventory
from bundlekit.errors import InternalError
from bundlekit.executors.cold import BundleToRun, ColdOptions
from bundlekit.executors.cold_pool import ColdPool
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import ManifestFile
from bundlekit.model.outcome import Failure, Simulated

pytestmark = pytest.mark.process

_WIRE = """
    import os, signal
    n = 0
    def wire(entrypoint, params, seed):
        global n
        n += 1
        if entrypoint == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if entrypoint == "wait":
            signal.pause()
        if entrypoint == "stop":
            with open(f"/proc/{os.getppid()}/stat") as file:
                guardian = int(file.read().rpartition(")")[2].split()[1])
            for each in guardian, os.getppid():
                os.kill(each, signal.SIGSTOP)
            signal.pause()
        if entrypoint == "murder":
            os.kill(os.getppid(), signal.SIGKILL)
            signal.pause()
        return {"seen": b"%d %d" % (n, seed)}
"""


@pytest.fixture(params=["exec", "fork"])
def pool(
    request: pytest.FixtureRequest, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ColdPool]:
    """Four tasks of a small bundle at once."""
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(scratch))
    root = wire_bundle(tmp_path, _WIRE)
    listed = inventory(str(root), lambda _line: None)
    files = tuple(ManifestFile(path=path, size=size, mode=mode, sha256=digest) for path, mode, size, digest in listed)
    bundle = BundleToRun(root, files, Digest.parse("sha256:" + "ab" * 32))
    with ColdPool(bundle, ColdOptions(start=request.param), lambda _line: None, size=4) as pool:
        assert not isinstance(pool.prepare(), Failure)
        yield pool


def _task(entrypoint: str, seed: int) -> dict[str, object]:
    return {"entrypoint": entrypoint, "params": {}, "seed": seed}


def test_each_of_many_tasks_gets_its_own_verdict(pool: ColdPool) -> None:
    """Sixteen threads share four supervisors; a task that crashes is no matter for those beside it."""
    kinds = ["crash" if seed % 5 == 0 else "main" for seed in range(40)]

    def run(seed: int) -> object:
        outcome = pool.simulate(_task(kinds[seed], seed), 30.0).outcome
        return outcome.signal_name if isinstance(outcome, Failure) else outcome

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(run, range(40)))
    for seed, (kind, outcome) in enumerate(zip(kinds, outcomes, strict=True)):
        if kind == "crash":
            assert outcome == "SIGSEGV"
        else:
            assert isinstance(outcome, Simulated)
            assert outcome.outputs["seen"].inline == b"1 %d" % seed


def test_a_supervisor_that_dies_fails_one_task_only(pool: ColdPool) -> None:
    """Whoever has the right to kill it can; the next tasks meet a new one."""
    with pytest.raises(InternalError, match="killed"):
        pool.simulate(_task("murder", 1), 30.0)
    for seed in range(8):
        assert isinstance(pool.simulate(_task("main", seed), 30.0).outcome, Simulated)


def test_a_task_that_stops_all_who_keep_its_deadline_meets_it_all_the_same(pool: ColdPool) -> None:
    """Guardian and supervisor wake each other; when both are stopped only the host is left to do it."""
    began = time.monotonic()
    outcome = pool.simulate(_task("stop", 1), 2.0).outcome
    assert isinstance(outcome, Failure)
    assert outcome.error_code is ErrorCode.TIMEOUT
    assert time.monotonic() - began < 6
    assert isinstance(pool.simulate(_task("main", 2), 30.0).outcome, Simulated)


def test_a_pool_that_is_abandoned_ends_what_runs_and_runs_nothing_more(pool: ColdPool) -> None:
    """Ctrl-C must not wait for an hour's task; its process goes with the supervisor."""
    with ThreadPoolExecutor(6) as threads:
        waiting = [threads.submit(pool.simulate, _task("wait", seed), 60.0) for seed in range(6)]
        time.sleep(0.5)
        began = time.monotonic()
        pool.abandon()
        for each in waiting:
            with pytest.raises(InternalError, match=r"ended with status|was abandoned"):
                each.result(10)
    assert time.monotonic() - began < 5
    with pytest.raises(InternalError, match="was abandoned: nothing is run any more"):
        pool.simulate(_task("main", 1), 30.0)
