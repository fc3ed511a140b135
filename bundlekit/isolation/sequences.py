"""Sequences of tasks, each in one fresh warm process: nothing restored, nothing reused, no restart in the middle.

What a task means and what its end means is the executor isolated_warm's word; there is no pool between it and us.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner import strict_json
from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.executors.answers import failure_of
from bundlekit.executors.backend import BundleToRun
from bundlekit.executors.closing import Closing
from bundlekit.executors.warm.executor import WarmOptions, start_request
from bundlekit.executors.warm.keeper import Keeper
from bundlekit.executors.warm.pool import ProcessKey
from bundlekit.executors.warm.process import NotBegunError, WarmProcess
from bundlekit.executors.warm.work import Simulation
from bundlekit.isolation.watching import WatchedProcess
from bundlekit.model.digest import Digest
from bundlekit.model.grid import GridTask
from bundlekit.model.outcome import Failure, Simulated, TaskRun

__all__ = ["Between", "Ran", "Sequences"]

Between = Callable[[WatchedProcess], None]
"""Is called when the bundle is imported, and again after each task: it may look at the process, or write its memory."""

_ASK_TIMEOUT_S = 60.0
_ENDED = "the process ended by itself, after the task before had given its result"


class Ran(NamedTuple):
    """What became of the tasks of one process, in order; fewer than were asked for where it ended before.

    `is_whole` says that all of them were run, or that the last one ended the process. `sandbox` is what held.
    """

    runs: tuple[TaskRun, ...]
    is_whole: bool
    sandbox: str


class Sequences(Closing):
    """Runs sequences of tasks of one bundle, whose environment is ready. Any number of threads may use it.

    Raises:
        RunnerError: from any method but :meth:`close`: no process can be started.
        InternalError: likewise: what starts processes is gone, or was closed.
    """

    def __init__(self, bundle: BundleToRun, digest: Digest, options: WarmOptions, log: Callable[[str], None]) -> None:
        self._bundle, self._digest, self._options = bundle, digest, options.within(bundle.settings)
        self._log = log
        self._keeper = Keeper(log)
        self._starting = threading.Lock()

    def close(self) -> None:
        """End all processes, with the tasks that run in them; may be called more than once."""
        self._keeper.close()

    def run(
        self, tasks: Sequence[GridTask], timeouts: Callable[[], float | None], between: Between | None = None
    ) -> Ran:
        """Run `tasks` one after the other, all of which have the same variables.

        `timeouts` is asked before each how many seconds it may take; None ends the sequence there.
        """
        works = [Simulation(task.document, self._log, self._options.outputs_dir) for task in tasks]
        process = self._started(works[0].variables)
        try:
            return self._ran(process, works, timeouts, between)
        finally:
            if not process.is_gone:
                process.interrupt()
            process.close()

    def _started(self, variables: tuple[tuple[str, str], ...]) -> WarmProcess:
        request = start_request(self._bundle, ProcessKey(self._digest, variables), self._options)
        with self._starting:
            return WarmProcess(self._keeper.start(request), self._keeper)

    def _ran(
        self,
        process: WarmProcess,
        works: Sequence[Simulation],
        timeouts: Callable[[], float | None],
        between: Between | None,
    ) -> Ran:
        if process.wire_error is not None:
            raise RunnerError(ErrorCode.ENTRYPOINT, Phase.IMPORT, process.wire_error)
        watched = _Watched(process)
        if between is not None:
            watched.ask("import", {})
            between(watched)
        runs: list[TaskRun] = []
        for work in works:
            # One that did not survive being looked at says nothing of the tasks.
            timeout_s = None if process.is_gone else timeouts()
            if timeout_s is None:
                return Ran(tuple(runs), is_whole=False, sandbox=process.sandbox)
            runs.append(_called(process, work, timeout_s))
            if process.is_spent or process.is_gone:
                break
            if between is not None:
                between(watched)
        return Ran(tuple(runs), is_whole=True, sandbox=process.sandbox)


class _Watched:
    """A warm process between two tasks, as those who look at it have it."""

    def __init__(self, process: WarmProcess) -> None:
        self._process = process
        self.pid = process.pid
        self.code = Path(process.site)
        self.tree = Path(process.tree)

    def ask(self, method: str, params: Mapping[str, object]) -> Mapping[str, object]:
        """Return the child's answer to a call that runs no task.

        Raises:
            RunnerError: the call failed there.
        """
        try:
            return self._process.call(method, strict_json.dumps(params), time.monotonic() + _ASK_TIMEOUT_S)
        except NotBegunError:
            raise RunnerError(ErrorCode.WIRE_EXIT, Phase.EXIT, _ENDED) from None


def _called(process: WarmProcess, work: Simulation, timeout_s: float) -> TaskRun:
    started = time.monotonic()
    outcome: Simulated | Failure
    try:
        result = process.call(work.method, work.params(process.digest), started + timeout_s)
        outcome = work.outcome(result, process.digest)
    except NotBegunError:
        outcome = failure_of(RunnerError(ErrorCode.WIRE_EXIT, Phase.EXIT, _ENDED).document())
    except RunnerError as error:
        outcome = failure_of(error.document())
    return TaskRun(outcome, process.pid, time.monotonic() - started, (), process.sandbox)
