"""Prints what one warm task costs, in pipe echoes of the same bytes: a process that reads and writes as many.

Run it as ``python tests/bench/bench_warm_task.py [ROUNDS]``. Echo and task take turns. Who answers is held to a
processor, since that decides about the floor: waking a process on another one costs ten times what a switch on the same
one does. A pool's processes are on others; the row for one processor shows what the work itself costs.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bundlekit.cold_runner.child.framing import framed

sys.path.insert(0, str(Path(__file__).parents[1]))
from builders.cold_runs import wire_bundle
from builders.warm_runs import bundle_to_run, executor, simulated

_FIRST, _GOAL = 10.0, 3.0
_WIRE = "def wire(entrypoint, params, seed): return {'raw': bytes(int(params['size']))}\n"
_ECHO = """
import os
size, answer = {request}, b"x" * {answer}
while True:
    left = size
    while left:
        data = os.read(0, min(left, 1 << 20))
        if not data:
            raise SystemExit
        left -= len(data)
    view = memoryview(answer)
    while view:
        view = view[os.write(1, view):]
"""
SIZES = {"3 bytes": 3, "64 KiB": 1 << 16, "4 MiB": 4 << 20}


def main(rounds: int) -> int:
    """Measure and print one row for each size; the smallest, on two processors, is held against the goals."""
    here, *others = sorted(os.sched_getaffinity(0))
    missed = 0
    for label, there in (("two processors", others[-1] if others else here), ("one processor", here)):
        os.sched_setaffinity(0, {there})
        ratio = _measured(rounds, label, here)
        missed += label == "two processors" and ratio > _FIRST
    return missed


def _measured(rounds: int, where: str, here: int) -> float:
    """Print the rows of one placement and return the first ratio; what is started here stays, we go to `here`."""
    ratios = []
    there = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as name:
        os.environ["VENVS_DIR"] = str(Path(name) / "cache")
        bundle = bundle_to_run(wire_bundle(Path(name), _WIRE))
        with executor(max_process_reuse=1 << 30) as warm:
            for label, size in SIZES.items():
                task = {"entrypoint": "main", "params": {"size": size, "beta": 0.25, "place": "x"}, "seed": 1}

                def run(task: Mapping[str, object] = task) -> object:
                    return simulated(warm.simulate(bundle, task, 60.0))

                turns = rounds if size < 1 << 20 else max(10, rounds // 50)
                os.sched_setaffinity(0, there)
                with _echo(task, size) as echo:
                    run()
                    os.sched_setaffinity(0, {here})
                    floor, ours = _medians(echo, run, turns)
                ratios.append(ours / floor)
                figures = f"echo {1e6 * floor:7.0f} us, warm {1e6 * ours:7.0f} us, ratio {ours / floor:5.1f}"
                print(f"warm task, {where}, {label:8} {figures}   goal {_GOAL:.0f}, first {_FIRST:.0f}")
    return ratios[0]


def _medians(echo: Callable[[], object], run: Callable[[], object], turns: int) -> tuple[float, float]:
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 10):
        for place, work in enumerate((echo, run)):
            started = time.perf_counter()
            work()
            if turn >= 10:
                seconds[place].append(time.perf_counter() - started)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


@contextmanager
def _echo(task: Mapping[str, object], size: int) -> Iterator[Callable[[], None]]:
    """Yield what sends as many bytes as the request has to another process, and takes as many as the answer has."""
    params = {**task, "bundle_digest": "sha256:" + "0" * 64}
    request = framed(json.dumps({"jsonrpc": "2.0", "id": 1000, "method": "execute", "params": params}).encode())
    text = "A" * ((size + 2) // 3 * 4)
    answer = len(framed(json.dumps({"jsonrpc": "2.0", "id": 1000, "result": {"raw": text}}).encode()))
    code = _ECHO.format(request=len(request), answer=answer)
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert process.stdin
    assert process.stdout
    theirs, ours = process.stdin.fileno(), process.stdout.fileno()

    def turn() -> None:
        os.write(theirs, request)
        left = answer
        while left:
            left -= len(os.read(ours, min(left, 1 << 20)))

    yield turn
    process.communicate()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
