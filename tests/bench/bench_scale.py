"""Prints what a grid on a Dask cluster costs for each task, worker and bundle: processor time, messages, bytes, memory.

Run it as ``python tests/bench/bench_scale.py [--tasks N] [--workers N ...] [--executor NAME]``. Scheduler and workers
are processes of this machine, so that tasks a second say what two processors do, and not what a cluster would. What can
be carried over to one is what the scheduler, the client and a worker spend for a task, in processor time, messages and
bytes: those are counted by the kernel for each process and connection, whatever else the machine does.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))
from builders.clusters import BundleHome, scheduler, wait_for, worker, worker_variables
from builders.projects import write_tree
from distributed import Client

from bundlekit.api.grid_runs import GridWatcher
from bundlekit.api.grids import GridOptions, run_grid
from bundlekit.model.digest import Digest

_WIRE = "def wire(entrypoint, params, seed):\n    return {'table': b'x' * 2000}\n"
_TICKS = os.sysconf("SC_CLK_TCK")


class _Counted(NamedTuple):
    """What has been spent by now: seconds of processor time, messages and bytes of the scheduler's connections."""

    scheduler_s: float
    workers_s: float
    client_s: float
    messages: int
    batches: int
    received: int
    sent: int
    transitions: int

    def per(self, before: "_Counted", tasks: int) -> "_Counted":
        """Return what was spent since `before`, for each of so many tasks."""
        return _Counted(*((now - then) / tasks for now, then in zip(self, before, strict=True)))


def main(tasks: int, workers: list[int], executor: str) -> None:
    """Print a line for each number of workers."""
    print(f"{tasks} tasks, executor {executor}, {len(os.sched_getaffinity(0))} processors")
    for count in workers:
        with tempfile.TemporaryDirectory(prefix="bundlekit-bench-") as scratch:
            _measure(Path(scratch), tasks, count, executor)


def _measure(root: Path, tasks: int, workers: int, executor: str) -> None:
    home, bundle = _home(root)
    variables = {**worker_variables(home, executor), "VENVS_DIR": str(root / "venvs")}
    spec = root / "grid.json"
    with ExitStack() as running:
        address = running.enter_context(scheduler(root))
        processes = [
            running.enter_context(_worker(address, root / f"w{number}.log", variables)) for number in range(workers)
        ]
        client = running.enter_context(Client(address, set_as_default=False))
        wait_for(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == workers, 60 + 3 * workers)
        # The first grid has every worker fetch the bundle and start what it keeps.
        _grid(spec, workers * 4, bundle, address)
        pids = [client.run_on_scheduler(os.getpid), *(process for process in processes)]
        before = _counted(client, pids)
        began = time.monotonic()
        outcome_s = _grid(spec, tasks, bundle, address)
        seconds = time.monotonic() - began
        after = _counted(client, pids)
        memory = {pid: _memory_mib(pid) for pid in pids}
    each = after.per(before, tasks)
    print(
        f"{workers} workers: {tasks / outcome_s:.0f} tasks a second here, {seconds - outcome_s:.1f} s before and after"
    )
    print(
        f"  processor ms a task  scheduler {1e3 * each.scheduler_s:6.3f}  client {1e3 * each.client_s:6.3f}  "
        f"worker {1e3 * each.workers_s:6.3f} (with what it spends while it waits)"
    )
    print(
        f"  scheduler, a task    {each.messages:.1f} messages in {each.batches:.2f} batches, {each.transitions:.1f} "
        f"transitions, {each.received:.0f} bytes in, {each.sent:.0f} bytes out"
    )
    print(
        f"  MiB at most          scheduler {memory[pids[0]]:.0f}, worker {max(memory[pid] for pid in pids[1:]):.0f}, "
        f"client {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"
    )
    print(
        f"  a million of them    scheduler {1e6 * each.scheduler_s / 60:.0f} min, client "
        f"{1e6 * each.client_s / 60:.0f} min, {each.received / 1e3:.1f} GB in, {each.sent / 1e3:.1f} GB out",
        flush=True,
    )


def _home(root: Path) -> tuple[BundleHome, Path]:
    bundle = write_tree(
        root / "bundles" / "small", {"manifest.json": json.dumps({"name": "small", "version": "1"}), "wire.py": _WIRE}
    )
    return BundleHome(root / "bundles", Digest.of(b"")), bundle


@contextmanager
def _worker(address: str, log: Path, variables: Mapping[str, str]) -> Iterator[int]:
    """Yield the pid of a worker without a nanny: the process that talks to the scheduler."""
    options = ("--no-nanny", "--nthreads", "1", "--memory-limit", "0")
    with worker(address, log, variables, *options) as running:
        yield running.process.pid


def _grid(spec: Path, tasks: int, bundle: Path, address: str) -> float:
    """Run so many tasks and return the seconds that passed while they ran."""
    spec.write_text(json.dumps({"entrypoint": "main", "params": [{"beta": 0.1}], "seeds": list(range(tasks))}))
    results = spec.with_name(f"results-{tasks}.json")
    results.unlink(missing_ok=True)
    watcher = GridWatcher(lambda _step: None, lambda _tally: None, print)
    outcome = run_grid(bundle, GridOptions(spec, scheduler=address, results=results), watcher)
    if outcome.exit_status != 0:
        raise SystemExit(f"a task failed: {[row for row in outcome.rows if row.error_code][:3]}")
    return outcome.tally.seconds


def _counted(client: Client, pids: list[int]) -> _Counted:
    own = resource.getrusage(resource.RUSAGE_SELF)
    told: dict[str, int] = client.run_on_scheduler(_connections)
    return _Counted(
        _processor_s(pids[0]), sum(_processor_s(pid) for pid in pids[1:]), own.ru_utime + own.ru_stime, **told
    )


def _connections(dask_scheduler: Any) -> dict[str, int]:  # noqa: ANN401 - an object of Dask's, in its own process
    """Return what the scheduler has sent and received, told by the kernel (struct tcp_info) and by its own streams."""
    import os  # noqa: PLC0415 - runs in the scheduler
    import socket  # noqa: PLC0415 - as above
    import struct  # noqa: PLC0415 - as above

    sent = received = 0
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - as above
        try:
            with socket.socket(fileno=os.dup(int(name))) as copy:
                info = copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
        except OSError:
            continue
        acknowledged, got = struct.unpack_from("QQ", info, 120)
        sent, received = sent + acknowledged, received + got
    streams = [*dask_scheduler.stream_comms.values(), *dask_scheduler.client_comms.values()]
    return {
        "messages": sum(each.message_count for each in streams),
        "batches": sum(each.batch_count for each in streams),
        "received": received,
        "sent": sent,
        "transitions": dask_scheduler.transition_counter,
    }


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--executor", default="isolated_warm")
    arguments = parser.parse_args()
    main(arguments.tasks, arguments.workers, arguments.executor)
