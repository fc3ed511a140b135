"""Prints what limits and the sandbox add to a cold task, in starts of the environment's own interpreter.

Run it as ``python tests/bench/bench_sandbox.py [ROUNDS]``; only the ratios mean anything.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from bench_cold_task import Server, timed
from builders.cold_runs import SIMULATION, wire_bundle


def main(rounds: int) -> None:
    """Measure and print one row for each way of holding a task."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        bundle = wire_bundle(top, "def wire(entrypoint, params, seed): return {'raw': b'ok'}\n")
        server = Server(bundle, top / "cache")

        def task(**more: object) -> Callable[[], object]:
            return lambda: server.ask("simulate", task=SIMULATION, **more)

        forms: dict[str, Callable[[], object]] = {
            "F": lambda: subprocess.run([server.python, "-I", "-c", "pass"], check=True),
            "no sandbox": task(),
            "no sandbox, with limits": task(limits={"memory-mib": 4096, "cpu-s": 60}),
            "sandbox auto": task(sandbox="auto"),
            "sandbox auto, network open": task(sandbox="auto", network=True),
        }
        seconds: dict[str, list[float]] = {form: [] for form in forms}
        first = timed(task(sandbox="auto"))
        for _ in range(rounds):
            for form, work in forms.items():
                seconds[form].append(timed(work))
        server.close()
    floor = statistics.median(seconds["F"])
    print(
        f"F = {1000 * floor:.1f} ms, {rounds} rounds; first task in the sandbox, with its probe: {first / floor:.2f} F"
    )
    for form, spent in seconds.items():
        print(f"{form:28} {statistics.median(spent) / floor:6.2f} F")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25)
