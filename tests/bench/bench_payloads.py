"""Prints how much memory the runner takes for 1 GB of outputs by file and for 100 MB of simulation returns.

Run it as ``python tests/bench/bench_payloads.py [MEGABYTES_OUT MEGABYTES_IN]``. The figures are the highest
resident sizes of guardian and supervisor, less what they take for a small payload; the goal is the payload and 64 MB.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import bundlekit.cold_runner

sys.path.insert(0, str(Path(__file__).parents[1]))
from builders.cold_runs import MODULE, SIMULATION, children_of, runner_environment, wire_bundle

__all__ = ["main", "peaks"]

BUNDLE = """
    def wire(entrypoint, params, seed):
        return {f"o{number}": bytes([number]) * (params["megabytes"] * 1000 * 1000 // 4) for number in range(4)}
    def target(sim_returns, target_data=None):
        return {"loss": sum(len(each["outputs"]["x"]["inline"]) for each in sim_returns)}
"""
_SLACK_MB = 64


def peaks(command: Sequence[str], stdin: bytes, cache: Path) -> tuple[float, float, dict[str, object]]:
    """Return the highest resident sizes of guardian and supervisor in MB, and what was answered."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=runner_environment(cache)
    )
    if process.stdin is None or process.stdout is None:
        raise SystemExit("the runner has no pipes")
    highest = [0.0, 0.0]
    writer = threading.Thread(target=_written, args=(process.stdin, stdin, "--serve" not in command))
    writer.start()
    os.set_blocking(process.stdout.fileno(), False)
    said = bytearray()
    while not said.endswith(b"\n") and process.poll() is None:
        said += process.stdout.read() or b""
        for position, pid in enumerate([process.pid, *children_of(process.pid)][:2]):
            highest[position] = max(highest[position], _peak_mb(pid))
        time.sleep(0.005)
    os.set_blocking(process.stdout.fileno(), True)
    if not process.stdin.closed:
        process.stdin.close()
    said += process.stdout.read() or b""
    process.wait()
    writer.join()
    process.stdout.close()
    return highest[0], highest[1], json.loads(said)


def _written(stream: IO[bytes], data: bytes, close: bool) -> None:  # noqa: FBT001 - the argument of a thread
    stream.write(data)
    stream.flush()
    if close:
        stream.close()


def _peak_mb(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    lines = [line for line in text.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) * 1024 / 1e6 if lines else 0


def returns_of(megabytes: int) -> list[dict[str, object]]:
    """Return simulation returns that hold that many megabytes, in pieces of 256 kB."""
    data = base64.b64encode(bytes(range(256)) * 1000).decode()
    return [{"outputs": {"x": {"size": 256_000, "inline": data}}} for _ in range(megabytes * 1000 // 256)]


def main(megabytes_out: int = 1000, megabytes_in: int = 100) -> int:
    """Measure, print one row for each way, and return 1 when one missed its goal."""
    missed = 0
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        bundle, cache, outputs = wire_bundle(top, BUNDLE), top / "cache", top / "outputs"
        outputs.mkdir()
        folder = str(Path(bundlekit.cold_runner.__file__).parent)
        for form in ("one-shot", "server"):
            for kind, megabytes in (("outputs by file", megabytes_out), ("sim_returns", megabytes_in)):
                rows = []
                for size in (1, megabytes):
                    simulation = {**SIMULATION, "params": {"megabytes": size}}
                    aggregation = {"target_entrypoint": "wire:target", "sim_returns": returns_of(size)}
                    task = simulation if kind.startswith("outputs") else aggregation
                    command = [*MODULE, "--bundle-path", str(bundle), "--outputs-dir", str(outputs)]
                    if form == "server":
                        command = [sys.executable, "-P", "-s", "-u", folder, "--serve"]
                        task = {
                            "verb": "simulate" if kind.startswith("outputs") else "aggregate",
                            "bundle": {"path": str(bundle), "digest": "sha256:" + "ab" * 32, "files": None},
                            "timeout_s": 300,
                            "outputs_dir": str(outputs),
                            "task": task,
                        }
                    elif kind == "sim_returns":
                        command.append("--aggregation")
                    guardian, supervisor, answer = peaks(command, json.dumps(task).encode() + b"\n", cache)
                    if "_fatal_error" in answer or "_fatal_error" in dict(answer.get("result", {})):  # type: ignore[call-overload]
                        raise SystemExit(json.dumps(answer))
                    rows.append((guardian, supervisor))
                grown = rows[1][1] - rows[0][1]
                missed += grown > megabytes + _SLACK_MB or rows[1][0] - rows[0][0] > _SLACK_MB
                print(
                    f"{form:9} {megabytes:5} MB of {kind:16} supervisor {rows[1][1]:7.1f} MB ({grown:+7.1f}), "
                    f"guardian {rows[1][0]:6.1f} MB; goal {megabytes + _SLACK_MB:+} MB"
                )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
