"""Dask clusters for tests: a scheduler of their own, and workers that are processes with their own variables."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from builders.projects import write_tree
from project_checkout import PROJECT

from bundlekit.model.contracts import SimTask, UniqueParameterSet
from bundlekit.model.contracts.parameters import Scalar
from bundlekit.model.digest import Digest
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest
from bundlekit.read.project import read_project

__all__ = [
    "BundleHome",
    "WorkerProcess",
    "alive",
    "bundle_home",
    "noted_pids",
    "scheduler",
    "wait_for",
    "worker",
    "worker_variables",
]

_WIRE = '''\
import json
import os
import signal
import time


def family():
    """Return the pids of this process, its supervisor and its guardian."""
    pid, found = os.getpid(), []
    for _ in range(3):
        found.append(pid)
        with open(f"/proc/{pid}/stat") as file:
            pid = int(file.read().rpartition(")")[2].split()[1])
    return found


def wire(entrypoint, params, seed):
    if "pids" in params:
        with open(params["pids"], "a") as file:
            file.write("".join(f"{pid}\\n" for pid in family()))
    time.sleep(params.get("sleep", 0))
    while not os.path.exists(params.get("until", "/")):
        time.sleep(0.05)
    ending = params.get("ending")
    if ending == "signal":
        os.kill(os.getpid(), signal.SIGSEGV)
    if ending == "exit":
        os._exit(3)
    if ending == "memory":
        bytearray(1 << 30)
    if ending == "raise":
        raise ValueError("no such model")
    answer = {"x": params.get("x"), "seed": seed, "colour": os.environ.get("COLOUR")}
    return {"answer": json.dumps(answer).encode(), "pid": str(os.getpid()).encode()}
'''
_TARGETS = """\
import json


def mean(sim_returns):
    values = [json.loads(each["outputs"]["answer"]["inline"])["x"] for each in sim_returns]
    return {"loss": sum(values) / len(values), "diagnostics": {"n": len(values)}}
"""


class BundleHome(NamedTuple):
    """A directory of bundles, as MODELOPS_BUNDLES_DIR names it, and the digest of the one in it."""

    directory: Path
    digest: Digest

    def task(self, seed: int = 0, *, env: Mapping[str, str] | None = None, **params: Scalar) -> SimTask:
        """Return a task of the bundle."""
        return SimTask(self.digest, "main", UniqueParameterSet(params), seed, env=env)


class WorkerProcess(NamedTuple):
    """A ``dask worker`` and the file that has what it printed."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def lines(self) -> list[str]:
        """Return what it has printed."""
        return self.log.read_text(encoding="utf-8").splitlines()


def bundle_home(directory: Path) -> BundleHome:
    """Write a directory with a bundle whose tasks do what their params say."""
    bundle = directory / "bundles" / "obedient"
    named = json.dumps({"name": "obedient", "version": "1.0"})
    write_tree(bundle, {"manifest.json": named, "wire.py": _WIRE, "scores/means.py": _TARGETS})
    project = read_project(bundle)
    return BundleHome(directory / "bundles", manifest_digest(manifest_of(project, hash_tree(bundle, project.members))))


def worker_variables(home: BundleHome, executor: str = "cold") -> dict[str, str]:
    """Return the variables of a worker that is as it should be."""
    return {
        "MODELOPS_EXECUTOR_TYPE": executor,
        "MODELOPS_BUNDLE_SOURCE": "file",
        "MODELOPS_BUNDLES_DIR": str(home.directory),
        "MODELOPS_STORAGE_DIR": str(home.directory.parent / "results"),
        "PYTHONPATH": str(PROJECT),
    }


@contextmanager
def scheduler(directory: Path) -> Iterator[str]:
    """Run ``dask scheduler`` and yield its address."""
    place = directory / "scheduler.json"
    command = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(place)]
    with _dask(command, directory / "scheduler.log", {"PYTHONPATH": str(PROJECT)}):
        wait_for(lambda: place.exists() and place.read_text(encoding="utf-8").endswith("}"), 30)
        address: str = json.loads(place.read_text(encoding="utf-8"))["address"]
        yield address


@contextmanager
def worker(address: str, log: Path, variables: Mapping[str, str], *options: str) -> Iterator[WorkerProcess]:
    """Run ``dask worker`` with `variables` besides this process's own, none of which is a worker's."""
    command = ["worker", address, "--no-dashboard", "--nthreads", "2", "--name", log.stem, *options]
    with _dask(command, log, variables) as process:
        yield WorkerProcess(process, log)


@contextmanager
def _dask(arguments: list[str], log: Path, variables: Mapping[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    own = {name: value for name, value in os.environ.items() if not name.startswith("MODELOPS_")}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            cwd=log.parent,
            env={**own, **variables},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until `condition` holds; the test fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def noted_pids(file: Path) -> list[int]:
    """Return the pids of the processes that tasks with the param `pids` ran in, and of those that watched them."""
    return [int(line) for line in file.read_text(encoding="utf-8").split()] if file.exists() else []


def alive(pids: list[int]) -> list[int]:
    """Return those of `pids` that are processes, and no zombies."""
    return [pid for pid in pids if _state(pid) not in ("", "Z", "X")]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
