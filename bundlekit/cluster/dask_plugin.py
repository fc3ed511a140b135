"""The plugin that makes a Dask worker run tasks: without arguments, so that nothing of the client can get into it.

It is set up in the worker, from the worker's own variables; what becomes of that is kept for whoever asks (DESIGN
decision 11). A worker whose plugin cannot be set up says so in its log and to the scheduler, and takes no tasks.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from dask.typing import Key
from distributed import Reschedule, Worker, WorkerPlugin, get_worker
from distributed.core import Status

from bundlekit.cluster.environments import make_environment, make_repository
from bundlekit.cluster.runtime_config import RuntimeConfig
from bundlekit.cluster.worker_log import start_worker_log
from bundlekit.errors import BundlekitError, WorkerNotReadyError
from bundlekit.executors.exec_env import BackendExecEnv
from bundlekit.executors.interruption import Interruption

__all__ = [
    "PLUGIN_NAME",
    "TOPIC",
    "ModelOpsWorkerPlugin",
    "WorkerState",
    "interruptible",
    "refuse_tasks_here",
    "worker_state",
]

PLUGIN_NAME = "bundlekit-runtime"
TOPIC = "bundlekit-runtime"
"""What workers that are not ready tell the scheduler is published under this name."""
_RUNNING = ("executing", "long-running")
_LOG = logging.getLogger(__name__)


class WorkerState(NamedTuple):
    """A worker as its plugin sees it: the executor that it made, or why there is none; neither before the set-up."""

    executor: str | None = None
    problem: str | None = None


class ModelOpsWorkerPlugin(WorkerPlugin):
    """Gives each worker the executor that its own environment variables ask for."""

    name = PLUGIN_NAME
    # Registered again by another client, it would be torn down under the tasks of the first one.
    idempotent = True

    def __init__(self) -> None:
        self.state = WorkerState()
        self.environment: BackendExecEnv | None = None
        self.running: dict[Key, Interruption] = {}
        self.is_ending = False

    def setup(self, worker: Worker) -> None:
        """Read the variables and make the executor.

        Raises:
            BundlekitError: the variables cannot be used, or the executor cannot be made.
        """
        try:
            config = RuntimeConfig.from_env()
            start_worker_log(config.log_level)
            self.environment = make_environment(config, make_repository(config))
        except BundlekitError as error:
            _LOG.error("ModelOps runtime NOT initialized on worker %s: %s", worker.id, error.message)
            self.refuse_tasks(worker, error.message)
            raise
        self.state = WorkerState(executor=config.executor_type.value)
        _LOG.info("ModelOps runtime initialized on worker %s", worker.id)
        _LOG.info("Executor: %s", config.executor_type)
        _LOG.info("Fresh venv for each process: %s", "yes" if config.force_fresh_venv else "no")
        _LOG.info("Bundles: %s", config.bundles_dir or config.bundle_source)

    def refuse_tasks(self, worker: Worker, problem: str) -> None:
        """Tell the scheduler, and who listens, that this worker can run no tasks; it gets none any more.

        The scheduler takes it for one that is paused. What it has been given by then goes back as it begins, for which
        the worker itself must not be paused: it would keep that.
        """
        self.state = WorkerState(problem=problem)
        worker.log_event(TOPIC, {"worker": worker.address, "problem": problem})
        stimulus = f"{PLUGIN_NAME}-refuses-{time.time()}"
        message = {"op": "worker-status-change", "status": Status.paused.name, "stimulus_id": stimulus}
        worker.loop.add_callback(worker.batched_send, message)

    def transition(self, key: Key, start: str, finish: str, **_more: object) -> None:
        """End what a task runs that was cancelled: Dask itself would wait for it, and then throw its result away."""
        interruption = self.running.get(key)
        if interruption is not None and start in _RUNNING and finish == "released":
            _LOG.info("Cancelled: %s", key)
            # Signals and locks of other threads are nothing for the event loop to wait for.
            threading.Thread(target=interruption.interrupt, daemon=True).start()

    def teardown(self, worker: Worker) -> None:
        """End everything that was started for tasks; those that run are for other workers."""
        self.is_ending = True
        if self.environment is not None:
            self.environment.shutdown()
            self.environment = None
            _LOG.info("ModelOps runtime ended on worker %s", worker.id)


def refuse_tasks_here(problem: str) -> Reschedule:
    """Have the worker that this task runs in get no tasks any more; return what the task raises to go elsewhere."""
    worker = get_worker()
    plugin = worker.plugins.get(PLUGIN_NAME)
    if isinstance(plugin, ModelOpsWorkerPlugin):
        _LOG.error("Worker %s takes no tasks any more: %s", worker.id, problem)
        plugin.refuse_tasks(worker, problem)
    return Reschedule()


def worker_state(dask_worker: Worker) -> WorkerState:
    """Return the state of the worker that this runs in; Dask gives the argument by its name."""
    plugin = dask_worker.plugins.get(PLUGIN_NAME)
    return plugin.state if isinstance(plugin, ModelOpsWorkerPlugin) else WorkerState()


@contextmanager
def interruptible() -> Iterator[BackendExecEnv]:
    """Yield the executor of the worker that this task runs in; when Dask cancels the task, what it runs is ended.

    Raises:
        WorkerNotReadyError: this worker has no plugin.
        Reschedule: the task was cancelled, or this worker ends or could not make its executor; whoever still waits for
            the task gets it from another run.
    """
    worker = get_worker()
    plugin = worker.plugins.get(PLUGIN_NAME)
    if not isinstance(plugin, ModelOpsWorkerPlugin):
        msg = f"worker {worker.address} cannot run tasks: its plugin was not set up, or is gone"
        raise WorkerNotReadyError(msg, subject=worker.address)
    if plugin.is_ending or plugin.environment is None:
        raise Reschedule
    key = worker.get_current_task()
    interruption = plugin.running[key] = Interruption()
    try:
        with interruption.allowed():
            yield plugin.environment
    finally:
        plugin.running.pop(key, None)
        if interruption.is_interrupted or plugin.is_ending:
            raise Reschedule
