"""What becomes of warm processes when their host ends, in whatever way (HOSTILE_CORPUS D14)."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from builders.cold_runs import await_death, await_pids, runner_environment, wire_bundle

pytestmark = pytest.mark.process

_WIRE = """
    import os, signal, time
    def note(file):
        os.write(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), b"%d\\n" % os.getpid())
    def noted(file):
        return len(open(file).read().split())
    def wire(entrypoint, params, seed):
        note(params["pids"])
        before = noted(params["pids"])
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            note(params["pids"])
            time.sleep(600)
        while noted(params["pids"]) == before:
            time.sleep(0.01)
        if entrypoint == "sleep":
            time.sleep(600)
        return {"seen": b"ok"}
"""
_HOST = """
    import os, signal, sys, threading, time
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from builders.warm_runs import bundle_to_run, executor, task
    bundle = bundle_to_run(Path({bundle!r}))
    warm = executor()
    def run(entrypoint):
        return warm.simulate(bundle, task(entrypoint, params={{"pids": {pids!r}}}), 600.0)
    def await_pids(count):
        while not os.path.exists({pids!r}) or len(open({pids!r}).read().split()) < count:
            time.sleep(0.01)
    {body}
"""
_BODIES = {
    "exits": "run('main'); sys.exit(0)",
    "exits-with-a-task-in-flight": "threading.Thread(target=run, args=('sleep',), daemon=True).start(); await_pids(2)",
    "raises": "run('main'); raise ValueError",
    "exits-at-once": "run('main'); os._exit(3)",
    "is-terminated": "threading.Thread(target=run, args=('sleep',), daemon=True).start(); await_pids(2); "
    "os.kill(os.getpid(), signal.SIGTERM); time.sleep(600)",
    "is-killed": "threading.Thread(target=run, args=('sleep',), daemon=True).start(); await_pids(2); "
    "os.kill(os.getpid(), signal.SIGKILL)",
    "is-killed-with-a-fork-that-lives": "run('main'); pid = os.fork(); "
    "os.kill(os.getppid(), signal.SIGKILL) if pid == 0 else time.sleep(600); time.sleep(4)",
}


_FORKING = """
first, pid = run("main").pid, os.fork()
if pid == 0:
    try:
        run("main")
    except Exception as error:
        print(type(error).__name__, error, flush=True)
        sys.exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), run("main").pid == first)
"""


@pytest.mark.parametrize("body", _BODIES.values(), ids=_BODIES)
def test_nothing_outlives_its_host(body: str, tmp_path: Path, scratch: Path) -> None:
    """A worker that is taken down, or killed by its machine, leaves no simulation running behind it."""
    bundle, pids = wire_bundle(tmp_path, _WIRE), tmp_path / "pids"
    tests = str(Path(__file__).parents[1])
    script = textwrap.dedent(_HOST).format(tests=tests, bundle=str(bundle), pids=str(pids), body=body)
    environment = runner_environment(tmp_path / "cache", TMPDIR=str(scratch), PYTHONPATH=os.pathsep.join(sys.path))
    subprocess.run([sys.executable, "-c", script], env=environment, check=False, timeout=60, capture_output=True)
    assert await_death(await_pids(pids, 2), 2.0) == []
    _await_empty(scratch)


def _await_empty(directory: Path) -> None:
    """The guardian removes what was the tasks' after everything has ended."""
    limit = time.monotonic() + 5
    while list(directory.iterdir()) and time.monotonic() < limit:
        time.sleep(0.02)


def test_a_fork_of_the_host_cannot_end_its_processes(tmp_path: Path, scratch: Path) -> None:
    """What a child of the host does at its exit is not the host's exit, and its pool is not the child's."""
    bundle, pids = wire_bundle(tmp_path, _WIRE), tmp_path / "pids"
    tests = str(Path(__file__).parents[1])
    script = textwrap.dedent(_HOST).format(tests=tests, bundle=str(bundle), pids=str(pids), body=_FORKING)
    environment = runner_environment(tmp_path / "cache", TMPDIR=str(scratch), PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, check=False, timeout=60, capture_output=True, text=True
    )
    assert "UsageError the executor belongs to another process" in done.stdout, done
    assert done.stdout.endswith("7 True\n"), done
    assert await_death(await_pids(pids, 4), 2.0) == []
