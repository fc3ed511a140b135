"""The workers of a cluster side by side, each as its own ``bundlekit doctor`` tells."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from distributed import Client, Worker

import bundlekit
from bundlekit.cluster.dask_plugin import WorkerState, worker_state
from bundlekit.errors import UsageError
from bundlekit.model.documents.doctor import (
    ClusterDocument,
    DifferenceOfWorkersDocument,
    DoctorDocument,
    WorkerDocument,
)

__all__ = ["cluster_diagnosis"]

_DOCTOR_S = 120.0
_COMMON: tuple[tuple[str, Callable[[DoctorDocument], object]], ...] = (
    ("executor", lambda found: found["executor"]),
    ("Python", lambda found: found["python"]["version"]),
    ("bundlekit", lambda found: found["bundlekit"]["digest"]),
    ("runner", lambda found: found["bundlekit"]["runner_digest"]),
    ("installer", lambda found: found["uv"]["installer"]),
    ("sandbox", lambda found: found["sandbox"]["level"]),
    ("bundle source", lambda found: found["bundle_source"]),
)
"""What workers should have in common, so that a task's result does not depend on who ran it."""


class _Told(NamedTuple):
    """What a worker tells of itself: `text` is its document, or whatever its doctor said instead of one."""

    name: str
    state: WorkerState
    text: str


def cluster_diagnosis(scheduler: str, timeout_s: float) -> ClusterDocument:
    """Return what every worker of the cluster at the address `scheduler` tells of itself.

    Raises:
        UsageError: nobody answers there within `timeout_s`.
    """
    try:
        with Client(scheduler, timeout=timeout_s, set_as_default=False) as client:
            told: Mapping[str, _Told | Exception] = client.run(_tell, on_error="return")
    except (OSError, ValueError) as error:
        msg = f"no Dask scheduler answers at {scheduler}: {error}"
        raise UsageError(msg, subject=scheduler, hint="expected an address such as tcp://host:8786") from error
    workers = [_worker(address, answer) for address, answer in sorted(told.items())]
    problems = [f"{each['address']}: {each['problem']}" for each in workers if each["problem"]]
    problems += [
        f"{each['address']}: {problem}"
        for each in workers
        if each["diagnosis"] is not None
        for problem in each["diagnosis"]["problems"]
    ]
    if not workers:
        problems.append("the cluster has no worker")
    return {
        "schema": "bundlekit/doctor-cluster/1",
        "passed": not problems,
        "scheduler": scheduler,
        "workers": workers,
        "differences": list(_differences(workers)),
        "problems": problems,
    }


async def _tell(dask_worker: Worker) -> _Told:
    """Run the doctor in a process of its own, with the worker's variables: it starts processes, and takes seconds."""
    here = str(Path(bundlekit.__file__).parent.parent)
    path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-P", "-m", "bundlekit", "doctor", "--output", "json"],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        check=False,
        timeout=_DOCTOR_S,
    )
    return _Told(str(dask_worker.name), worker_state(dask_worker), done.stdout or done.stderr)


def _worker(address: str, told: _Told | Exception) -> WorkerDocument:
    if not isinstance(told, _Told):
        said = f"{type(told).__name__}: {told}"
        return {"address": address, "name": address, "runtime": None, "problem": said, "diagnosis": None}
    diagnosis = None
    problem = told.state.problem
    try:
        diagnosis = _diagnosis(told.text)
    except ValueError:
        problem = problem or f"its doctor told no document: {told.text[-500:]}"
    return {
        "address": address,
        "name": told.name,
        "runtime": told.state.executor,
        "problem": problem,
        "diagnosis": diagnosis,
    }


def _diagnosis(text: str) -> DoctorDocument:
    document: DoctorDocument = json.loads(text)
    return document


def _differences(workers: Sequence[WorkerDocument]) -> Iterator[DifferenceOfWorkersDocument]:
    for what, value_of in _COMMON:
        values: dict[str, list[str]] = {}
        for worker in workers:
            if worker["diagnosis"] is not None:
                values.setdefault(str(value_of(worker["diagnosis"])), []).append(worker["address"])
        if len(values) > 1:
            yield {"what": what, "values": values}
