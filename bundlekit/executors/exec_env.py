"""The adapter between the port that hosts know, with its contract types, and a backend that runs documents.

There is one, so that a task has one verdict whichever executor runs it.
"""

import platform
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import AggregationFailedError, BundlekitError, FileAccessError, UsageError
from bundlekit.executors.answers import failure_of, not_run
from bundlekit.executors.backend import Backend, BundleToRun
from bundlekit.executors.contract_namespace import result_types
from bundlekit.executors.contract_results import (
    Results,
    identity_of,
    replicates_of,
    simulation_document,
)
from bundlekit.executors.known_bundles import KnownBundles
from bundlekit.executors.routing import executor_for, refusal_of_process
from bundlekit.model.contracts.ports import BundleRepository
from bundlekit.model.contracts.shapes import (
    AggregationReturnShape,
    AggregationTaskShape,
    SimReturnShape,
    SimTaskShape,
)
from bundlekit.model.contracts.tasks import digest_of_reference
from bundlekit.model.digest import Digest
from bundlekit.model.grid import Placed
from bundlekit.model.outcome import Aggregated, Failure, TaskRun

__all__ = ["DEFAULT_TIMEOUT_S", "BackendExecEnv", "ExecOptions", "to_stderr"]

DEFAULT_TIMEOUT_S = 3600.0


def to_stderr(line: str) -> None:
    """Write `line` to stderr as it is: whoever searches the logs of a worker finds it at the start of a line."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


class ExecOptions(NamedTuple):
    """How an executor runs tasks, whichever it is.

    `timeout_seconds` is the deadline of one task; `env` are variables for every task, below those of its own;
    `storage_dir` takes outputs that are too large to be inline; `contracts` is the namespace whose result types are
    returned, a module perhaps; by default bundlekit's own.
    """

    timeout_seconds: float = DEFAULT_TIMEOUT_S
    env: Mapping[str, str] | None = None
    storage_dir: Path | None = None
    contracts: object = None


class BackendExecEnv:
    """Runs contract tasks on `backend`; an ExecutionEnvironment, and a context manager that shuts down at its end.

    `name` is the executor's, for messages. With `gives_fresh_process` every task gets a process of its own; without, a
    bundle that requires that is refused. The backend belongs to this object from here on.
    """

    def __init__(
        self,
        name: str,
        backend: Backend,
        bundle_repo: BundleRepository,
        options: ExecOptions,
        *,
        gives_fresh_process: bool,
    ) -> None:
        self.name = name
        self._backend = backend
        self._bundles = KnownBundles(bundle_repo)
        self._options = options
        self._gives_fresh_process = gives_fresh_process
        self._results = Results(result_types(options.contracts), _made(options.storage_dir))
        self._state = threading.Lock()
        self._is_closed = False
        self._counts = {"done": 0, "failed": 0}

    def __enter__(self) -> Self:
        """Return the executor itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Shut down."""
        self.shutdown()

    def run(self, task: SimTaskShape) -> SimReturnShape:
        """Return the result of one simulation; a failure of whatever kind is in it.

        Raises:
            UsageError: the executor was shut down.
            ContractError: the task's bundle is named by no digest, or the task has no id.
        """
        digest = digest_of_reference(task.bundle_ref)
        identity = identity_of(task, digest)
        run = self._run(lambda bundle: self._simulate(bundle, task), task.bundle_ref, digest)
        return self._results.simulated(identity, run)

    def run_aggregation(self, task: AggregationTaskShape) -> AggregationReturnShape:
        """Return the result of one aggregation.

        Raises:
            AggregationFailedError: there is no loss.
            UsageError: the executor was shut down.
            ContractError: the task's bundle is named by no digest.
        """
        digest = digest_of_reference(task.bundle_ref)
        outcome = self._run(lambda bundle: self._aggregate(bundle, task), task.bundle_ref, digest).outcome
        if isinstance(outcome, Aggregated) and outcome.n_replicates > 0:
            return self._results.aggregated(task.aggregation_id(), outcome)
        raise _aggregation_failed(task.target_entrypoint, outcome)

    def check(self, bundle_ref: str) -> Failure | None:
        """Fetch the bundle, if it is not here; return why this executor can run no task of it."""
        digest = digest_of_reference(bundle_ref)
        try:
            self._check_process(self._bundles.bundle(bundle_ref, digest))
        except RunnerError as error:
            return failure_of(error.document())
        except BundlekitError as error:
            return failure_of(RunnerError(error.code, Phase.ENVIRONMENT, error.message).document())
        return None

    def place(self, bundle_ref: str, task: Mapping[str, object]) -> Placed:
        """Return how a task went that is no contract type but a document, as those of grids are, and where.

        Raises:
            UsageError: the executor was shut down.
            ContractError: the bundle is named by no digest.
        """
        env = task.get("env")
        document = {**task, "env": {**(self._options.env or {}), **(env if isinstance(env, Mapping) else {})}}
        return self._placed(
            bundle_ref, lambda bundle: self._backend.simulate(bundle, document, self._options.timeout_seconds)
        )

    def place_aggregation(self, bundle_ref: str, target: str, sim_returns: Sequence[Mapping[str, object]]) -> Placed:
        """Return how the target function went on documents of simulations, and where.

        Raises:
            UsageError: as :meth:`place`.
            ContractError: as :meth:`place`.
        """
        return self._placed(
            bundle_ref,
            lambda bundle: self._backend.aggregate(bundle, target, sim_returns, None, self._options.timeout_seconds),
        )

    def health_check(self) -> Mapping[str, object]:
        """Return the executor's name and state, how many tasks it has run, and what the backend tells of itself."""
        with self._state:
            status = "closed" if self._is_closed else "healthy"
            counts = dict(self._counts)
        backend = {} if self._is_closed else dict(self._backend.health())
        return {
            "status": status,
            "executor": self.name,
            "tasks": counts,
            "bundles": len(self._bundles),
            "timeout_seconds": self._options.timeout_seconds,
            **backend,
        }

    def shutdown(self) -> None:
        """End everything that was started; may be called more than once."""
        with self._state:
            if self._is_closed:
                return
            self._is_closed = True
        self._backend.close()

    def _run(self, work: Callable[[BundleToRun], TaskRun], bundle_ref: str, digest: Digest) -> TaskRun:
        if self._is_closed:
            msg = f"the executor {self.name} was shut down: nothing can be run in it any more"
            raise UsageError(msg, subject=self.name)
        try:
            bundle = self._bundles.bundle(bundle_ref, digest)
            self._check_process(bundle)
            run = work(bundle)
        except RunnerError as error:
            run = not_run(failure_of(error.document()))
        except BundlekitError as error:
            run = not_run(failure_of(RunnerError(error.code, Phase.ENVIRONMENT, error.message).document()))
        failed = isinstance(run.outcome, Failure)
        with self._state:
            self._counts["failed" if failed else "done"] += 1
        return run

    def _placed(self, bundle_ref: str, work: Callable[[BundleToRun], TaskRun]) -> Placed:
        executor = self.name

        def noted(bundle: BundleToRun) -> TaskRun:
            nonlocal executor
            executor = executor_for(self.name, bundle.settings)
            return work(bundle)

        run = self._run(noted, bundle_ref, digest_of_reference(bundle_ref))
        return Placed(platform.node(), executor, self._options.timeout_seconds, run)

    def _simulate(self, bundle: BundleToRun, task: SimTaskShape) -> TaskRun:
        document = simulation_document(task, self._options.env or {}, to_stderr)
        return self._backend.simulate(bundle, document, self._options.timeout_seconds)

    def _aggregate(self, bundle: BundleToRun, task: AggregationTaskShape) -> TaskRun:
        replicates = replicates_of(task.sim_returns)
        data = None if task.target_data is None else dict(task.target_data)
        return self._backend.aggregate(
            bundle, str(task.target_entrypoint), replicates, data, self._options.timeout_seconds
        )

    def _check_process(self, bundle: BundleToRun) -> None:
        if bundle.settings.requires_fresh_process and not self._gives_fresh_process:
            raise RunnerError(ErrorCode.USAGE, Phase.TASK, refusal_of_process(self.name))


def _aggregation_failed(target: str, outcome: object) -> AggregationFailedError:
    code = outcome.error_code if isinstance(outcome, Failure) else ErrorCode.WIRE_RESULT
    reason = str(outcome) if isinstance(outcome, Failure) else "expected n_replicates above 0, found 0"
    error = AggregationFailedError(f"Aggregation failed: {target}: {reason}", subject=outcome)
    error.code = code
    return error


def _made(directory: Path | None) -> Path | None:
    """Return `directory`, which exists from now on: a result that cannot be written would be lost.

    Raises:
        FileAccessError: it cannot be made.
    """
    if directory is not None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"storage_dir: expected a directory that can be made at {directory}: {error.strerror}"
            raise FileAccessError(msg, subject=directory) from error
    return directory
