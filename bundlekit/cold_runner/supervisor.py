"""One task on a prepared bundle: a child of its own, a verdict, a document.

See: DESIGN decisions 5 to 7.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

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
from .limits import NO_LIMITS, Limits
from .memory_events import OomKills
from .output_files import OutputFiles
from .phase_limits import PhaseLimits
from .process_tree import kill_descendants
from .result import aggregation_document, simulation_document
from .runner_error import RunnerError
from .sandbox.layers import NO_SANDBOX, Sandbox
from .stderr_log import StderrLog
from .strict_json import JsonValue, loads
from .task import AggregationTask, SimulationTask, param_id
from .verdict import failure_of, with_exception

if TYPE_CHECKING:
    from .environments.writes import Write

__all__ = ["Circumstances", "Supervisor", "TaskSettings"]


class TaskSettings(NamedTuple):
    """How a task runs; `phases` say how long it may take, `outputs_dir` takes large outputs.

    `resources` are the limits of each of its processes, `sandbox` is what holds all of them.
    With `preserve` the task's files, its HOME and its TMPDIR stay, in a new directory that the log names. With
    `layered` the environment can be written to, and nothing of that stays. With `forks` the process is forked, where
    the bundle allows it, from a zygote that has imported the modules `preload` alone.
    """

    phases: PhaseLimits
    pass_env: tuple[str, ...] = ()
    task_env: Mapping[str, str] = {}
    outputs_dir: str | None = None
    tells_writes: bool = False
    preserve: bool = False
    resources: Limits = NO_LIMITS
    sandbox: Sandbox = NO_SANDBOX
    layered: bool = False
    forks: bool = False
    preload: tuple[str, ...] = ()


class Circumstances:
    """What is known of a run whether it succeeds or fails; filled in as it goes. `started_s` is unix time.

    `start` is how the process was really started, ``exec`` or ``fork``; `preload` what was loaded before the fork;
    `is_layered` whether the environment was fresh by way of a throw-away layer.
    """

    def __init__(self) -> None:
        self.pid: int | None = None
        self.started_s: float | None = None
        self.is_layered = False
        self.start = "exec"
        self.preload: tuple[str, ...] = ()
        self.writes: tuple[Write, ...] = ()
        self.tree = ""
        self.sandbox = NO_SANDBOX


class Supervisor:
    """Runs children one after the other; `scratch` is a directory that is gone when the runner ends.

    `is_idle` says that nobody waits for anything, so that an interruption is no failure.
    """

    def __init__(self, log: StderrLog, wakeups: Wakeups, scratch: str) -> None:
        self.log = log
        self.is_idle = False
        self.nursery = Nursery(log.line)
        self.overlays = Overlays(scratch)
        self.wakeups = wakeups
        self._scratch = scratch
        self._own_room = Room(scratch)
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
        document = loads(report.document or b"null")
        if not isinstance(document, dict):
            raise RunnerError(ErrorCode.WIRE_RESULT, Phase.RESULT, "the child ended without describing the object")
        described = {key: value for key, value in document.items() if key != "is_stdlib"}
        return {**described, **_origin(document, prepared, circumstances.tree)}

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
        room, preserve = self._room(settings), settings.preserve
        with (
            self._home(room, preserve=preserve) as home,
            self._layer(prepared.tree, room, preserve=preserve) as layer,
        ):
            circumstances.is_layered = self._layered(prepared.prefixes if settings.layered else ())
            if job["texts"]:
                # Where the child may read, whatever else is kept from it.
                os.link(job["texts"], os.path.join(home.home, ".sim_returns"))
                job["texts"] = os.path.join(home.home, ".sim_returns")
            job["tree"], job["site"] = layer.path, prepared.site
            circumstances.tree = layer.path
            job["environment"] = environment = child_environment(
                os.environ, home=home.home, tmp=home.tmp, pass_env=settings.pass_env, task_env=settings.task_env
            )
            job["limits"], job["sandboxed"] = settings.resources.by_name(), settings.sandbox.layers is not None
            plan = _plan(prepared, settings, environment)
            own = (os.path.dirname(home.home), layer.path, *(prepared.prefixes if settings.layered else ()))
            hold = _hold(prepared, settings, environment, own)
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

    def _layered(self, directories: Sequence[str]) -> bool:
        """Lay overlays over `directories` for one task; return whether there are any.

        Raises:
            RunnerError: E_CACHE when one cannot be mounted, though others could: nothing must be written below it.
        """
        for directory in directories:
            if self.overlays.over(directory, directory) is None:
                message = f"no throw-away layer can be mounted over {directory}: choose another cache directory"
                raise RunnerError(ErrorCode.CACHE, Phase.ENVIRONMENT, message)
        return bool(directories)

    def _home(self, room: str, *, preserve: bool) -> AbstractContextManager[Home]:
        return nullcontext(made_home(room)) if preserve else self._own_room.home()

    def _layer(self, tree: str, room: str, *, preserve: bool) -> AbstractContextManager[Layer]:
        if preserve or not is_small(tree):
            return task_layer(tree, room, preserve=preserve, overlays=self.overlays)
        return self._own_room.copy(tree)

    def make_ready(self) -> None:
        """Do between two tasks what would keep the next one waiting."""
        self.overlays.tidy()
        self._own_room.tidy()
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
        finally:
            kill_descendants(group=waiting.pid, spared=self.nursery.spared)
            waiting.close()

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
        try:
            return watch(child, report, self.log, self.wakeups, settings.phases, self.nursery.spared)
        except RunnerError as error:
            error.stderr_tail = self.log.tail()
            raise


def wire_of(prepared: Prepared) -> str:
    """Return the reference of the bundle's wire function.

    Raises:
        RunnerError: E_ENTRYPOINT when the bundle has none, or more than one.
    """
    if prepared.wire is None:
        message = prepared.wire_error or "the bundle has no wire function"
        raise RunnerError(ErrorCode.ENTRYPOINT, Phase.IMPORT, message)
    return prepared.wire.value


_AT_START = ("LD_", "LANG", "LC_", "GLIBC_", "MALLOC_", "DYLD_")
"""Variables that count while a program starts: with others than the plan's, a child of it cannot be used."""


def _plan(prepared: Prepared, settings: TaskSettings, environment: Mapping[str, str]) -> Plan:
    """Return how the child for a task is started: what tasks of one bundle have in common, so that it can be ahead."""
    common = {name: value for name, value in environment.items() if name not in settings.task_env}
    common |= {name: value for name, value in environment.items() if name.startswith(_AT_START)}
    del common["HOME"], common["TMPDIR"]
    return Plan(
        prepared.python,
        prepared.interpreter_version,
        tuple(sorted(common.items())),
        forks=settings.forks and not prepared.shadows_standard_modules,
        preload=settings.preload if settings.forks else (),
    )


def _hold(
    prepared: Prepared, settings: TaskSettings, environment: Mapping[str, str], own: Sequence[str]
) -> Callable[[], None] | None:
    """Return what puts a process into the sandbox of `settings`, with the directories `own` to write; None for none."""
    if settings.sandbox.layers is None:
        return None
    from .sandbox.confinement import holder  # noqa: PLC0415 - most tasks run without a sandbox

    # What a task brings itself must not open what the sandbox keeps shut.
    passed = {name: value for name, value in environment.items() if name not in settings.task_env}
    return holder(settings.sandbox.layers, prepared.python, prepared.dependency_site, passed, own)


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


def _origin(document: Mapping[str, JsonValue], prepared: Prepared, tree: str) -> dict[str, object]:
    file = document["file"]
    places = (("tree", tree), ("installed", prepared.site), ("dependency", prepared.dependency_site))
    for origin, directory in places:
        if isinstance(file, str) and file.startswith(os.path.join(directory, "")):
            relative = os.path.relpath(file, directory) if origin == "tree" else None
            return {"origin": origin, "relative": relative}
    return {"origin": "stdlib" if document["is_stdlib"] else "unknown", "relative": None}
