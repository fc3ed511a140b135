"""Tasks on a Dask cluster: submitted under keys of their full identity, gathered as one verdict each.

The client says what is to run, never how: executors are the workers' own business (DESIGN decision 11).
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TypeVar

from distributed import Client, Future, wait
from distributed.scheduler import KilledWorker

from bundlekit.cluster.dask_plugin import TOPIC, ModelOpsWorkerPlugin, WorkerState, worker_state
from bundlekit.cluster.task_verdicts import verdict_without_result
from bundlekit.cluster.worker_tasks import Aggregation, aggregate, simulate
from bundlekit.cold_runner import strict_json
from bundlekit.errors import AggregationFailedError, BundlekitError, UsageError, WorkerNotReadyError
from bundlekit.executors.contract_namespace import aggregation_as, result_types, simulation_as
from bundlekit.executors.contract_results import identity_of
from bundlekit.model.contracts import AggregationReturn, SimReturn
from bundlekit.model.contracts.shapes import AggregationReturnShape, SimReturnShape, SimTaskShape
from bundlekit.model.contracts.tasks import ReplicateSet, digest_of_reference
from bundlekit.model.digest import Digest

__all__ = ["READY_TIMEOUT_S", "DaskSimulationService"]

ResultT = TypeVar("ResultT")

READY_TIMEOUT_S = 60.0
_PAUSE_S = 0.1
_SIMULATE = "simulate-"


class DaskSimulationService:
    """Runs contract tasks on the workers of `client`'s cluster, which it makes ready first.

    `contracts` is the namespace whose result types :meth:`gather` returns; workers need not have it, and a future that
    is asked for its result by itself has bundlekit's own.

    Raises:
        ContractError: `contracts` lacks one of the types.
        WorkerNotReadyError: no worker, or one that could not make its executor, within `ready_timeout_s`; the message
            has each worker's own error. Methods that submit raise it too, when such a worker joins later.
    """

    def __init__(self, client: Client, *, ready_timeout_s: float = READY_TIMEOUT_S, contracts: object = None) -> None:
        self._client = client
        self._types = None if contracts is None else result_types(contracts)
        self._broken: dict[str, str] = {}
        client.subscribe_topic(TOPIC, self._note)
        # The first worker's error alone would be raised here: all of them are asked for theirs.
        with suppress(BundlekitError):
            client.register_plugin(ModelOpsWorkerPlugin())
        self._executors = self.wait_until_ready(ready_timeout_s)

    @property
    def executors(self) -> Mapping[str, str]:
        """The executor of each worker by the worker's address, as they were when they were last asked."""
        return dict(self._executors)

    def wait_until_ready(self, timeout_s: float) -> dict[str, str]:
        """Return each worker's executor, once there is a worker and every one has told.

        Raises:
            WorkerNotReadyError: see the class.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            states = self._states()
            broken = {address: state.problem for address, state in states.items() if state.problem is not None}
            if broken:
                raise _not_ready(broken)
            executors = {address: state.executor for address, state in states.items() if state.executor is not None}
            if executors and len(executors) == len(states):
                self._executors = executors
                return executors
            if time.monotonic() > deadline:
                waiting = sorted(set(states) - set(executors))
                raise _too_late(waiting, timeout_s)
            time.sleep(_PAUSE_S)

    @property
    def refused(self) -> Mapping[str, str]:
        """Workers that joined and could not make their executor, each with its own error; they get no tasks."""
        return dict(self._broken)

    def submit(self, task: SimTaskShape) -> "Future[SimReturnShape]":
        """Start one simulation; two tasks share a result only if they are the same in everything that decides it."""
        self._check()
        return self._client.submit(simulate, task, key=_key_of(task))

    def submit_batch(self, tasks: Iterable[SimTaskShape]) -> "list[Future[SimReturnShape]]":
        """Start many simulations at once, in the order of `tasks`."""
        self._check()
        listed = list(tasks)
        return self._client.map(simulate, listed, key=[_key_of(task) for task in listed])

    def submit_replicate_set(self, replicates: ReplicateSet) -> "list[Future[SimReturnShape]]":
        """Start the simulations of a replicate set, in the order of their seeds."""
        return self.submit_batch(replicates.tasks())

    def submit_batch_with_aggregation(
        self,
        tasks: Iterable[SimTaskShape],
        target_entrypoint: str,
        target_data: Mapping[str, object] | None = None,
    ) -> "Future[AggregationReturnShape]":
        """Start simulations of one bundle, and the target function on their results once all of them have ended.

        Raises:
            UsageError: there are no tasks, or they are not all of one bundle.
        """
        listed = list(tasks)
        digests = {digest_of_reference(task.bundle_ref) for task in listed}
        if len(digests) != 1:
            msg = f"expected simulations of one bundle for an aggregation, found those of {len(digests)}"
            raise UsageError(msg, subject=sorted(digests))
        futures = self.submit_batch(listed)
        aggregation = Aggregation(listed[0].bundle_ref, target_entrypoint, target_data)
        identity = [*digests, target_entrypoint, target_data, [str(each.key) for each in futures]]
        return self._client.submit(aggregate, aggregation, futures, key=f"aggregate-{_hash(identity)}")

    def gather(self, futures: "Sequence[Future[ResultT]]") -> list[ResultT | SimReturnShape | AggregationReturnShape]:
        """Return what came of each future, in their order; waits for all of them.

        A simulation has a verdict whatever became of it: one whose workers died, or that was cancelled, has an error.

        Raises:
            AggregationFailedError: an aggregation gave no loss.
            WorkerNotReadyError: a task met a worker without an executor.
        """
        with self._client.as_current(), suppress(CancelledError):
            wait(list(futures))
        done = [each for each in futures if each.status == "finished"]
        results = dict(zip((each.key for each in done), self._client.gather(done), strict=True))
        gathered = [results[each.key] if each.key in results else _without_result(each) for each in futures]
        return [self._as_types(each) for each in gathered]

    def cancel(self, futures: "Sequence[Future[ResultT]]") -> None:
        """Let go of tasks, those that run included, whoever else waits for them."""
        self._client.cancel(list(futures), force=True)

    def close(self) -> None:
        """Stop listening to workers; the client, the plugin and the tasks are left as they are."""
        self._client.unsubscribe_topic(TOPIC)

    def _as_types(self, result: ResultT | SimReturn) -> ResultT | SimReturnShape | AggregationReturnShape:
        """Return `result` as one of the types that were asked for: whoever did expects those, whatever the future's."""
        if self._types is None:
            return result
        if isinstance(result, SimReturn):
            return simulation_as(self._types, result)
        return aggregation_as(self._types, result) if isinstance(result, AggregationReturn) else result

    def _note(self, event: tuple[float, Mapping[str, str]]) -> None:
        told = event[1]
        self._broken[told["worker"]] = told["problem"]

    def _check(self) -> None:
        """Raise what workers that joined later have told, as long as they are there."""
        if self._broken:
            there = self._states()
            self._broken = {address: problem for address, problem in self._broken.items() if address in there}
        if self._broken:
            raise _not_ready(self._broken)

    def _states(self) -> dict[str, WorkerState]:
        """Return each worker's state; a worker that went away meanwhile has none."""
        answers: dict[str, WorkerState | Exception] = self._client.run(worker_state, on_error="return")
        states = {}
        for address, answer in answers.items():
            if isinstance(answer, WorkerState):
                states[address] = answer
            elif not isinstance(answer, OSError):
                states[address] = WorkerState(problem=f"{type(answer).__name__}: {answer}")
        return states


def _key_of(task: SimTaskShape) -> str:
    """Return the key of a task: its identity, and what else can change its outcome without being part of that."""
    digest = digest_of_reference(task.bundle_ref)
    identity = Digest.parse(identity_of(task, digest)).hex
    more = {"env": dict(task.env or {}), "config": dict(task.config or {})}
    return f"{_SIMULATE}{identity}{f'-{_hash(more)}' if task.env or task.config else ''}"


def _hash(value: object) -> str:
    return Digest.of(strict_json.dumps(value).encode("utf-8", "backslashreplace")).hex


def _without_result(future: "Future[ResultT]") -> SimReturn:
    error = CancelledError() if future.cancelled() else future.exception()
    key = str(future.key)
    if isinstance(error, KilledWorker) and not key.startswith(_SIMULATE):
        msg = f"Aggregation failed: workers died while they ran it: {error}"
        raise AggregationFailedError(msg, subject=key) from error
    if not key.startswith(_SIMULATE):
        raise error
    return verdict_without_result(f"sha256:{key.removeprefix(_SIMULATE)[:64]}", error)


def _not_ready(broken: Mapping[str, str]) -> WorkerNotReadyError:
    told = "".join(f"\n  {address}: {problem}" for address, problem in sorted(broken.items()))
    count = "a worker" if len(broken) == 1 else f"{len(broken)} workers"
    return WorkerNotReadyError(
        f"{count} cannot run tasks:{told}",
        subject=dict(broken),
        hint="mend their environment variables, and start them anew; `bundlekit doctor --scheduler` shows them all",
    )


def _too_late(waiting: Sequence[str], timeout_s: float) -> WorkerNotReadyError:
    told = f"no answer from {', '.join(waiting)}" if waiting else "the cluster has no worker"
    return WorkerNotReadyError(
        f"no worker was ready within {timeout_s:g} s: {told}",
        subject=tuple(waiting),
        hint="start a worker with `dask worker ADDRESS`, or give it more time",
    )
