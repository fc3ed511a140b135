"""Executors over contract types, with real processes: the tests of the first documents, one verdict in all of them."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from builders.bundle_repositories import DIGEST, OTHER_DIGEST, DirectoryRepository
from builders.bundles import make_bundle, pyproject
from builders.cold_runs import await_death, await_pids, children_of
from project_checkout import PROJECT

from bundlekit.executors.choice import execution_environment
from bundlekit.executors.cold import ColdOptions
from bundlekit.executors.cold_env import ColdDebugExecEnv, ColdExecEnv
from bundlekit.executors.direct.backend import DirectBackend
from bundlekit.executors.direct.exec_env import DirectExecEnv
from bundlekit.executors.exec_env import BackendExecEnv, ExecOptions
from bundlekit.executors.warm.exec_env import IsolatedWarmExecEnv
from bundlekit.model.contracts import AggregationTask, SimParams, SimReturn, SimTask, TableArtifact
from bundlekit.model.contracts.ports import BundleRepository
from bundlekit.model.digest import Digest

pytestmark = pytest.mark.process


_MYWIRE, _VARIABLES, _NO_PYTHON = (Digest.of(name) for name in (b"mywire", b"variables", b"no python"))
"""What is in the cache is known by its digest: another bundle has another one here too."""


@pytest.fixture
def fake_bundle_repo() -> BundleRepository:
    """The bundle of the first documents' smoke tests."""
    return DirectoryRepository({_MYWIRE: PROJECT / "examples" / "mywire"})


@pytest.fixture
def sim_return_factory() -> Callable[[], SimReturn]:
    """Make a result with an output that is inline."""
    return lambda: SimReturn(task_id="id", outputs={"raw": TableArtifact(size=2, inline=b"ok")})


def test_cold_debug_sim(tmp_path: Path, fake_bundle_repo: BundleRepository) -> None:  # noqa: ARG001 - as it was written
    """As the first executor's plan has it, but for the digest, which is one here."""
    env = ColdDebugExecEnv(bundle_repo=fake_bundle_repo)
    task = SimTask(bundle_ref=_MYWIRE, entrypoint="main", params=SimParams(params={"beta": 0.2}), seed=3)
    result = env.run(task)
    assert result.task_id
    assert "table" not in result.outputs  # minimal sanity
    env.shutdown()
    assert result.outputs["raw"].inline == b"ok-3"


def test_cold_debug_agg(
    tmp_path: Path,  # noqa: ARG001 - as it was written
    fake_bundle_repo: BundleRepository,
    sim_return_factory: Callable[[], SimReturn],
) -> None:
    """As the first executor's plan has it, but for the digest, which is one here."""
    env = ColdDebugExecEnv(bundle_repo=fake_bundle_repo)
    sr = sim_return_factory()  # provide at least one output with inline bytes
    agg = AggregationTask(bundle_ref=_MYWIRE, target_entrypoint="targets.agg:loss_one", sim_returns=[sr])
    out = env.run_aggregation(agg)
    assert out.loss >= 0.0
    env.shutdown()


def test_the_name_of_the_deployments_documents_is_the_same_executor() -> None:
    """Both documents are in people's hands."""
    assert ColdExecEnv is ColdDebugExecEnv


_WIRE = """
import os, signal, sys, time
n = 0
def wire(entrypoint, params, seed):
    global n
    n += 1
    kind = entrypoint.partition("/")[2]
    if kind == "exit":
        sys.exit(3)
    if kind == "raise":
        raise ValueError("beta must be above 0")
    if kind == "wait":
        with open(params["pids"], "a") as file:
            file.write("%d\\n" % os.getpid())
        time.sleep(60)
    if kind == "murder":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    if kind == "large":
        return {"raw": b"x" * 600000}
    other = {"text": {"raw": "text"}, "empty": {}, "error": {"error": b'{"error": "no convergence", "type": "Solver"}'}}
    return other.get(kind, {"raw": b"%d" % n, "more": bytearray(b"y"), "pid": b"%d" % os.getpid()})
def loss(sim_returns, target_data=None):
    return {"loss": float(sim_returns[0]["outputs"]["raw"]["inline"]), "diagnostics": {"data": target_data}}
def exits(sim_returns):
    raise SystemExit(1)
"""


def _bundle(root: Path, project: str = pyproject()) -> Path:
    return make_bundle(root, {"pyproject.toml": project, "model/wire.py": _WIRE})


def _task(kind: str = "ok", digest: str = DIGEST, **fields: object) -> SimTask:
    whole = {"bundle_ref": digest, "entrypoint": f"a.b/{kind}", "params": SimParams({"beta": 0.5}), "seed": 3}
    return SimTask(**{**whole, **fields})


def _verdict(result: SimReturn) -> tuple[object, ...]:
    """Return all of a result that must not depend on the executor."""
    if result.error is None:
        return result.task_id, {name: each for name, each in result.outputs.items() if name != "pid"}
    assert result.error_details is not None
    details = json.loads(result.error_details.inline or b"")["_fatal_error"]
    return result.task_id, result.error, {name: details[name] for name in ("code", "phase", "type", "message")}


_KINDS = {
    "ok": _task(),
    "exit": _task("exit"),
    "raise": _task("raise"),
    "text": _task("text"),
    "empty": _task("empty"),
    "error-in-the-outputs": _task("error"),
    "an-output-that-is-not-there": _task(outputs=["curve"]),
    "one-output-of-two": _task(outputs=["more"]),
    "no-module": _task(entrypoint="does.not.exist:fn"),
    "too-large": _task("large"),
    "a-config": _task(config={"a": 1}),
    "a-variable-of-pythons": _task(env={"PYTHONPATH": "/x"}),
}


@pytest.fixture(scope="module")
def executors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BackendExecEnv, ...]]:
    """Cold, direct and warm over one bundle, for this module."""
    repository = DirectoryRepository({DIGEST: _bundle(tmp_path_factory.mktemp("bundle") / "bundle")})
    made = (ColdDebugExecEnv(repository), DirectExecEnv(repository), IsolatedWarmExecEnv(repository))
    yield made
    for each in made:
        each.shutdown()


@pytest.mark.parametrize(
    "task", [_KINDS[kind] for kind in _KINDS if kind != "ok"], ids=[k for k in _KINDS if k != "ok"]
)
def test_a_task_has_one_verdict_in_cold_direct_and_warm(task: SimTask, executors: tuple[BackendExecEnv, ...]) -> None:
    """What is tested in one process must be what happens on the cluster: id, outputs, code, phase and message."""
    results = [executor.run(task) for executor in executors]
    verdicts = [_verdict(each) for each in results if isinstance(each, SimReturn)]
    assert verdicts == [verdicts[0]] * 3


def test_an_aggregation_has_one_loss_in_cold_direct_and_warm(executors: tuple[BackendExecEnv, ...]) -> None:
    """Inline data and target data arrive in the same form."""
    returns = [SimReturn("id", {"raw": TableArtifact(3, b"2.5")})]
    task = AggregationTask(DIGEST, "model.wire:loss", returns, {"x": [1, 2.0]})
    cold, *others = (executor.run_aggregation(task) for executor in executors)
    assert others == [cold, cold]
    assert (cold.loss, dict(cold.diagnostics)) == (2.5, {"data": {"x": [1, 2.0]}})


def test_every_task_gets_a_process_of_its_own(executors: tuple[BackendExecEnv, ...]) -> None:
    """State of one never meets the next, from whatever thread, and each result is its own."""
    cold = executors[0]
    with ThreadPoolExecutor(6) as threads:
        results = list(threads.map(lambda seed: cold.run(_task(seed=seed)), range(12)))
    assert {result.outputs["raw"].inline for result in results} == {b"1"}
    assert len({result.outputs["pid"].inline for result in results}) == 12
    assert len({result.task_id for result in results}) == 12
    health = cold.health_check()
    assert (health["busy"], health["executor"]) == (0, "cold")
    assert isinstance(health["supervisors"], int)
    assert 1 <= health["supervisors"] <= 4


def test_large_outputs_go_into_files_and_from_there_into_an_aggregation(tmp_path: Path) -> None:
    """Through the storage directory, whose files are checked again when they are read."""
    repository = DirectoryRepository({DIGEST: _bundle(tmp_path / "bundle")})
    for kind in (ColdDebugExecEnv, DirectExecEnv):
        with kind(repository, storage_dir=tmp_path / kind.__name__) as executor:
            result = executor.run(_task("large"))
            assert isinstance(result, SimReturn)
            reference = result.outputs["raw"].ref
            assert reference is not None
            assert Path(reference).stat().st_size == result.outputs["raw"].size == 600_000
            Path(reference).write_bytes(b"3.5" + bytes(599_997))
            with pytest.raises(RuntimeError, match="expected the checksum"):
                executor.run_aggregation(AggregationTask(DIGEST, "model.wire:loss", [result]))


def test_variables_of_the_executor_reach_each_task(tmp_path: Path) -> None:
    """The first documents' executor takes some."""
    source = "import os\ndef wire(e, p, s):\n    return {'raw': os.environ['SHARED'].encode()}\n"
    bundle = make_bundle(tmp_path / "bundle", {"model/wire.py": source})
    with ColdDebugExecEnv(DirectoryRepository({_VARIABLES: bundle}), env={"SHARED": "all"}) as executor:
        assert executor.run(_task(digest=_VARIABLES)).outputs["raw"].inline == b"all"
        assert executor.run(_task(digest=_VARIABLES, env={"SHARED": "own"})).outputs["raw"].inline == b"own"


def test_a_bundle_is_routed_to_fresh_processes_by_its_own_settings(tmp_path: Path) -> None:
    """The hybrid of the deployment guide: safe bundles stay in one process, the others get one for each task."""
    leaking = pyproject(after="[tool.bundlekit]\nrequires-fresh-process = true\n")
    repository = DirectoryRepository(
        {DIGEST: _bundle(tmp_path / "safe"), OTHER_DIGEST: _bundle(tmp_path / "leaking", leaking)}
    )
    with execution_environment(
        "auto", repository, ExecOptions(), cold=ColdOptions(), warm=lambda: DirectBackend(logging.info)
    ) as executor:
        counts = {
            digest: [executor.run(_task(digest=digest, seed=seed)).outputs["raw"].inline for seed in range(3)]
            for digest in (DIGEST, OTHER_DIGEST)
        }
    assert counts == {DIGEST: [b"1", b"2", b"3"], OTHER_DIGEST: [b"1", b"1", b"1"]}


def test_a_shutdown_ends_what_runs_and_tells_it(tmp_path: Path) -> None:
    """A worker that is told to go cannot wait for an hour's task, and whoever waits for that must hear of it."""
    executor = ColdDebugExecEnv(DirectoryRepository({DIGEST: _bundle(tmp_path / "bundle")}))
    pids = tmp_path / "pids"
    results: list[SimReturn] = []
    waiting = threading.Thread(
        target=lambda: results.append(executor.run(_task("wait", params=SimParams({"pids": str(pids)}))))
    )
    waiting.start()
    running = await_pids(pids, 1)
    started = time.monotonic()
    executor.shutdown()
    waiting.join(10)
    assert time.monotonic() - started < 10
    assert await_death(running, 2.0) == []
    assert results[0].error is not None
    assert (results[0].error.error_type, results[0].error.retryable) == ("E_INTERRUPTED", True)


def test_a_deadline_is_the_tasks(tmp_path: Path) -> None:
    """It is killed with everything it started, and the executor goes on."""
    repository = DirectoryRepository({DIGEST: _bundle(tmp_path / "bundle")})
    pids = tmp_path / "pids"
    with ColdDebugExecEnv(repository, timeout_seconds=1.5) as executor:
        result = executor.run(_task("wait", params=SimParams({"pids": str(pids)})))
        assert result.error is not None
        assert result.error.error_type == "E_TIMEOUT"
        assert await_death(await_pids(pids, 1), 2.0) == []
        assert executor.run(_task()).error is None


def test_an_environment_that_cannot_be_made_is_a_failure_of_each_task(tmp_path: Path) -> None:
    """With the code that the runner gives, and a supervisor that is not kept."""
    project = pyproject(project='requires-python = ">=4"')
    with ColdDebugExecEnv(DirectoryRepository({_NO_PYTHON: _bundle(tmp_path / "bundle", project)})) as executor:
        for _ in range(2):
            result = executor.run(_task(digest=_NO_PYTHON))
            assert result.error is not None
            assert result.error.error_type == "E_VENV"


def test_lines_of_the_runner_begin_as_people_search_for_them(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`grep "Child process PID" | awk '{print $4}'` on a worker's log is how the guide counts processes."""
    with ColdDebugExecEnv(DirectoryRepository({DIGEST: _bundle(tmp_path / "bundle")})) as executor:
        pid = executor.run(_task()).outputs["pid"].inline
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("Child process PID")]
    assert [line.split()[3] for line in lines] == [f"{(pid or b'').decode()}:"]


def test_threads_that_take_turns_keep_few_supervisors_and_leave_none(tmp_path: Path) -> None:
    """More callers than are kept waiting, several rounds: each call is answered once, and a shutdown ends them all."""
    others = set(children_of(os.getpid()))
    executor = ColdDebugExecEnv(DirectoryRepository({DIGEST: _bundle(tmp_path / "bundle")}))
    with ThreadPoolExecutor(8) as threads:
        kinds = ["raise" if seed % 5 == 0 else "ok" for seed in range(48)]
        results = list(threads.map(lambda seed: executor.run(_task(kinds[seed], seed=seed)), range(48)))
    assert [result.error is not None for result in results] == [kind == "raise" for kind in kinds]
    health = executor.health_check()
    assert (health["busy"], health["tasks"]) == (0, {"done": 38, "failed": 10})
    supervisors = sorted(set(children_of(os.getpid())) - others)
    assert 1 <= len(supervisors) == health["supervisors"] <= 4
    executor.shutdown()
    assert await_death(supervisors, 1.0) == []


def test_a_supervisor_that_dies_fails_the_task_it_had_and_is_replaced(tmp_path: Path) -> None:
    """Whoever has the right to kill it can; the call is answered, and the next one meets another."""
    with ColdDebugExecEnv(DirectoryRepository({DIGEST: _bundle(tmp_path / "bundle")})) as executor:
        assert executor.run(_task()).error is None
        killed = executor.run(_task("murder"))
        assert killed.error is not None
        assert (killed.error.error_type, killed.error.retryable) == ("E_KILLED", True)
        assert "gave no answer" in killed.error.message
        assert executor.run(_task()).error is None
