"""Prints what one cold task costs on a ready environment, in starts of the environment's own interpreter.

Run it as ``python tests/bench/bench_cold_task.py [ROUNDS]``. The forms are measured in turn within each round, so that
a busy machine slows all of them; only the ratios mean anything.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bundlekit.cold_runner
from bundlekit.cold_runner.export import export_runner

sys.path.insert(0, str(Path(__file__).parents[1]))
from builders.cold_runs import MODULE, SIMULATION, runner_environment, wire_bundle

PAUSE_S = 0.05
"""What a server starts ahead must not slow the next form down; what that costs is in the tasks per second."""
LANES, TASKS = 4, 100
NUMPY_GOAL = 0.1
ROWS = {
    "server, exec": 1.5,
    "server, fork": 0.3,
    "server, fresh environment": 2.0,
    "python -m bundlekit.cold_runner": 3.0,
    "python FOLDER": 3.0,
    "exported file": None,
}


NUMPY_PROJECT = """\
[project]
name = "random-walk"
version = "1"
dependencies = ["numpy"]
"""
NUMPY_WIRE = """\
import numpy


def wire(entrypoint, params, seed):
    return {"raw": numpy.random.default_rng(seed).normal(size=10).tobytes()}
"""


class Server:
    """The server form, with the bundle kept ready."""

    def __init__(self, bundle: Path, cache: Path) -> None:
        folder = Path(bundlekit.cold_runner.__file__).parent
        self._bundle = {"path": str(bundle), "digest": "sha256:" + "ab" * 32, "files": None}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-u", str(folder), "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=runner_environment(cache),
        )
        self.python = str(self.ask("prepare")["environment"]["python"])

    def ask(self, verb: str, **more: object) -> dict[str, dict[str, object]]:
        """Return the result of one request; ends the program when it is a failure."""
        if self._process.stdin is None or self._process.stdout is None:
            raise SystemExit("the server has no pipes")
        request = {"verb": verb, "bundle": self._bundle, "timeout_s": 60, **more}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        result: dict[str, dict[str, object]] = json.loads(self._process.stdout.readline())["result"]
        if "_fatal_error" in result:
            raise SystemExit(result["_fatal_error"])
        return result

    def close(self) -> None:
        """End the server."""
        self._process.communicate()


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main(rounds: int) -> int:
    """Measure and print one row for each form."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        bundle = wire_bundle(top, "def wire(entrypoint, params, seed): return {'raw': b'ok'}\n")
        exported = top / "cold_runner.pyz"
        export_runner(str(exported))
        server, forking, layered = (Server(bundle, top / "cache") for _ in range(3))
        task = json.dumps(SIMULATION).encode()
        env = runner_environment(top / "cache")

        def one_shot(*command: str) -> None:
            whole = [*command, "--bundle-path", str(bundle)]
            subprocess.run(whole, input=task, capture_output=True, check=True, env=env)

        forms: dict[str, Callable[[], object]] = {
            "F": lambda: subprocess.run([server.python, "-I", "-c", "pass"], check=True),
            "server, exec": lambda: server.ask("simulate", task=SIMULATION),
            "server, fresh environment": lambda: layered.ask("simulate", task=SIMULATION, fresh=True),
            "server, fork": lambda: forking.ask("simulate", task=SIMULATION, start="fork"),
            "python -m bundlekit.cold_runner": lambda: one_shot(*MODULE),
            "python FOLDER": lambda: one_shot(sys.executable, str(Path(bundlekit.cold_runner.__file__).parent)),
            "exported file": lambda: one_shot(sys.executable, str(exported)),
        }
        seconds: dict[str, list[float]] = {form: [] for form in forms}
        for turn in range(rounds + 2):
            for form, work in forms.items():
                time.sleep(PAUSE_S)
                spent = timed(work)
                if turn >= 2:
                    seconds[form].append(spent)
        server.close()
        forking.close()
        layered.close()
    floor = statistics.median(seconds["F"])
    print(f"F = {1000 * floor:.1f} ms, {rounds} rounds")
    missed = 0
    for form, goal in ROWS.items():
        ratio = statistics.median(seconds[form]) / floor
        missed += goal is not None and ratio > goal
        print(f"{form:34} {ratio:6.2f} F   goal {'-' if goal is None else f'{goal:.1f} F'}")
    missed += preloaded(rounds)
    missed += throughput(floor)
    return 1 if missed else 0


def preloaded(rounds: int) -> int:
    """Print what a fork with numpy in its zygote costs, in tasks that import it themselves; return 1 if too much."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        bundle = wire_bundle(top, NUMPY_WIRE)
        (bundle / "pyproject.toml").write_text(NUMPY_PROJECT)
        plain, forking = (Server(bundle, top / "cache") for _ in range(2))
        forms: dict[str, Callable[[], object]] = {
            "exec": lambda: plain.ask("simulate", task=SIMULATION),
            "fork": lambda: forking.ask("simulate", task=SIMULATION, start="fork", preload=["numpy", "numpy.random"]),
        }
        seconds: dict[str, list[float]] = {form: [] for form in forms}
        for _ in range(rounds + 2):
            for form, work in forms.items():
                time.sleep(PAUSE_S)
                seconds[form].append(timed(work))
        plain.close()
        forking.close()
    ratio = statistics.median(seconds["fork"][2:]) / statistics.median(seconds["exec"][2:])
    print(f"{'fork, numpy preloaded':34} {ratio:6.2f} of an exec task that imports it   goal {NUMPY_GOAL}")
    return int(ratio > NUMPY_GOAL)


def throughput(floor: float) -> int:
    """Print how many tasks end in the time of one start while both cores are busy; return how many goals are missed."""
    missed = 0
    for start, goal in (("exec", 2.0), ("fork", 14.0)):
        rate = _tasks_per_second(start)
        missed += rate * floor < goal
        print(f"{f'{start}, {LANES} at once':34} {rate * floor:6.2f} tasks in F ({rate:.0f}/s)   goal {goal:.0f}")
    return missed


def _tasks_per_second(start: str) -> float:
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        bundle = wire_bundle(top, "def wire(entrypoint, params, seed): return {'raw': b'ok'}\n")
        servers = [Server(bundle, top / "cache") for _ in range(LANES)]

        def run(server: Server) -> None:
            for _ in range(TASKS):
                server.ask("simulate", task=SIMULATION, start=start)

        with ThreadPoolExecutor(LANES) as threads:
            started = time.perf_counter()
            list(threads.map(run, servers))
            spent = time.perf_counter() - started
        for server in servers:
            server.close()
    return LANES * TASKS / spent


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25))
