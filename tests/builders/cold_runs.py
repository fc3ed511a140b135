"""Small bundles that need no installer, and ways to run the cold runner on them as a user would."""

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

MODULE = (sys.executable, "-m", "bundlekit.cold_runner")
SIMULATION: Mapping[str, object] = {"entrypoint": "main", "params": {}, "seed": 7}


HOSTILE_TREE = """
    import os, signal, time
    def note(file):
        os.write(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), b"%d\\n" % os.getpid())
    def daemon(file):
        if os.fork() == 0:
            os.setsid()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            if os.fork() == 0:
                note(file)
                while True:
                    time.sleep(0.05)
            os._exit(0)
    def wire(entrypoint, params, seed):
        for _ in range(5):
            daemon(params["pids"])
        note(params["pids"])
        if entrypoint == "loop":
            while True:
                pass
        if entrypoint == "sleep":
            time.sleep(1e6)
        deadline = time.monotonic() + 10
        while len(open(params["pids"]).read().split()) < 6 and time.monotonic() < deadline:
            time.sleep(0.01)
        return {"raw": b"ok"}
"""
"""Starts five daemons in sessions of their own that ignore SIGTERM, then loops, sleeps or returns."""


START: list[str] = []
"""Options with which every run of a test module is made; the fixture `start` sets them."""


class Ran(NamedTuple):
    """What a finished runner left: its status, both streams as bytes, and the time it took."""

    status: int
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def document(self) -> dict[str, object]:
        """The one line on stdout; asserts that it is one line."""
        assert self.stdout.endswith(b"\n"), (self.stdout, self.stderr[-3000:])
        assert self.stdout.count(b"\n") == 1
        document = json.loads(self.stdout, parse_constant=_refuse)
        assert isinstance(document, dict)
        return document

    @property
    def error(self) -> dict[str, object]:
        """The failure on stdout; asserts that there is one, and that it agrees with the exit status."""
        error = self.document.get("_fatal_error")
        assert isinstance(error, dict), self.document
        assert error["code"] == self.status
        return error

    @property
    def outputs(self) -> dict[str, dict[str, object]]:
        """The outputs on stdout; asserts success."""
        outputs = self.document.get("outputs")
        assert isinstance(outputs, dict), self.document
        assert self.status == 0
        return outputs


def wire_bundle(root: Path, source: str, **files: str) -> Path:
    """Write a bundle of one wire.py (and `files`, by module name) that needs no build, and return its directory."""
    bundle = root / "bundle"
    bundle.mkdir()
    (bundle / "wire.py").write_text(textwrap.dedent(source), encoding="utf-8")
    for name, text in files.items():
        (bundle / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return bundle


def runner_environment(cache: Path, **more: str) -> dict[str, str]:
    """Return the variables of a runner with a ready environment in `cache`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_", "MODELOPS"))}
    return {**kept, "REUSE": "1", "VENVS_DIR": str(cache), **more}


def run(
    bundle: Path,
    cache: Path,
    task: Mapping[str, object] | bytes = SIMULATION,
    *options: str,
    runner: Sequence[str] = MODULE,
    env: Mapping[str, str] | None = None,
) -> Ran:
    """Run one task in the one-shot form."""
    command = [*runner, "--bundle-path", str(bundle), *START, *options]
    data = task if isinstance(task, bytes) else json.dumps(task).encode()
    started = time.monotonic()
    done = subprocess.run(
        command,
        input=data,
        capture_output=True,
        check=False,
        timeout=120,
        env={**runner_environment(cache), **(env or {})},
    )
    return Ran(done.returncode, done.stdout, done.stderr, time.monotonic() - started)


def aggregate(bundle: Path, cache: Path, target: str, sim_returns: Sequence[object] = (), **more: object) -> Ran:
    """Run one aggregation in the one-shot form."""
    task = {"target_entrypoint": target, "sim_returns": list(sim_returns), **more}
    return run(bundle, cache, task, "--aggregation")


def alive(pids: Sequence[int]) -> list[int]:
    """Return those of `pids` that still run; a zombie does not."""
    return [pid for pid in pids if _state(pid) not in {None, "Z", "X"}]


def await_death(pids: Sequence[int], seconds: float) -> list[int]:
    """Return which of `pids` still run after at most `seconds`."""
    limit = time.monotonic() + seconds
    while alive(pids) and time.monotonic() < limit:
        time.sleep(0.01)
    return alive(pids)


def await_pids(file: Path, count: int, seconds: float = 20.0) -> list[int]:
    """Return the pids that a bundle wrote into `file`, one a line, when there are `count` of them."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        lines = file.read_text(encoding="ascii").split() if file.exists() else []
        if len(lines) >= count:
            return [int(line) for line in lines]
        time.sleep(0.01)
    raise AssertionError(f"expected {count} pids in {file}, found {lines}")


def children_of(pid: int) -> list[int]:
    """Return the direct children of `pid`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            if int(stat[stat.rindex(")") + 2 :].split()[1]) == pid:
                found.append(int(entry.name))
    return found


def _state(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return stat[stat.rindex(")") + 2]


def _refuse(name: str) -> float:
    raise AssertionError(f"not strict JSON: {name}")
