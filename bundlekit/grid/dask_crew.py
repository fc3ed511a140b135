"""The crew of a Dask cluster: its workers run tasks as they were told by their own variables.

Needs Dask, the extra ``bundlekit[dask]``.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress

from distributed import Client

from bundlekit.cluster.dask_service import DaskSimulationService
from bundlekit.cluster.grid_tasks import GridTasks, HandedOut
from bundlekit.cluster.task_verdicts import failure_without_result
from bundlekit.errors import ClusterLostError, UsageError
from bundlekit.executors.answers import failure_of, not_run
from bundlekit.grid.workers import Pending
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Obstacle
from bundlekit.model.grid import GridTask, Placed

__all__ = ["DaskCrew", "dask_crew"]

_CONNECT_S = 30.0
_ASK_AGAIN_S = 5.0
"""How old what is known of the cluster's size may be."""
_LAST_RESULTS_S = 5.0
"""How long results that are there are still brought back once the crew is abandoned."""
_GATHERED = 1000
"""So many results are brought back with one message, at most."""


class _Handed(Future[Placed]):
    """A task that was handed out, answered by the thread that brings results back."""

    def __init__(self, out: HandedOut) -> None:
        super().__init__()
        self.out = out


class DaskCrew:
    """Hands tasks to the workers that `service` has made ready; `warn` hears of workers that join and can run none."""

    def __init__(self, service: DaskSimulationService, tasks: GridTasks, warn: Callable[[str], None]) -> None:
        self.executor = ", ".join(sorted(set(service.executors.values())))
        self._service, self._tasks, self._warn = service, tasks, warn
        self._warned: set[str] = set()
        self._size, self._asked_s = max(1, tasks.threads), time.monotonic()
        self._open: set[_Handed] = set()
        self._is_abandoned = False
        self._done: queue.SimpleQueue[_Handed | None] = queue.SimpleQueue()
        self._bringing = threading.Thread(target=self._bring_back, name="bundlekit-grid-results", daemon=True)
        self._bringing.start()
        self._last_call = threading.Timer(
            _LAST_RESULTS_S, lambda: self._cancel([each.out for each in tuple(self._open)])
        )
        self._last_call.daemon = True

    @property
    def size(self) -> int:
        """See Crew; asked for anew every few seconds."""
        if time.monotonic() - self._asked_s > _ASK_AGAIN_S:
            self._asked_s = time.monotonic()
            # A cluster that is gone is told of by the tasks that it had.
            with suppress(OSError):
                self._size = max(1, self._tasks.threads)
            self.warn_of_refused()
        return self._size

    def prepare(self) -> Obstacle | None:
        """See Crew: every worker has the bundle from now on; each builds its environment with its first task."""
        found = self._tasks.obstacles()
        if not found:
            return None
        told = "".join(f"\n  {address}: {failure}" for address, failure in sorted(found.items()))
        first = next(iter(found.values()))
        count = "a worker" if len(found) == 1 else f"{len(found)} workers"
        hint = "every worker needs the bundle: push it to their registry, or pack it into their MODELOPS_BUNDLES_DIR"
        return Obstacle(first.error_code, f"{count} can run no task of the bundle:{told}", hint)

    def submit(self, tasks: Sequence[GridTask], *, for_targets: bool) -> Sequence[Pending]:
        """See Crew."""
        handed_out = self._tasks.submit([each.document for each in tasks], keeps_outputs=for_targets)
        return [self._handed(out) for out in handed_out]

    def aggregate(self, target: str, replicates: Sequence[Pending]) -> Pending:
        """See Crew."""
        outputs = [each.out.outputs for each in replicates if isinstance(each, _Handed)]
        return self._handed(self._tasks.evaluate(target, [each for each in outputs if each is not None]))

    def abandon(self) -> None:
        """See Crew."""
        self._is_abandoned = True
        self._cancel([each.out for each in tuple(self._open) if not each.out.told.done()])
        # A result whose worker died before it was brought back would be waited for until somebody runs it again.
        self._last_call.start()

    def warn_of_refused(self) -> None:
        """Tell of workers that joined and could not make their executor, each once."""
        for address, problem in self._service.refused.items():
            if address not in self._warned:
                self._warned.add(address)
                self._warn(f"warning: worker {address} cannot run tasks, so it gets none: {problem}")

    def close(self) -> None:
        """Let go of the thread that brings results back."""
        self._done.put(None)
        self._bringing.join()
        self._last_call.cancel()

    def _cancel(self, left: Sequence[HandedOut]) -> None:
        futures = [future for out in left for future in out if future is not None]
        if futures:
            self._tasks.cancel(futures)

    def _handed(self, out: HandedOut) -> _Handed:
        handed = _Handed(out)
        self._open.add(handed)
        out.told.add_done_callback(lambda _future: self._done.put(handed))
        return handed

    def _bring_back(self) -> None:
        while (first := self._done.get()) is not None:
            batch = [first, *self._more()]
            answers: list[Placed | BaseException]
            try:
                answers = self._tasks.gather([each.out.told for each in batch])
            except OSError:
                answers = [CancelledError() for _ in batch]
            except Exception as error:  # noqa: BLE001 - workers' pickles: the loop raises it, where it waits for this thread
                answers = [error] * len(batch)
            for handed, answer in zip(batch, answers, strict=True):
                self._open.discard(handed)
                # What is still asked for when its worker dies would be run again.
                handed.out.told.release()
                self._answer(handed, answer)

    def _more(self) -> Iterator[_Handed]:
        """Yield what else is done by now."""
        for _ in range(_GATHERED - 1):
            try:
                handed = self._done.get_nowait()
            except queue.Empty:
                return
            if handed is None:
                self._done.put(None)
                return
            yield handed

    def _answer(self, handed: _Handed, answer: Placed | BaseException) -> None:
        if isinstance(answer, Placed):
            handed.set_result(answer)
        elif isinstance(answer, CancelledError) and self._is_abandoned:
            handed.cancel()
        elif isinstance(answer, CancelledError):
            msg = "the Dask cluster is gone: its scheduler closed, or was started anew"
            handed.set_exception(ClusterLostError(msg, hint="the same command goes on with what is left"))
        elif (failure := failure_without_result(answer)) is not None:
            handed.set_result(Placed("", "none", 0.0, not_run(failure_of(failure.document()))))
        else:
            handed.set_exception(answer)


@contextmanager
def dask_crew(scheduler: str, bundle: Digest, warn: Callable[[str], None]) -> Iterator[DaskCrew]:
    """Give the crew of the cluster at the address `scheduler`; what is left of its tasks is cancelled at the end.

    Raises:
        UsageError: nobody answers there.
        WorkerNotReadyError: no worker, or one that cannot make its executor.
    """
    # What it has to say of a cluster that goes away is in our own error, without its traces.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client = Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        msg = f"no Dask scheduler answers at {scheduler}: {error}"
        raise UsageError(msg, subject=scheduler, hint="expected an address such as tcp://host:8786") from error
    with client:
        service = DaskSimulationService(client)
        crew = DaskCrew(service, GridTasks(client, bundle), warn)
        try:
            yield crew
        finally:
            crew.close()
            crew.warn_of_refused()
            service.close()
