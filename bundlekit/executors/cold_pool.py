"""Several tasks at once: as many supervisors as there are to be, each of which runs one task after the other."""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from bundlekit.errors import InternalError
from bundlekit.executors.closing import Closing
from bundlekit.executors.cold import BundleToRun, ColdExecutor, ColdOptions
from bundlekit.model.outcome import Failure, Prepared, TaskRun

__all__ = ["ColdPool"]


class ColdPool(Closing):
    """Runs tasks of one bundle, `size` at once, each in a process of its own; any number of threads may use it.

    A caller waits for its turn. A supervisor that has died fails the task it had, and is replaced.
    """

    def __init__(self, bundle: BundleToRun, options: ColdOptions, log: Callable[[str], None], size: int) -> None:
        self._bundle, self._options, self._log = bundle, options, log
        self._free: queue.LifoQueue[ColdExecutor] = queue.LifoQueue()
        self._size = size
        self._living: set[ColdExecutor] = set()
        self._lock, self._preparing = threading.Lock(), threading.Lock()
        self._is_abandoned = False
        with ExitStack() as made:
            for _ in range(size):
                self._free.put(made.enter_context(self._new()))
            made.pop_all()

    def close(self) -> None:
        """End all supervisors, once the tasks that run have ended; nothing can be run afterwards."""
        for _ in range(self._size):
            self._free.get().close()
        self._size = 0

    def abandon(self) -> None:
        """End all supervisors now, with the tasks that run; those who wait for one get InternalError."""
        with self._lock:
            self._is_abandoned = True
            for executor in self._living:
                executor.interrupt()

    def prepare(self) -> Prepared | Failure:
        """Build, or find ready, the environment and the bundle's code, for each supervisor: no task waits for it."""
        # One at a time: two callers would wait for each other's halves.
        with self._preparing, ExitStack() as lent:
            executors = [lent.enter_context(self._lent()) for _ in range(self._size)]
            prepared = executors[0].prepare()
            for executor in executors[1:]:
                if not isinstance(prepared, Failure):
                    executor.prepare()
            return prepared

    def simulate(self, task: Mapping[str, object], timeout_s: float, *, hash_seed: int = 0) -> TaskRun:
        """Run the wire function once, in a process whose PYTHONHASHSEED is `hash_seed`.

        Raises:
            InternalError: the supervisor of this task ended without an answer.
        """
        with self._lent() as executor:
            return executor.simulate(task, timeout_s, hash_seed=hash_seed)

    def aggregate(self, target: str, sim_returns: Sequence[Mapping[str, object]], timeout_s: float) -> TaskRun:
        """Run the target function once.

        Raises:
            InternalError: as :meth:`simulate`.
        """
        with self._lent() as executor:
            return executor.aggregate(target, sim_returns, timeout_s)

    def _new(self) -> ColdExecutor:
        executor = ColdExecutor(self._bundle, self._options, self._log)
        self._living.add(executor)
        return executor

    def _replaced(self, executor: ColdExecutor) -> ColdExecutor:
        """Return a supervisor for one that has died, which stays where all are to end."""
        executor.close()
        with self._lock:
            self._living.discard(executor)
            return executor if self._is_abandoned else self._new()

    @contextmanager
    def _lent(self) -> Iterator[ColdExecutor]:
        executor = self._free.get()
        if self._is_abandoned:
            self._free.put(executor)
            raise InternalError("the pool was abandoned: nothing is run any more")
        try:
            yield executor
        except InternalError:
            executor = self._replaced(executor)
            raise
        finally:
            self._free.put(executor)
