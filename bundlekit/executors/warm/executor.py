"""The backend isolated_warm: tasks of any bundles, each in one of the long-lived processes of a pool.

What a task means and what its end means is the cold runner's word, so that it has the outcome that it would have there,
unless its bundle leaks state: nothing is restored between two tasks of a process.

See: DESIGN decision 7.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.environments.tree_digest import inventory_digest
from bundlekit.cold_runner.keeper import START
from bundlekit.cold_runner.limits import LIMIT_KEYS, NO_LIMITS, Limits
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import InternalError
from bundlekit.executors.answers import error_of, failure_of
from bundlekit.executors.backend import BundleToRun, RunSettings
from bundlekit.executors.closing import Closing
from bundlekit.executors.cold import ColdExecutor, ColdOptions
from bundlekit.executors.interruption import interrupted_by
from bundlekit.executors.warm.pool import ProcessKey, WarmLimits, WarmPool
from bundlekit.executors.warm.process import NotBegunError, WarmProcess
from bundlekit.executors.warm.work import Aggregation, Simulation, Work
from bundlekit.model.outcome import Aggregated, Failure, Prepared, Simulated, TaskRun

__all__ = ["WarmExecutor", "WarmOptions", "start_request"]

_TRIES = 3
"""A process that died before it began can be replaced; that a few do so one after the other is no accident."""


class WarmOptions(NamedTuple):
    """How to prepare and run: as ColdOptions, and how long processes are kept; what is open, a bundle's settings say.

    `limits` hold for each process, before those of the bundle; cpu-s counts anew for each task. `sandbox`, `network`
    and `keep_symbols` are as in ColdOptions; the memory of a process can be read from outside in any sandbox.
    """

    python: str | None = None
    limits: Limits = NO_LIMITS
    pass_env: tuple[str, ...] = ()
    environment_timeout_s: float = 1800.0
    outputs_dir: Path | None = None
    cache_dir: Path | None = None
    pool: WarmLimits = WarmLimits()
    sandbox: str = "off"
    network: bool = False
    keep_symbols: bool = False

    def within(self, own: RunSettings) -> "WarmOptions":
        """Return these options with what a bundle's own settings leave open, or add."""
        held = own.below(RunSettings(self.python, self.pass_env, self.limits, self.network))
        return self._replace(python=held.python, pass_env=held.pass_env, limits=held.limits, network=held.network)


class WarmExecutor(Closing):
    """Runs tasks of any bundles in long-lived processes; any number of threads may use it.

    Whatever bundle code left in a process (globals, static state, files, variables) is there for its next task.
    """

    def __init__(self, options: WarmOptions, log: Callable[[str], None]) -> None:
        self._options = options
        self._log = log
        self._pool = WarmPool(options.pool, log)
        self._changing = threading.Lock()
        self._preparing: dict[str, threading.Lock] = {}
        self._prepared: dict[str, str | None] = {}

    def close(self) -> None:
        """End all processes, and the tasks that run in them; may be called more than once."""
        self._pool.close()

    def health(self) -> Mapping[str, object]:
        """Return what is known of the processes."""
        return {
            "type": "isolated_warm",
            "status": "closed" if self._pool.is_closed else "healthy",
            "processes": self._pool.counts(),
            **self._options.pool._asdict(),
        }

    def prepare(self, bundle: BundleToRun) -> Failure | None:
        """Build, or find ready, the environment and the bundle's code; return why none of its tasks can be run."""
        try:
            wire_error = self._made_ready(bundle, bundle.digest or _own_digest(bundle))
        except RunnerError as error:
            return failure_of(error.document())
        if wire_error is not None:
            return failure_of(RunnerError(ErrorCode.ENTRYPOINT, Phase.IMPORT, wire_error).document())
        return None

    def simulate(self, bundle: BundleToRun, task: Mapping[str, object], timeout_s: float) -> TaskRun:
        """Run the wire function once, on a task with the keys entrypoint, params, seed, and perhaps outputs and env.

        Raises:
            UsageError: the executor is closed.
            InternalError: the process that starts processes is gone, and another cannot be started.
        """
        return self._run(lambda: Simulation(task, self._log, self._options.outputs_dir), bundle, timeout_s)

    def aggregate(
        self,
        bundle: BundleToRun,
        target: str,
        sim_returns: Sequence[Mapping[str, object]],
        target_data: object,
        timeout_s: float,
    ) -> TaskRun:
        """Run the target function once on `sim_returns`, whose inline data is base64 here and bytes for the target.

        Raises:
            UsageError: as :meth:`simulate`.
            InternalError: as :meth:`simulate`.
        """
        return self._run(lambda: Aggregation(target, sim_returns, target_data, self._log), bundle, timeout_s)

    def _run(self, parse: Callable[[], Work], bundle: BundleToRun, timeout_s: float) -> TaskRun:
        started = time.monotonic()
        used: list[WarmProcess] = []
        outcome: Simulated | Aggregated | Failure
        try:
            outcome = self._done(parse(), bundle, timeout_s, used)
        except RunnerError as error:
            is_ours = error.code is ErrorCode.KILLED and self._pool.is_closed
            outcome = failure_of((_interrupted() if is_ours else error).document())
        except InternalError:
            if not self._pool.is_closed:
                raise
            outcome = failure_of(_interrupted().document())
        seconds = time.monotonic() - started
        if not used:
            return TaskRun(outcome, None, seconds, (), "off")
        return TaskRun(outcome, used[-1].pid, seconds, (), used[-1].sandbox, used[-1].born_s)

    def _done(
        self, work: Work, bundle: BundleToRun, timeout_s: float, used: list[WarmProcess]
    ) -> Simulated | Aggregated:
        key = ProcessKey(bundle.digest or _own_digest(bundle), work.variables)
        for _ in range(_TRIES):
            try:
                with self._pool.lent(key, lambda: self._request(bundle, key)) as process:
                    used.append(process)
                    with interrupted_by(process.interrupt):
                        return self._called(work, process, time.monotonic() + timeout_s)
            except NotBegunError:
                continue
        message = "processes for this task ended before they began it, several times"
        raise RunnerError(ErrorCode.KILLED, Phase.IMPORT, message)

    def _called(self, work: Work, process: WarmProcess, deadline: float) -> Simulated | Aggregated:
        if work.needs_wire and process.wire_error is not None:
            raise RunnerError(ErrorCode.ENTRYPOINT, Phase.IMPORT, process.wire_error)
        self._log(f"Child process PID {process.pid}: {work.announced}")
        return work.outcome(process.call(work.method, work.params(process.digest), deadline), process.digest)

    def _request(self, bundle: BundleToRun, key: ProcessKey) -> Mapping[str, object]:
        """Return what the keeper starts a process from, once the environment is ready."""
        self._made_ready(bundle, key.digest)
        return start_request(bundle, key, self._options_for(bundle))

    def _made_ready(self, bundle: BundleToRun, digest: str) -> str | None:
        """Have environment and code made ready, once; return why the bundle has no wire function, if it has none."""
        with self._changing:
            lock = self._preparing.setdefault(digest, threading.Lock())
        with lock:
            if digest not in self._prepared:
                self._prepared[digest] = self._prepare(bundle).wire_error
            return self._prepared[digest]

    def _prepare(self, bundle: BundleToRun) -> Prepared:
        """Have environment and code made ready, by a process of its own: the keeper must not wait for it."""
        options = self._options_for(bundle)
        cold = ColdOptions(
            python=options.python,
            pass_env=options.pass_env,
            environment_timeout_s=options.environment_timeout_s,
            cache_dir=options.cache_dir,
            keep_symbols=options.keep_symbols,
        )
        with ColdExecutor(bundle, cold, self._log) as preparing:
            prepared = preparing.prepare()
        if isinstance(prepared, Failure):
            raise error_of(prepared)
        return prepared

    def _options_for(self, bundle: BundleToRun) -> WarmOptions:
        return self._options.within(bundle.settings)


def start_request(bundle: BundleToRun, key: ProcessKey, options: WarmOptions) -> Mapping[str, object]:
    """Return what the keeper starts a process from, on an environment that is ready."""
    return {
        "verb": START,
        "bundle": {
            "path": str(bundle.path.resolve()),
            "digest": key.digest,
            "files": [[each.path, each.mode, each.size, each.sha256] for each in bundle.files],
        },
        "python": options.python,
        "cache_dir": None if options.cache_dir is None else str(options.cache_dir.resolve()),
        "timeout_s": options.environment_timeout_s,
        "pass_env": list(options.pass_env),
        "env": dict(key.variables),
        "sandbox": options.sandbox,
        "network": options.network,
        "keep_symbols": options.keep_symbols,
        "limits": dict(zip(LIMIT_KEYS, options.limits, strict=True)),
    }


def _own_digest(bundle: BundleToRun) -> str:
    return inventory_digest([(each.path, each.mode, each.size, each.sha256) for each in bundle.files])


def _interrupted() -> RunnerError:
    return RunnerError(ErrorCode.INTERRUPTED, Phase.CALL, "the executor was closed before the task was done")
