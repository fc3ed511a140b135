"""Limits of each phase, what happens at them, and whoever it is that starts the runner."""

import json
import subprocess
import threading
import time
from pathlib import Path

import pytest
from builders.cold_runs import MODULE, SIMULATION, Ran, run, runner_environment, wire_bundle
from builders.environments import own_bundle, write_bundle

pytestmark = pytest.mark.process

OK = "def wire(e, p, s): return {'raw': b'ok'}\n"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


LIMITS = {
    "import": ("--import-timeout-s=1", "import time\ntime.sleep(60)\n" + OK, "within the 1 s that its import may take"),
    "call": (
        "--call-timeout-s=1",
        "import time\ntime.sleep(1.2)\ndef wire(e, p, s): time.sleep(60)\n",
        "within the 1 s that its call may take",
    ),
    "result": (
        "--call-timeout-s=1",
        "import time\nclass Slow(dict):\n    def items(self): time.sleep(60)\ndef wire(e, p, s): return Slow(a=b'x')\n",
        "within the 1 s that its call may take",
    ),
}


@pytest.mark.parametrize(("phase", "row"), LIMITS.items(), ids=LIMITS)
def test_each_phase_has_a_limit_of_its_own(phase: str, row: tuple[str, str, str], tmp_path: Path, cache: Path) -> None:
    """An import that hangs is known long before a simulation's hours are over."""
    option, source, says = row
    result = run(wire_bundle(tmp_path, source), cache, SIMULATION, option)
    assert (result.error["error_code"], result.error["phase"]) == ("E_TIMEOUT", phase)
    assert says in str(result.error["message"])
    assert result.seconds < 5


def test_building_has_a_limit_of_its_own(tmp_path: Path, cache: Path) -> None:
    """The call may still take its hours."""
    files = own_bundle(backend="import time\ntime.sleep(60)\n")
    bundle = write_bundle(tmp_path / "bundle", files)
    result = run(bundle, cache, SIMULATION, "--environment-timeout-s", "2")
    assert (result.error["error_code"], result.error["phase"]) == ("E_TIMEOUT", "environment")
    assert result.seconds < 6


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e308", "soon"])
@pytest.mark.parametrize(
    "option", ["--timeout-s", "--environment-timeout-s", "--import-timeout-s", "--call-timeout-s", "--grace-s"]
)
def test_a_limit_that_is_none_is_refused(option: str, value: str, tmp_path: Path, cache: Path) -> None:
    """Before anything runs."""
    result = run(wire_bundle(tmp_path, OK), cache, SIMULATION, f"{option}={value}")
    assert result.error["error_code"] == "E_USAGE"
    assert option in str(result.error["message"])


def test_a_task_that_is_out_of_time_shows_where_it_was(tmp_path: Path, cache: Path) -> None:
    """A timeout says nothing by itself; the line on which each thread was says most."""
    source = """
        import threading, time
        def waits_for_a_lock():
            lock = threading.Lock()
            lock.acquire()
            lock.acquire()
        def wire(e, p, s):
            threading.Thread(target=waits_for_a_lock, daemon=True).start()
            sum(iter(int, 1))
    """
    result = run(wire_bundle(tmp_path, source), cache, SIMULATION, "--call-timeout-s", "1")
    tail = str(result.error["stderr_tail"])
    assert "in waits_for_a_lock" in tail
    assert "line 9 in wire" in tail
    assert result.seconds < 3


def test_a_task_that_is_out_of_time_is_asked_to_end_first_and_then_ended(tmp_path: Path, cache: Path) -> None:
    """What has a handler for SIGTERM may tidy up; what ignores it has its grace and no more."""
    source = """
        import os, signal, time
        def tidy(number, frame):
            os.write(2, b"TIDIED\\n")
            os._exit(0)
        def wire(e, p, s):
            signal.signal(signal.SIGTERM, tidy if e == "tidy" else signal.SIG_IGN)
            if e == "blocks":
                signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            while True:
                time.sleep(60)
    """
    bundle = wire_bundle(tmp_path, source)
    for entrypoint, tidied in (("tidy", True), ("ignores", False), ("blocks", False)):
        result = run(bundle, cache, {**SIMULATION, "entrypoint": entrypoint}, "--call-timeout-s", "1", "--grace-s", "1")
        assert result.error["error_code"] == "E_TIMEOUT"
        assert ("TIDIED" in str(result.error["stderr_tail"])) == tidied
        assert result.seconds < (2 if tidied else 3.5)


def test_a_result_that_comes_after_the_deadline_is_none(tmp_path: Path, cache: Path) -> None:
    """One verdict: not two, and not the other."""
    source = """
        import signal, time
        def wire(e, p, s):
            late = []
            signal.signal(signal.SIGTERM, lambda *_: late.append(1))
            while not late:
                time.sleep(0.01)
            return {"raw": b"late"}
    """
    result = run(wire_bundle(tmp_path, source), cache, SIMULATION, "--call-timeout-s", "1")
    assert result.error["error_code"] == "E_TIMEOUT"


def test_the_clock_cannot_be_turned_back_by_telling_of_other_phases(tmp_path: Path, cache: Path) -> None:
    """Bundle code can find the pipe, and with it the word that starts a phase."""
    source = """
        import os, time
        def wire(e, p, s):
            while True:
                for phase in (b"import", b"call", b"result"):
                    os.write(4, b"P" + (8 + len(phase)).to_bytes(8, "big") + len(phase).to_bytes(8, "big") + phase)
                time.sleep(0.05)
    """
    result = run(wire_bundle(tmp_path, source), cache, SIMULATION, "--call-timeout-s", "1", "--import-timeout-s", "1")
    assert result.error["error_code"] == "E_TIMEOUT"
    assert result.seconds < 4


STATUSES = {
    137: ("E_KILLED", "SIGKILL", 9),
    139: ("E_SIGNAL", "SIGSEGV", 9),
    134: ("E_SIGNAL", "SIGABRT", 9),
    130: ("E_WIRE_EXIT", None, 8),
    200: ("E_WIRE_EXIT", None, 8),
}


@pytest.mark.parametrize(("status", "verdict"), STATUSES.items(), ids=map(str, STATUSES))
def test_a_signal_told_as_a_shell_does_is_a_signal(
    status: int, verdict: tuple[str, str | None, int], tmp_path: Path, cache: Path
) -> None:
    """What a sandbox starts for us dies of a signal, and the sandbox exits with 128 and its number."""
    result = run(wire_bundle(tmp_path, f"import os\ndef wire(e, p, s): os._exit({status})\n"), cache)
    assert (result.error["error_code"], result.error["signal"], result.status) == verdict


STARTERS = {
    "all signals blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
    "SIGCHLD and SIGTERM ignored": "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGCHLD, signal.SIGTERM)]",
}


@pytest.mark.parametrize("setting", STARTERS.values(), ids=STARTERS)
def test_signals_that_the_starter_had_ignored_or_blocked_do_not_matter(
    setting: str, tmp_path: Path, cache: Path
) -> None:
    """They are inherited; without SIGCHLD nobody would notice that a task has ended whose daemon holds its pipes."""
    source = """
        import os, signal, time
        def wire(e, p, s):
            if os.fork() == 0:
                time.sleep(60)
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
            ignored = [n for n in (signal.SIGTERM, signal.SIGCHLD) if signal.getsignal(n) is signal.SIG_IGN]
            return {"raw": repr((blocked, ignored)).encode()}
    """
    starter = f"import os, signal, sys\n{setting}\nos.execv(sys.argv[1], sys.argv[1:])"
    result = run(wire_bundle(tmp_path, source), cache, runner=(MODULE[0], "-c", starter, *MODULE))
    assert result.outputs["raw"]["inline"] == "KHNldCgpLCBbXSk="  # (set(), [])
    assert result.seconds < 5


def test_the_end_of_the_thread_that_started_the_runner_kills_nothing(tmp_path: Path, cache: Path) -> None:
    """The parent death signal of Linux follows a thread; workers start tasks from threads that come and go."""
    bundle = wire_bundle(tmp_path, "import time\ndef wire(e, p, s):\n    time.sleep(1)\n    return {'raw': b'ok'}\n")
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        started.append(
            subprocess.Popen(
                [*MODULE, "--bundle-path", str(bundle)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=runner_environment(cache),
            )
        )

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    said, log = started[0].communicate(json.dumps(SIMULATION).encode(), timeout=30)
    assert Ran(started[0].returncode, said, log, 0.0).outputs


def test_a_clock_that_is_set_changes_no_deadline(tmp_path: Path, cache: Path) -> None:
    """Deadlines count by the monotonic clock, and in the runner; the task's own clock is its own."""
    source = """
        import time
        def wire(e, p, s):
            time.time = time.monotonic = lambda: 0.0
            time.sleep(60)
    """
    started = time.monotonic()
    result = run(wire_bundle(tmp_path, source), cache, SIMULATION, "--timeout-s", "2")
    assert result.error["error_code"] == "E_TIMEOUT"
    assert 2 <= time.monotonic() - started < 4
    assert result.error["signal"] is None
