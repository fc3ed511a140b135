"""One task on a prepared bundle: a child of its own, a verdict, a document.

See: DESIGN decisions 5 to 7.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from .child.job import Job, empty_job, order
from .child.nursery import Nursery
from .child.process import Child, Ending, Wakeups, watch
from .child.report import ChildReport
from .child.starting import Plan, Waiting, started
from .codes import ErrorCode, Phase
from .environments.bundle_code import Prepared
from .environments.layer import Layer, is_small, task_layer
from .environments.overlay import Overlays
from .environments.room import Home, Room, made_home, made_private
from .environments.scrubbed_environment import child_environment
from .environments.tree_removal import discard_tree
from .memory_events import OomKills
from .memory_use import MemoryWatch
from .output_files import OutputFiles
from .process_tree import kill_descendants
from .result import aggregation_document, simulation_document
from .runner_error import RunnerError
from .shared_objects import SharedObjects
from .start_plan import holder_of, plan_of
from .stderr_log import StderrLog
from .task import AggregationTask, SimulationTask, param_id
from .task_settings import Circumstances, TaskSettings
from .verdict import failure_of, with_exception

__all__ = ["Supervisor"]


class Supervisor:
    """Runs children one after the other; `scratch` is a directory that is gone when the runner ends.

    `is_idle` says that nobody waits for anything, so that an interruption is no failure.
    """

    def __init__(self, log: StderrLog, wakeups: Wakeups, scratch: str) -> None:
        self.log = log
        self.is_idle = False
        self.nursery = Nursery(log.line)
        self.overlays = Overlays(scratch, self.nursery.clear)
        self.shared_objects = SharedObjects(scratch, self.nursery.clear)
        self._laid: tuple[str, ...] = ()
        self.wakeups = wakeups
        self._scratch = scratch
        self._own_room = Room(scratch)
        self._nowhere = os.path.join(scratch, "nowhere")
        self._oom_kills = OomKills()

    def simulate(
        self, prepared: Prepared, task: SimulationTask, settings: TaskSettings, circumstances: Circumstances
    ) -> dict[str, object]:
        """Call the wire function once and return its document.

        Raises:
            RunnerError: whatever went wrong, with the phase in which it did.
        """
        job = empty_job("simulate", wire_of(prepared))
        job["entrypoint"], job["params"], job["seed"] = task.entrypoint, dict(task.params), task.seed
        settings = settings._replace(task_env={**settings.task_env, **task.env})
        announced = f"Starting simulation {param_id(task.params)[:8]}-seed{task.seed}"
        with _output_files(settings.outputs_dir) as files:
            report = self._run(prepared, job, settings, circumstances, announced, files=files)
            return simulation_document(task, prepared.digest, report.outputs, settings.outputs_dir)

    def aggregate(
        self, prepared: Prepared, task: AggregationTask, settings: TaskSettings, circumstances: Circumstances
    ) -> dict[str, object]:
        """Call the target function once and return its document.

        Raises:
            RunnerError: as :meth:`simulate`.
        """
        job = empty_job("target", task.target_entrypoint)
        job["sim_returns"] = [dict(each) for each in task.sim_returns]
        job["target_data"], job["texts"] = task.target_data, task.texts or ""
        announced = f"Starting aggregation {task.target_entrypoint}"
        report = self._run(prepared, job, settings, circumstances, announced)
        return aggregation_document(report.document or b"")

    def probe(
        self, prepared: Prepared, reference: str | None, settings: TaskSettings, circumstances: Circumstances
    ) -> dict[str, object]:
        """Import `reference` (the wire function when None) and return what it is.

        Raises:
            RunnerError: as :meth:`simulate`.
        """
        job = empty_job("probe", reference or wire_of(prepared))
        settings = settings._replace(preserve=False)
        report = self._run(prepared, job, settings, circumstances, f"Importing {job['reference']}")
        from .probed_object import description_of  # noqa: PLC0415 - tasks do without it

        return description_of(report.document or b"null", prepared, circumstances.tree)

    def _run(
        self,
        prepared: Prepared,
        job: Job,
        settings: TaskSettings,
        circumstances: Circumstances,
        announced: str,
        *,
        files: OutputFiles | None = None,
    ) -> ChildReport:
        report = ChildReport(files)
        self.shared_objects.begin()
        room, preserve = self._room(settings), settings.preserve
        self._lay_over(prepared.prefixes if settings.layered else ())
        circumstances.is_layered = settings.layered
        with (
            self._home(room, preserve=preserve) as home,
            self._layer(prepared.tree, room, preserve=preserve) as layer,
        ):
            if job["texts"]:
                # Where the child may read, whatever else is kept from it.
                os.link(job["texts"], os.path.join(home.home, ".sim_returns"))
                job["texts"] = os.path.join(home.home, ".sim_returns")
            job["tree"], job["site"] = layer.path, prepared.site
            circumstances.tree = layer.path
            job["environment"] = environment = child_environment(
                os.environ,
                home=home.home,
                tmp=home.tmp,
                pass_env=settings.pass_env,
                task_env=settings.task_env,
                hash_seed=settings.hash_seed,
            )
            job["limits"], job["sandboxed"] = settings.resources.by_name(), settings.sandbox.layers is not None
            plan = plan_of(prepared, settings, {**environment, "HOME": self._nowhere, "TMPDIR": self._nowhere})
            own = (os.path.dirname(home.home), layer.path, *(prepared.prefixes if settings.layered else ()))
            hold = holder_of(prepared, settings, environment, own)
            with self._begun(plan, order(job, plan.version), circumstances, hold) as child:
                ending = self._watched(child, report, settings, circumstances, announced)
            if settings.tells_writes:
                circumstances.writes = layer.writes()
        if ending.status != 0:
            # Code that ends like that may have reached for the processes that wait.
            self.nursery.clear()
        failure = failure_of(report, ending, self._oom_kills)
        if failure is not None:
            failure.stderr_tail = with_exception(self.log.tail(), failure.stderr_tail)
            raise failure
        return report

    def _lay_over(self, directories: tuple[str, ...]) -> None:
        """Have overlays over `directories`, and no others, for one task; they may lie there already.

        Raises:
            RunnerError: E_CACHE when one cannot be mounted, though others could: nothing must be written below it.
        """
        if directories == self._laid:
            return
        # What was started ahead has run what an interpreter runs at its start, and that was not in these.
        self.nursery.clear()
        self.overlays.tidy()
        self._laid = ()
        for directory in directories:
            if self.overlays.over(directory, directory) is None:
                message = f"no throw-away layer can be mounted over {directory}: choose another cache directory"
                raise RunnerError(ErrorCode.CACHE, Phase.ENVIRONMENT, message)
        self._laid = directories

    def _home(self, room: str, *, preserve: bool) -> AbstractContextManager[Home]:
        return nullcontext(made_home(room)) if preserve else self._own_room.home()

    def _layer(self, tree: str, room: str, *, preserve: bool) -> AbstractContextManager[Layer]:
        if preserve or not is_small(tree):
            return task_layer(tree, room, preserve=preserve, overlays=self.overlays)
        return self._own_room.copy(tree)

    def make_ready(self) -> None:
        """Do between two tasks what would keep the next one waiting."""
        self.shared_objects.tidy()
        self.overlays.tidy()
        self._own_room.tidy()
        discard_tree(self._nowhere)
        if not all(self.overlays.over(directory, directory) for directory in self._laid):
            self._laid = ()  # the next task that needs them tells
        self.nursery.refill()

    @contextmanager
    def _begun(
        self, plan: Plan, job: bytes, circumstances: Circumstances, hold: Callable[[], None] | None
    ) -> Iterator[Child]:
        """Start a child on a job; our ends are closed and its tree killed afterwards."""
        waiting = self._taken(plan, job, hold)
        if waiting.is_forked:
            circumstances.start, circumstances.preload = "fork", plan.preload
        try:
            yield Child(waiting.pid, waiting.result, waiting.stderr)
        except BaseException:
            # Whoever watched it to its end has seen to this.
            kill_descendants(group=waiting.pid, spared=self.nursery.spared)
            raise
        finally:
            waiting.close()
            # A task may have stopped the guardian, which could not answer then; it wakes us in the same way.
            with suppress(OSError):
                os.kill(os.getppid(), signal.SIGCONT)

    def _taken(self, plan: Plan, job: bytes, hold: Callable[[], None] | None) -> Waiting:
        if hold is not None:
            # It is held to one task's directories from its first instruction on: no child is that was started ahead.
            waiting = started(plan, hold)
            waiting.begin(job)
            return waiting
        waiting = self.nursery.take(plan)
        try:
            waiting.begin(job)
        except BrokenPipeError:
            # It was kept ready and has died since; one that was started now has not.
            waiting.close()
            self.nursery.clear()
            waiting = self.nursery.take(plan)
            waiting.begin(job)
        return waiting

    def kill_strays(self) -> None:
        """Kill whatever is below this process and is not kept ready for a task."""
        kill_descendants(spared=self.nursery.spared)

    def scratch_file(self, name: str) -> str:
        """Return a path for a file of ours that is gone when the runner ends.

        Raises:
            RunnerError: E_IO when there is no room for it.
        """
        return os.path.join(self.scratch_directory(), name)

    def scratch_directory(self) -> str:
        """Return a directory of ours that is gone when the runner ends.

        Raises:
            RunnerError: as :meth:`scratch_file`.
        """
        self.check_room()
        made_private(self._scratch)
        return self._scratch

    def check_room(self) -> None:
        """Refuse to begin where TMPDIR is no directory: installers would only fail later, each in its own words.

        Raises:
            RunnerError: E_IO, with the directory.
        """
        parent = os.path.dirname(self._scratch)
        if not os.path.isdir(parent):
            message = f"expected a directory for temporary files at {parent} (TMPDIR), found none"
            raise RunnerError(ErrorCode.IO, Phase.ENVIRONMENT, message)

    def _room(self, settings: TaskSettings) -> str:
        """Return the directory for what the task may write."""
        if not settings.preserve:
            return self._scratch
        room = os.path.join(os.path.dirname(self._scratch), f"bundlekit-kept-{os.urandom(16).hex()}")
        # Before the task starts: whatever becomes of it and of us, the files stay.
        self.log.line(f"PRESERVE_TMP: what the task writes stays in {room}")
        return room

    def _watched(
        self,
        child: Child,
        report: ChildReport,
        settings: TaskSettings,
        circumstances: Circumstances,
        announced: str,
    ) -> Ending:
        circumstances.pid, circumstances.started_s = child.pid, time.time()
        self._oom_kills.begin()
        self.log.begin()
        # For the child and before anything of it can be read, so that the line is whole and first.
        self.log.line(f"Child process PID {child.pid}: {announced}")
        spared = self.nursery.spared
        memory = MemoryWatch(spared, wanted=settings.measured)
        try:
            return watch(child, report, self.log, self.wakeups, settings.phases, spared, memory)
        except RunnerError as error:
            error.stderr_tail = self.log.tail()
            raise
        finally:
            circumstances.memory = memory.document()


def wire_of(prepared: Prepared) -> str:
    """Return the reference of the bundle's wire function.

    Raises:
        RunnerError: E_ENTRYPOINT when the bundle has none, or more than one.
    """
    if prepared.wire is None:
        message = prepared.wire_error or "the bundle has no wire function"
        raise RunnerError(ErrorCode.ENTRYPOINT, Phase.IMPORT, message)
    return prepared.wire.value


@contextmanager
def _output_files(directory: str | None) -> Iterator[OutputFiles | None]:
    if directory is None:
        yield None
        return
    files = OutputFiles(directory)
    try:
        yield files
    finally:
        files.discard()
