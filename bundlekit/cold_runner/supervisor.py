"""One task on a prepared bundle: a child of its own, a verdict, a document.

See: DESIGN decisions 5 to 7.
"""

import errno
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from .child.job import Job, command, packed
from .child.process import Child, Ending, Wakeups, spawned, watch
from .child.report import ChildReport
from .codes import ErrorCode, Phase
from .environments.bundle_code import Prepared
from .environments.layer import Write, task_layer
from .environments.scrubbed_environment import child_environment
from .environments.tree_removal import remove_tree
from .memory_events import OomKills
from .output_files import OutputFiles
from .phase_limits import PhaseLimits
from .result import aggregation_document, simulation_document
from .runner_error import RunnerError
from .stderr_log import StderrLog
from .strict_json import JsonValue, loads
from .task import AggregationTask, SimulationTask, param_id
from .verdict import failure_of, with_exception

__all__ = ["Circumstances", "Supervisor", "TaskSettings"]


class TaskSettings(NamedTuple):
    """How a task runs; `phases` say how long it may take, `outputs_dir` takes large outputs.

    With `preserve` the task's files, its HOME and its TMPDIR stay, in a new directory that the log names.
    """

    phases: PhaseLimits
    pass_env: tuple[str, ...] = ()
    task_env: Mapping[str, str] = {}
    outputs_dir: str | None = None
    tells_writes: bool = False
    preserve: bool = False


class Circumstances:
    """What is known of a run whether it succeeds or fails; filled in as it goes. `started_s` is unix time."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.started_s: float | None = None
        self.writes: tuple[Write, ...] = ()
        self.tree = ""


class Supervisor:
    """Runs children one after the other; `scratch` is a directory that is gone when the runner ends.

    `is_idle` says that nobody waits for anything, so that an interruption is no failure.
    """

    def __init__(self, log: StderrLog, wakeups: Wakeups, scratch: str) -> None:
        self.log = log
        self.is_idle = False
        self._wakeups = wakeups
        self._scratch = scratch
        self._oom_kills = OomKills()

    def simulate(
        self, prepared: Prepared, task: SimulationTask, settings: TaskSettings, circumstances: Circumstances
    ) -> dict[str, object]:
        """Call the wire function once and return its document.

        Raises:
            RunnerError: whatever went wrong, with the phase in which it did.
        """
        job = _job("simulate", wire_of(prepared))
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
        job = _job("target", task.target_entrypoint)
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
        job = _job("probe", reference or wire_of(prepared))
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
            _scratch_home(room, preserve=preserve) as (home, tmp),
            task_layer(prepared.tree, room, preserve=preserve) as layer,
        ):
            if job["texts"]:
                # Where the child may read, whatever else is kept from it.
                os.link(job["texts"], os.path.join(home, ".sim_returns"))
                job["texts"] = os.path.join(home, ".sim_returns")
            job["tree"], job["site"] = layer.path, prepared.site
            circumstances.tree = layer.path
            environment = child_environment(
                os.environ, home=home, tmp=tmp, pass_env=settings.pass_env, task_env=settings.task_env
            )
            payload = packed(job, prepared.interpreter_version)
            with spawned(command(prepared.python), environment, payload) as child:
                ending = self._watched(child, report, settings, circumstances, announced)
            if settings.tells_writes:
                circumstances.writes = layer.writes()
        failure = failure_of(report, ending, self._oom_kills)
        if failure is not None:
            failure.stderr_tail = with_exception(self.log.tail(), failure.stderr_tail)
            raise failure
        return report

    def scratch_file(self, name: str) -> str:
        """Return a path for a file of ours that is gone when the runner ends.

        Raises:
            RunnerError: E_IO when there is no room for it.
        """
        self.check_room()
        _make_private(self._scratch)
        return os.path.join(self._scratch, name)

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
        _make_private(room)
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
            return watch(child, report, self.log, self._wakeups, settings.phases)
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


def _job(verb: str, reference: str) -> Job:
    return Job(
        verb=verb,
        tree="",
        site="",
        reference=reference,
        entrypoint="",
        params={},
        seed=0,
        sim_returns=[],
        target_data=None,
        texts="",
    )


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


@contextmanager
def _scratch_home(parent: str, *, preserve: bool) -> Iterator[tuple[str, str]]:
    # A short name: sockets below TMPDIR, such as those of multiprocessing, have 107 bytes for their whole path.
    own = os.path.join(parent, os.urandom(4).hex())
    home, tmp = os.path.join(own, "home"), os.path.join(own, "tmp")
    for directory in (parent, own, home, tmp):
        _make_private(directory)
    try:
        yield home, tmp
    finally:
        if not preserve:
            remove_tree(own)


def _make_private(directory: str) -> None:
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        return
    except OSError as error:
        message = f"expected room for a task's own directory at {directory}, found none: {error.strerror}"
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise RunnerError(ErrorCode.IO, Phase.ENVIRONMENT, message, retryable=full) from error


def _origin(document: Mapping[str, JsonValue], prepared: Prepared, tree: str) -> dict[str, object]:
    file = document["file"]
    places = (("tree", tree), ("installed", prepared.site), ("dependency", prepared.dependency_site))
    for origin, directory in places:
        if isinstance(file, str) and file.startswith(os.path.join(directory, "")):
            relative = os.path.relpath(file, directory) if origin == "tree" else None
            return {"origin": origin, "relative": relative}
    return {"origin": "stdlib" if document["is_stdlib"] else "unknown", "relative": None}
