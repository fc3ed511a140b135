"""Tasks of a grid on a Dask cluster: handed out many at once, their results brought back many at once.

A grid's tasks are documents, with params of any shape, and each is run for this grid alone: no result of another run
with the same key counts, or two rows would tell of one process.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, NamedTuple

from distributed import Client, Future, Worker

from bundlekit import __version__
from bundlekit.cluster.dask_plugin import PLUGIN_NAME, ModelOpsWorkerPlugin
from bundlekit.cluster.worker_tasks import brief, evaluate, place, place_briefly
from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.executors.answers import failure_of
from bundlekit.model.digest import Digest
from bundlekit.model.outcome import Failure

if TYPE_CHECKING:
    from bundlekit.model.grid import Placed

__all__ = ["GridTasks", "HandedOut"]

_FIRST = 1
"""The priority of what frees outputs, over 0 for what makes more of them."""


class HandedOut(NamedTuple):
    """A task on the cluster: `told` is how it went, `outputs` the same with the bytes of its outputs, if they stay."""

    told: "Future[Placed]"
    outputs: "Future[Placed] | None" = None


class GridTasks:
    """Runs tasks of the bundle with that digest on the workers of a cluster that a DaskSimulationService made ready."""

    def __init__(self, client: Client, bundle: Digest) -> None:
        self._client = client
        self._bundle = bundle
        self._name = os.urandom(8).hex()
        self._count = 0

    @property
    def threads(self) -> int:
        """How many tasks all workers run at once."""
        return sum(self._client.nthreads().values())

    def obstacles(self, version: str = __version__) -> dict[str, Failure]:
        """Have every worker fetch the bundle, and return why those that can run no task of it cannot, by address.

        A worker with another `version` of bundlekit is one of those: results are of one version.
        """
        answers: Mapping[str, Failure | Exception | None] = self._client.run(
            _obstacle, self._bundle, version, on_error="return"
        )
        return {
            address: answer if isinstance(answer, Failure) else _no_answer(answer)
            for address, answer in answers.items()
            # A worker that went away meanwhile is no obstacle.
            if answer is not None and not isinstance(answer, OSError)
        }

    def submit(self, documents: Sequence[Mapping[str, object]], *, keeps_outputs: bool) -> list[HandedOut]:
        """Start tasks, with one message for all of them."""
        bundles = [self._bundle] * len(documents)
        if not keeps_outputs:
            keys = self._keys("grid", len(documents))
            return [HandedOut(told) for told in self._client.map(place_briefly, bundles, documents, key=keys)]
        outputs = self._client.map(place, bundles, documents, key=self._keys("gridoutputs", len(documents)))
        told = self._client.map(brief, outputs, key=self._keys("grid", len(documents)), priority=_FIRST)
        return [HandedOut(*each) for each in zip(told, outputs, strict=True)]

    def evaluate(self, target: str, replicates: "Sequence[Future[Placed]]") -> HandedOut:
        """Start a target function on outputs, which do not leave the cluster."""
        [key] = self._keys("gridloss", 1)
        return HandedOut(
            self._client.submit(evaluate, self._bundle, target, list(replicates), key=key, priority=_FIRST)
        )

    def gather(self, futures: "Sequence[Future[Placed]]") -> "list[Placed | BaseException]":
        """Return what came of futures that are done, with one message for all of them."""
        finished = {number: future for number, future in enumerate(futures) if future.status == "finished"}
        # Without any it would ask all the same, a scheduler perhaps that has gone.
        found: Mapping[int, Placed | None] = self._client.gather(finished, errors="skip") if finished else {}
        return [found.get(number) or _reason(future) for number, future in enumerate(futures)]

    def cancel(self, futures: "Sequence[Future[Placed]]") -> None:
        """Let go of tasks, those that run included."""
        self._client.cancel(list(futures), force=True)

    def _keys(self, prefix: str, count: int) -> list[str]:
        first, self._count = self._count, self._count + count
        return [f"{prefix}-{self._name}-{number}" for number in range(first, first + count)]


def _no_answer(error: Exception) -> Failure:
    message = f"{type(error).__name__}: {error}"
    return failure_of(RunnerError(ErrorCode.INTERNAL, Phase.ENVIRONMENT, message).document())


def _reason(future: "Future[Placed]") -> BaseException:
    return (None if future.cancelled() else future.exception()) or CancelledError()


async def _obstacle(bundle_ref: str, version: str, dask_worker: Worker) -> Failure | None:
    if version != __version__:
        message = f"it has bundlekit {__version__}, and the grid is run with {version}: install the same"
        return failure_of(RunnerError(ErrorCode.USAGE, Phase.ENVIRONMENT, message).document())
    plugin = dask_worker.plugins.get(PLUGIN_NAME)
    environment = plugin.environment if isinstance(plugin, ModelOpsWorkerPlugin) else None
    # A worker that has none is refused by its plugin, or ends.
    return None if environment is None else await asyncio.to_thread(environment.check, bundle_ref)
