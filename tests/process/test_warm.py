"""The executor isolated_warm: processes that are kept, lent, replaced, retired, and gone when they should be."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from builders.cold_runs import HOSTILE_TREE, alive, await_death, await_pids, wire_bundle
from builders.warm_runs import bundle_to_run, executor, failed, simulated, task

from bundlekit.cold_runner.limits import Limits
from bundlekit.errors import UsageError
from bundlekit.executors.backend import BundleToRun
from bundlekit.executors.cold import ColdExecutor, ColdOptions
from bundlekit.executors.warm.executor import WarmExecutor, WarmOptions
from bundlekit.model.outcome import Aggregated, Failure, Simulated

pytestmark = pytest.mark.process

_WIRE = """
    import ctypes, os, signal, sys, threading, time
    print("printed at import")
    os.write(1, b"written at import\\n")
    n = 0
    def later(data):
        time.sleep(0.05)
        os.write(4, data)
    def wire(entrypoint, params, seed):
        global n
        n += 1
        print("printed in the call")
        os.system("echo from a shell")
        if entrypoint == "raise":
            raise ValueError(seed)
        if entrypoint == "exit":
            sys.exit(3)
        if entrypoint == "_exit":
            os._exit(3)
        if entrypoint == "segv":
            ctypes.string_at(0)
        if entrypoint == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if entrypoint == "text":
            return {"seen": "text"}
        if entrypoint == "empty":
            return {}
        if entrypoint == "coroutine":
            async def run(): pass
            return run()
        if entrypoint == "close":
            os.closerange(3, 64)
        if entrypoint == "fork" and os.fork() == 0:
            return {"seen": b"from a fork"}
        if entrypoint == "reported":
            return {"metadata": b'{"error": "no"}', "seen": b"x"}
        if entrypoint == "many":
            return {"a": b"1", "b": bytearray(b"2"), "c": memoryview(b"3"), "d": b""}
        if entrypoint == "huge":
            return {"seen": bytes(3 << 20)}
        if entrypoint == "params":
            return {"seen": repr(params).encode()}
        if entrypoint == "environ":
            return {"seen": repr(sorted((k, v) for k, v in os.environ.items() if k not in ("HOME", "TMPDIR"))).encode()}
        if entrypoint == "state":
            os.environ["LEFT"] = str(seed)
            open("left", "a").write("x")
            return {"seen": b"%d %d" % (n, len(open("left").read()))}
        if entrypoint == "pid":
            time.sleep(params.get("s", 0))
            return {"seen": b"%d" % os.getpid()}
        if entrypoint == "sleep":
            os.write(2, b"half a character: \\xc3")
            time.sleep(600)
        if entrypoint == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        if entrypoint == "raw":
            os.write(4, bytes.fromhex(params["data"]))
            if params.get("then") == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if params.get("then") == "sleep":
                time.sleep(600)
        if entrypoint == "later":
            threading.Thread(target=later, args=(bytes.fromhex(params["data"]),)).start()
        if entrypoint == "spin":
            while time.thread_time() < params["until"]:
                pass
        if entrypoint == "memory":
            bytes(1 << 30)
        return {"seen": b"ok"}
"""
_TARGETS = """
    def one(sim_returns):
        inline = sim_returns[0]["outputs"]["a"]["inline"]
        return {"loss": float(len(sim_returns)), "diagnostics": {"inline": repr(inline)}}
    def two(sim_returns, target_data):
        return {"loss": 2.0, "diagnostics": {"data": target_data}, "n_replicates": 7}
    def nan(sim_returns):
        return {"loss": float("nan")}
    def bad(sim_returns):
        raise KeyError("a")
    class Result:
        loss = 0.5
    def result(sim_returns, target_data=None):
        return Result()
"""


@pytest.fixture
def bundle(tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> BundleToRun:
    """A bundle that does what its entrypoint says."""
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(scratch))
    return bundle_to_run(wire_bundle(tmp_path, _WIRE, targets=_TARGETS))


@pytest.fixture
def warm(bundle: BundleToRun) -> Iterator[WarmExecutor]:
    """An executor; asserts afterwards that none of its processes lives."""
    assert bundle
    with executor() as made:
        yield made


def _pid(warm: WarmExecutor, bundle: BundleToRun, **more: object) -> int:
    return int(simulated(warm.simulate(bundle, task("pid", **more), 30.0))["seen"] or b"")


_SAME = (
    *("main", "raise", "exit", "_exit", "segv", "kill", "text", "empty", "coroutine", "close", "fork", "reported"),
    *("many", "huge", "environ", "does.not.exist:fn", "a.b/c"),
)


def test_a_task_has_one_verdict_in_warm_and_cold(warm: WarmExecutor, bundle: BundleToRun) -> None:
    """D07: the executor is a matter of speed; what a task gives must not depend on it."""
    with ColdExecutor(bundle, ColdOptions(), lambda _line: None) as cold:
        for entrypoint in _SAME:
            asked = task(entrypoint, params={"x": [1, 1.5, None, {"b": True}]})
            found, expected = warm.simulate(bundle, asked, 30.0).outcome, cold.simulate(asked, 30.0).outcome
            if isinstance(expected, Failure):
                assert isinstance(found, Failure), (entrypoint, found)
                left_out = {"stderr_tail": "", "log_path": None}
                assert found._replace(**left_out) == expected._replace(**left_out), entrypoint
            else:
                assert found == expected, entrypoint


_TASKS = {
    "no-seed": {"entrypoint": "main", "params": {}},
    "nan": {"entrypoint": "main", "params": {"x": float("nan")}, "seed": 1},
    "no-json": {"entrypoint": "main", "params": {"x": object()}, "seed": 1},
    "a-lone-surrogate": {"entrypoint": "main", "params": {"x": "\ud800"}, "seed": 1},
    "a-large-seed": {"entrypoint": "main", "params": {}, "seed": 1 << 64},
    "true-as-seed": {"entrypoint": "main", "params": {}, "seed": True},
}


@pytest.mark.parametrize("wrong", _TASKS.values(), ids=_TASKS)
def test_a_task_that_is_none_is_refused_before_anything_starts(
    warm: WarmExecutor, bundle: BundleToRun, wrong: dict[str, object]
) -> None:
    """As in the cold runner: an environment for it would be work for nothing."""
    run = warm.simulate(bundle, wrong, 30.0)
    assert failed(run).error_code == "E_TASK"
    assert run.pid is None


def test_targets_are_called_as_in_the_cold_runner(warm: WarmExecutor, bundle: BundleToRun) -> None:
    """Inline data is bytes for a target, and each style of signature is met."""
    returns = [{"outputs": {"a": {"inline": "aGk="}}}]
    with ColdExecutor(bundle, ColdOptions(), lambda _line: None) as cold:
        for name in ("one", "nan", "bad", "result", "lacks"):
            found = warm.aggregate(bundle, f"targets:{name}", returns, None, 30.0).outcome
            expected = cold.aggregate(f"targets:{name}", returns, 30.0).outcome
            if isinstance(expected, Failure):
                assert isinstance(found, Failure)
                assert found[:5] == expected[:5]
            else:
                assert found == expected
    two = warm.aggregate(bundle, "targets:two", returns, {"k": [1]}, 30.0).outcome
    assert two == Aggregated(2.0, {"data": {"k": [1]}}, 7)
    one = warm.aggregate(bundle, "targets:one", returns, None, 30.0).outcome
    assert isinstance(one, Aggregated)
    assert one.diagnostics["inline"] == "b'hi'"


def test_nothing_is_restored_between_tasks(warm: WarmExecutor, bundle: BundleToRun) -> None:
    """That is what makes it fast, and what `isolation` is there to find."""
    seen = [simulated(warm.simulate(bundle, task("state", seed), 30.0))["seen"] for seed in range(3)]
    assert seen == [b"1 1", b"2 2", b"3 3"]
    assert b"('LEFT', '2')" in (simulated(warm.simulate(bundle, task("environ"), 30.0))["seen"] or b"")


def test_a_task_brings_its_variables_for_itself_alone(warm: WarmExecutor, bundle: BundleToRun) -> None:
    """A process that was started with them serves only tasks that bring the same."""
    for _ in range(2):
        own = simulated(warm.simulate(bundle, task("environ", env={"OMP_NUM_THREADS": "2"}), 30.0))["seen"]
        assert b"('OMP_NUM_THREADS', '2')" in (own or b"")
        others = simulated(warm.simulate(bundle, task("environ"), 30.0))["seen"]
        assert b"('OMP_NUM_THREADS', '1')" in (others or b"")


def test_six_threads_share_a_pool_of_two(bundle: BundleToRun) -> None:
    """D01: a pool without a lock made six processes of which five were never ended."""
    with executor(2) as warm, ThreadPoolExecutor(6) as threads:
        pids = set(threads.map(lambda _: _pid(warm, bundle, params={"s": 0.02}), range(30)))
        assert 1 <= len(pids) <= 2
        assert set(alive([*pids])) == pids
    assert alive([*pids]) == []


def test_a_busy_process_is_never_evicted(bundle: BundleToRun, tmp_path: Path) -> None:
    """D02: another bundle waits for a place, however long."""
    other = tmp_path / "other"
    other.mkdir()
    second = bundle_to_run(wire_bundle(other, "def wire(e, p, s): return {'seen': b'second'}\n"))
    with executor(1) as warm, ThreadPoolExecutor(2) as threads:
        first = _pid(warm, bundle)
        slow = threads.submit(_pid, warm, bundle, params={"s": 0.7})
        time.sleep(0.1)
        started = time.monotonic()
        assert simulated(warm.simulate(second, task(), 30.0)) == {"seen": b"second"}
        assert time.monotonic() - started > 0.4
        assert slow.result() == first
        assert await_death([first], 2.0) == []


def test_the_longest_unused_makes_room(bundle: BundleToRun) -> None:
    """Of processes that nobody uses, the one that was used last is the likeliest to be wanted."""
    with executor(2) as warm:
        first, second = (_pid(warm, bundle, env={"X": name}) for name in "ab")
        assert _pid(warm, bundle, env={"X": "a"}) == first
        _pid(warm, bundle, env={"X": "c"})
        assert _pid(warm, bundle, env={"X": "a"}) == first
        assert await_death([second], 2.0) == []


_HOSTILE_FRAMES = {
    "four-gigabytes": (b"Content-Length: 4294967296\r\n\r\n", "", "E_LIMIT"),
    "negative": (b"Content-Length: -1\r\n\r\n", "", "E_WIRE_RESULT"),
    "garbage": (b"Welcome to mylib\n", "", "E_WIRE_RESULT"),
    "garbage-for-ever": (b"Welcome to mylib\n", "sleep", "E_WIRE_RESULT"),
    "half-a-frame-then-death": (b"Content-Length: 99\r\n\r\n{", "die", "E_KILLED"),
    "half-a-frame-then-nothing": (b"Content-Length: 99\r\n\r\n{", "sleep", "E_TIMEOUT"),
    "half-a-head-then-nothing": (b"Content-Le", "sleep", "E_TIMEOUT"),
    "half-a-frame-then-the-answer": (b"Content-Length: 9\r\n\r\n{", "", "E_WIRE_RESULT"),
    "no-json": (b"Content-Length: 1\r\n\r\n{", "sleep", "E_WIRE_RESULT"),
    "deep-json": (b"Content-Length: 100000\r\n\r\n" + b"[" * 100000, "sleep", "E_WIRE_RESULT"),
    "another's-answer": (b'Content-Length: 20\r\n\r\n{"id":99,"result":{}}'[:-1] + b"}", "sleep", "E_WIRE_RESULT"),
    "no-base64": (b'Content-Length: 31\r\n\r\n{"id":1,"result":{"seen":"???"}}'[:-1], "sleep", "E_WIRE_RESULT"),
}


@pytest.mark.parametrize(("data", "then", "code"), _HOSTILE_FRAMES.values(), ids=_HOSTILE_FRAMES)
def test_what_a_process_may_write_costs_its_task_only(
    warm: WarmExecutor, bundle: BundleToRun, data: bytes, then: str, code: str
) -> None:
    """D03: bundle code finds the socket sooner or later; the next task meets another process."""
    started = time.monotonic()
    run = warm.simulate(bundle, task("raw", params={"data": data.hex(), "then": then}), 1.0)
    assert failed(run).error_code == code
    assert time.monotonic() - started < 5.0
    assert run.pid
    assert alive([run.pid]) == []
    assert simulated(warm.simulate(bundle, task(), 30.0)) == {"seen": b"ok"}


def test_a_process_that_dies_between_two_tasks_is_replaced(warm: WarmExecutor, bundle: BundleToRun) -> None:
    """D03: no task was lost, so none is told of it."""
    for _ in range(3):
        os.kill(_pid(warm, bundle), signal.SIGKILL)
        assert simulated(warm.simulate(bundle, task(), 30.0)) == {"seen": b"ok"}


def test_what_is_written_between_two_tasks_is_nobodys_result(warm: WarmExecutor, bundle: BundleToRun) -> None:
    """A thread of the task before forges an answer to the next one."""
    forged = b'{"jsonrpc":"2.0","id":2,"result":{"seen":"AAAA"}}'
    frame = b"Content-Length: %d\r\n\r\n%b" % (len(forged), forged)
    simulated(warm.simulate(bundle, task("later", params={"data": frame.hex()}), 30.0))
    time.sleep(0.2)
    assert simulated(warm.simulate(bundle, task(), 30.0)) == {"seen": b"ok"}


def test_the_deadline_covers_the_writing_of_a_request(warm: WarmExecutor, bundle: BundleToRun) -> None:
    """A process that is stopped takes no megabyte; waiting for it to do so took 15 s where 3 were allowed."""
    os.kill(_pid(warm, bundle), signal.SIGSTOP)
    started = time.monotonic()
    run = warm.simulate(bundle, task("params", params={"x": "y" * (4 << 20)}), 0.5)
    assert failed(run).error_code == "E_TIMEOUT"
    assert time.monotonic() - started < 4.0
    assert (
        len(simulated(warm.simulate(bundle, task("params", params={"x": "y" * (4 << 20)}), 30.0))["seen"] or b"") > 4e6
    )


@pytest.mark.parametrize("entrypoint", ["sleep", "stop"])
def test_a_task_that_is_overdue_is_killed_and_told(warm: WarmExecutor, bundle: BundleToRun, entrypoint: str) -> None:
    """D15: with half a character on stderr, which a reader of text fails on."""
    run = warm.simulate(bundle, task(entrypoint), 0.5)
    failure = failed(run)
    assert (failure.error_code, failure.phase) == ("E_TIMEOUT", "call")
    assert ("half a character" in failure.stderr_tail) == (entrypoint == "sleep")
    assert run.pid
    assert alive([run.pid]) == []


def test_one_task_a_process_gives_each_a_new_pid(bundle: BundleToRun) -> None:
    """MODELOPS_MAX_PROCESS_REUSE=1 is how the seeds tell whether state leaks."""
    with executor(2, max_process_reuse=1) as warm:
        pids = [_pid(warm, bundle) for _ in range(8)]
    assert len(set(pids)) == 8
    assert alive(pids) == []


def test_a_process_is_retired_after_so_many_tasks(bundle: BundleToRun) -> None:
    """Three tasks each, as long as they come one after the other."""
    with executor(2, max_process_reuse=3) as warm:
        pids = [_pid(warm, bundle) for _ in range(7)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]


def test_a_process_is_retired_after_its_time(bundle: BundleToRun) -> None:
    """Also when nothing else happens in the pool."""
    with executor(2, process_ttl_s=0.4) as warm:
        first = _pid(warm, bundle)
        assert await_death([first], 3.0) == []
        limit = time.monotonic() + 3.0
        while warm.health()["processes"] != {"busy": 0, "idle": 0, "ending": 0} and time.monotonic() < limit:
            time.sleep(0.01)
        assert warm.health()["processes"] == {"busy": 0, "idle": 0, "ending": 0}
        assert _pid(warm, bundle) != first


def test_a_retired_process_ends_in_order(bundle: BundleToRun, tmp_path: Path) -> None:
    """What a bundle registered for the end of its process is done, as after a cold task."""
    source = f"""
        import atexit
        atexit.register(lambda: open({str(tmp_path / "said")!r}, "a").write("bye"))
        def wire(entrypoint, params, seed): return {{"seen": b"ok"}}
    """
    other = tmp_path / "other"
    other.mkdir()
    with executor(1, max_process_reuse=1) as warm:
        simulated(warm.simulate(bundle_to_run(wire_bundle(other, source)), task(), 30.0))
        simulated(warm.simulate(bundle, task(), 30.0))
    assert (tmp_path / "said").read_text(encoding="utf-8") == "bye"


def test_the_memory_limit_holds(bundle: BundleToRun) -> None:
    """The peer's was read, stored and never applied."""
    options = WarmOptions(limits=Limits(memory_mib=512))
    with WarmExecutor(options, lambda _line: None) as warm:
        before = _pid(warm, bundle)
        assert failed(warm.simulate(bundle, task("memory"), 30.0)).type_name == "MemoryError"
        assert _pid(warm, bundle) != before


def test_the_limit_of_cpu_time_is_each_tasks_own(bundle: BundleToRun) -> None:
    """A process that has done a thousand tasks has used more than one may, and the next one is not to blame."""
    with WarmExecutor(WarmOptions(limits=Limits(cpu_s=1)), lambda _line: None) as warm:
        pids = {warm.simulate(bundle, task("spin", params={"until": until}), 30.0).pid for until in (0.7, 1.4, 2.1)}
        assert len(pids) == 1
        assert failed(warm.simulate(bundle, task("spin", params={"until": 99}), 30.0)).signal_name == "SIGXCPU"


def test_the_tree_of_a_process_goes_with_it(bundle: BundleToRun, tmp_path: Path) -> None:
    """Daemons in sessions of their own that ignore every signal but the last."""
    other = tmp_path / "other"
    other.mkdir()
    tree = bundle_to_run(wire_bundle(other, HOSTILE_TREE))
    with executor() as warm:
        file = tmp_path / "pids"
        assert failed(warm.simulate(tree, task("sleep", params={"pids": str(file)}), 2.0)).error_code == "E_TIMEOUT"
        assert alive(await_pids(file, 6)) == []
        file = tmp_path / "more"
        simulated(warm.simulate(tree, task("main", params={"pids": str(file)}), 20.0))
        pids = await_pids(file, 6)
        _pid(warm, bundle)
    assert alive(pids) == []


def test_closing_ends_what_runs_and_says_so(bundle: BundleToRun) -> None:
    """A worker that is taken down does not wait for an hour, and its client learns why."""
    warm = executor()
    with ThreadPoolExecutor(1) as threads:
        pid = _pid(warm, bundle)
        running = threads.submit(warm.simulate, bundle, task("sleep"), 600.0)
        time.sleep(0.2)
        warm.close()
        warm.close()
        failure = failed(running.result(10))
    assert (failure.error_code, failure.retryable) == ("E_INTERRUPTED", True)
    assert alive([pid]) == []
    with pytest.raises(UsageError, match="closed"):
        warm.simulate(bundle, task(), 30.0)
    assert warm.health()["status"] == "closed"


def test_a_keeper_that_is_killed_is_replaced(warm: WarmExecutor, bundle: BundleToRun, tmp_path: Path) -> None:
    """Bundle code runs as the same user, so it can; what ran is told, what comes next runs."""
    other = tmp_path / "other"
    other.mkdir()
    source = """
        import os, signal, time
        def wire(entrypoint, params, seed):
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
    """
    murderer = bundle_to_run(wire_bundle(other, source))
    failure = failed(warm.simulate(murderer, task(), 30.0))
    assert (failure.error_code, failure.retryable) == ("E_KILLED", True)
    assert simulated(warm.simulate(bundle, task(), 30.0)) == {"seen": b"ok"}


def test_a_bundle_without_a_wire_function_still_has_targets(warm: WarmExecutor, tmp_path: Path) -> None:
    """As in the cold runner."""
    other = tmp_path / "other"
    other.mkdir()
    root = wire_bundle(other, "", targets=_TARGETS)
    (root / "wire.py").unlink()
    found = bundle_to_run(root)
    assert failed(warm.simulate(found, task(), 30.0)).error_code == "E_ENTRYPOINT"
    outcome = warm.aggregate(found, "targets:result", [], None, 30.0).outcome
    assert isinstance(outcome, Aggregated)


def test_threads_that_come_and_go_lose_no_answer(bundle: BundleToRun) -> None:
    """Each call is answered once, with its own answer, whatever dies meanwhile."""
    stop = threading.Event()
    with executor(3) as warm:

        def kill() -> None:
            while not stop.wait(0.05):
                for pid in list(seen)[-2:]:
                    if alive([pid]):
                        os.kill(pid, signal.SIGKILL)

        seen: list[int] = []

        def run(seed: int) -> None:
            run = warm.simulate(bundle, task("params", params={"x": seed}, seed=seed), 30.0)
            if run.pid:
                seen.append(run.pid)
            if isinstance(run.outcome, Simulated):
                assert run.outcome.outputs["seen"].inline == b"{'x': %d}" % seed
            else:
                assert failed(run).error_code == "E_KILLED"

        killer = threading.Thread(target=kill)
        killer.start()
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(run, range(400)))
        stop.set()
        killer.join()
    assert alive(seen) == []
