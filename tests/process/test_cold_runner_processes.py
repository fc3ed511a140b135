"""Deadlines, kills and interruptions: one verdict, and nothing that runs on afterwards (DESIGN decision 5)."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from builders.cold_runs import (
    HOSTILE_TREE,
    MODULE,
    SIMULATION,
    await_death,
    await_pids,
    children_of,
    run,
    runner_environment,
    wire_bundle,
)
from builders.environments import DAEMONISING_BUILDS, own_bundle, write_bundle

pytestmark = pytest.mark.process


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


class Started:
    """A runner in the middle of a task whose bundle started a hostile tree."""

    def __init__(self, tmp_path: Path, cache: Path, scratch: Path, entrypoint: str = "sleep") -> None:
        pids = tmp_path / "pids"
        self.guardian = subprocess.Popen(
            [*MODULE, "--bundle-path", str(wire_bundle(tmp_path, HOSTILE_TREE))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=runner_environment(cache, TMPDIR=str(scratch)),
        )
        assert self.guardian.stdin
        self.guardian.stdin.write(
            json.dumps({**SIMULATION, "entrypoint": entrypoint, "params": {"pids": str(pids)}}).encode()
        )
        self.guardian.stdin.close()
        self.guardian.stdin = None  # or communicate() would flush it again
        self.pids = await_pids(pids, 6)
        (self.supervisor,) = children_of(self.guardian.pid)

    def finish(self) -> tuple[int, bytes]:
        """Return the guardian's status and what it printed."""
        said, _ = self.guardian.communicate(timeout=30)
        return self.guardian.returncode, said


@pytest.mark.parametrize("entrypoint", ["loop", "sleep"])
def test_the_deadline_kills_the_whole_tree_within_a_second(
    tmp_path: Path, cache: Path, scratch: Path, entrypoint: str
) -> None:
    """Daemons in sessions of their own that ignore SIGTERM survive a kill of the process group."""
    pids = tmp_path / "pids"
    bundle = wire_bundle(tmp_path, HOSTILE_TREE)
    task = {**SIMULATION, "entrypoint": entrypoint, "params": {"pids": str(pids)}}
    result = run(bundle, cache, task, "--timeout-s", "3", env={"TMPDIR": str(scratch)})
    assert result.error["error_code"] == "E_TIMEOUT"
    assert result.error["phase"] == "call"
    assert 3 <= result.seconds < 4.5
    assert len(await_pids(pids, 6)) == 6
    assert await_death(await_pids(pids, 6), 0.2) == []


def test_a_result_does_not_wait_for_daemons_and_they_are_dead_at_the_end(
    tmp_path: Path, cache: Path, scratch: Path
) -> None:
    """Waiting for the end of a pipe means waiting for whoever inherited it."""
    pids = tmp_path / "pids"
    task = {**SIMULATION, "params": {"pids": str(pids)}}
    result = run(wire_bundle(tmp_path, HOSTILE_TREE), cache, task, env={"TMPDIR": str(scratch)})
    assert result.outputs
    assert result.seconds < 5
    assert await_death(await_pids(pids, 6), 0.2) == []


def test_a_child_that_does_not_end_after_its_result_is_given_two_seconds(tmp_path: Path, cache: Path) -> None:
    """The result is complete; an exit handler that hangs cannot take it back."""
    source = """
        import atexit, time
        atexit.register(time.sleep, 60)
        def wire(e, p, s): return {"raw": b"ok"}
    """
    result = run(wire_bundle(tmp_path, source), cache)
    assert result.outputs
    assert 2 <= result.seconds < 5


def test_killing_the_guardian_leaves_nothing_behind(tmp_path: Path, cache: Path, scratch: Path) -> None:
    """A scheduler that kills the pid it knows must have killed the simulation."""
    started = Started(tmp_path, cache, scratch)
    started.guardian.kill()
    assert started.finish() == (-9, b"")
    assert await_death([started.supervisor, *started.pids], 2) == []


def test_killing_the_supervisor_leaves_nothing_behind_and_is_told(tmp_path: Path, cache: Path, scratch: Path) -> None:
    """The out-of-memory killer takes the largest process, which may be ours."""
    started = Started(tmp_path, cache, scratch)
    os.kill(started.supervisor, signal.SIGKILL)
    status, said = started.finish()
    assert status == 9
    assert json.loads(said)["_fatal_error"]["error_code"] == "E_KILLED"
    assert await_death(started.pids, 0.2) == []


def test_a_supervisor_that_dies_of_a_signal_without_a_name_is_told_too(tmp_path: Path, cache: Path) -> None:
    """Most real-time signals have none, and a task may send any to whom it finds."""
    source = "import os\ndef wire(e, p, s):\n    os.kill(os.getppid(), 40)\n    return {'a': b'x'}\n"
    error = run(wire_bundle(tmp_path, source), cache).error
    assert (error["error_code"], error["signal"]) == ("E_KILLED", "signal 40")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interruption_cleans_up_and_prints_one_line(
    tmp_path: Path, cache: Path, scratch: Path, number: signal.Signals
) -> None:
    """Control-C at a terminal, and a polite scheduler."""
    started = Started(tmp_path, cache, scratch)
    started.guardian.send_signal(number)
    status, said = started.finish()
    assert status == 130
    assert json.loads(said)["_fatal_error"]["error_code"] == "E_INTERRUPTED"
    assert said.count(b"\n") == 1
    assert await_death([started.supervisor, *started.pids], 0.2) == []


INTERRUPTED_IMPORT = """
import os, runpy, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
runpy.run_module("bundlekit.cold_runner", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["command_line", "guardian", "stderr_log", "task"])
def test_an_interruption_while_the_runner_starts_ends_it_quietly(module: str) -> None:
    """Control-C right after the return key is no fault to be reported."""
    done = subprocess.run(
        [MODULE[0], "-c", INTERRUPTED_IMPORT, f"bundlekit.cold_runner.{module}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_a_stopped_supervisor_is_continued(tmp_path: Path, cache: Path) -> None:
    """Bundle code that stops its parent would otherwise stop the clock."""
    source = """
        import os, signal, time
        def wire(e, p, s):
            os.kill(os.getppid(), signal.SIGSTOP)
            time.sleep(0.2)
            return {"raw": b"ok"}
    """
    assert run(wire_bundle(tmp_path, source), cache, SIMULATION, "--timeout-s", "10").outputs


def test_a_child_that_stops_itself_meets_its_deadline(tmp_path: Path, cache: Path) -> None:
    """A stopped process neither ends nor writes."""
    source = "import os, signal\ndef wire(e, p, s):\n    os.kill(os.getpid(), signal.SIGSTOP)\n"
    result = run(wire_bundle(tmp_path, source), cache, SIMULATION, "--timeout-s", "2")
    assert result.error["error_code"] == "E_TIMEOUT"
    assert result.seconds < 3.5


def test_a_bounded_fork_bomb_is_dead_at_the_deadline(tmp_path: Path, cache: Path) -> None:
    """Killing one after the other loses against processes that fork meanwhile; they are stopped first."""
    pids = tmp_path / "pids"
    source = """
        import os, time
        def wire(e, p, s):
            fd = os.open(p["pids"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            limit = time.monotonic() + 30
            while time.monotonic() < limit:
                os.write(fd, b"%d\\n" % os.getpid())
                if len(open(p["pids"]).read().split()) > 150:
                    time.sleep(60)
                if os.fork() == 0:
                    os.setsid()
                    continue
                time.sleep(0.002)
    """
    task = {**SIMULATION, "params": {"pids": str(pids)}}
    result = run(wire_bundle(tmp_path, source), cache, task, "--timeout-s", "3")
    assert result.error["error_code"] == "E_TIMEOUT"
    assert result.seconds < 5
    assert await_death([int(pid) for pid in pids.read_text(encoding="ascii").split()], 0.5) == []


PRESERVED = """
    import os, signal, time
    def wire(e, p, s):
        open("made.txt", "w").write("tree")
        open(os.environ["TMPDIR"] + "/t", "w").write("tmp")
        open(os.environ["HOME"] + "/h", "w").write("home")
        if e == "sleep":
            time.sleep(60)
        if e == "kill":
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        return {"raw": b"ok"}
"""


@pytest.mark.parametrize(
    ("entrypoint", "status", "reuse"), [("main", 0, "0"), ("main", 0, "1"), ("sleep", 124, "1"), ("kill", 9, "1")]
)
def test_a_preserved_task_leaves_what_it_wrote_and_is_named_on_the_log(
    tmp_path: Path, cache: Path, entrypoint: str, status: int, reuse: str
) -> None:
    """PRESERVE_TMP is for looking at it afterwards, and above all at what failed (DESIGN decision 4)."""
    kept_in = tmp_path / "scratch"
    kept_in.mkdir()
    env = {"TMPDIR": str(kept_in), "PRESERVE_TMP": "1", "REUSE": reuse}
    task = {**SIMULATION, "entrypoint": entrypoint}
    result = run(wire_bundle(tmp_path, PRESERVED), cache, task, "--timeout-s", "4", env=env)
    assert result.status == status
    (kept,) = kept_in.iterdir()
    assert f"PRESERVE_TMP: what the task writes stays in {kept}\n" in result.stderr.decode()
    assert kept.stat().st_mode & 0o777 == 0o700
    found = {path.name: path.read_text() for path in kept.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert found == {"wire.py": found["wire.py"], "made.txt": "tree", "t": "tmp", "h": "home"}


@pytest.mark.parametrize("backend", DAEMONISING_BUILDS.values(), ids=DAEMONISING_BUILDS)
def test_a_daemon_of_a_build_is_dead_at_the_end(backend: str, tmp_path: Path, cache: Path) -> None:
    """Whether the build succeeds, fails or meets the deadline; it is in no session that we know."""
    pids = tmp_path / "pids"
    files = own_bundle(backend=backend)
    files["mine/wire.py"] = "def wire(entrypoint, params, seed): return {'raw': b'ok'}\n"
    files["pyproject.toml"] += '[tool.bundlekit]\npass-env = ["PIDS"]\n'
    bundle = write_bundle(tmp_path / "bundle", files)
    ended = run(bundle, cache, SIMULATION, "--timeout-s", "4", env={"PIDS": str(pids)})
    assert (ended.status == 0) == (backend == DAEMONISING_BUILDS["succeeds"])
    assert await_death(await_pids(pids, 1), 1) == []
