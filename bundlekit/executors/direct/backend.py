"""Direct as a backend: one bundle, one task at a time, judged as a child's would be.

What a child sends through its pipe is collected here instead, and read by the same code (`ChildReport`, `result`), so
that the verdicts are the same.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner import strict_json
from bundlekit.cold_runner.child.channel import DONE, Channel, RefusedError
from bundlekit.cold_runner.child.job import Job, empty_job
from bundlekit.cold_runner.child.main import simulate as call_wire
from bundlekit.cold_runner.child.report import ChildReport
from bundlekit.cold_runner.child.target import run as call_target
from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.environments.scrubbed_environment import child_environment
from bundlekit.cold_runner.result import aggregation_document, simulation_document
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.task import parse_aggregation, parse_simulation
from bundlekit.errors import UsageError
from bundlekit.executors.answers import failure_of, task_run_of
from bundlekit.executors.backend import BundleToRun
from bundlekit.executors.direct.borrowed_process import PROCESS_LOCK, borrowed_process
from bundlekit.executors.direct.stage import Stage, digest_of, made_stage
from bundlekit.model.outcome import Failure, TaskRun

__all__ = ["DirectBackend"]


class _Call(NamedTuple):
    """What to do with a job, and what to make of the report; `env` are the task's own variables."""

    do: Callable[[Channel, Job], None]
    job: Job
    env: Mapping[str, str]
    document: Callable[[ChildReport], Mapping[str, object]]


class DirectBackend:
    """Runs tasks of the one bundle that it is given first; outputs above 512 KiB go into `outputs_dir`, if given."""

    def __init__(self, log: Callable[[str], None], outputs_dir: Path | None = None) -> None:
        self._log = log
        self._outputs_dir = None if outputs_dir is None else str(outputs_dir.resolve())
        # Of this process as the one that runs tasks: all of them share it.
        self._started_s = time.time()
        self._digest: str | None = None
        self._stage: Stage | None = None
        self._is_closed = False

    def prepare(self, bundle: BundleToRun) -> Failure | None:
        """Make the bundle ready to be run here; return why none of its tasks can be."""
        try:
            with PROCESS_LOCK:
                stage = self._staged(bundle)
        except RunnerError as error:
            return failure_of(error.document())
        if stage.wire is None:
            return failure_of(RunnerError(ErrorCode.ENTRYPOINT, Phase.IMPORT, stage.wire_error).document())
        return None

    def simulate(self, bundle: BundleToRun, task: Mapping[str, object], timeout_s: float) -> TaskRun:
        """Run the wire function once.

        Raises:
            UsageError: the backend is closed.
        """

        def call(stage: Stage) -> _Call:
            parsed = parse_simulation(_plain(task), self._log)
            if stage.wire is None:
                raise RunnerError(ErrorCode.ENTRYPOINT, Phase.IMPORT, stage.wire_error)
            job = empty_job("simulate", stage.wire)
            job["entrypoint"], job["params"], job["seed"] = parsed.entrypoint, dict(parsed.params), parsed.seed
            digest, place = digest_of(bundle), self._outputs_dir
            return _Call(
                call_wire, job, parsed.env, lambda report: simulation_document(parsed, digest, report.outputs, place)
            )

        return self._run(bundle, call, timeout_s)

    def aggregate(
        self,
        bundle: BundleToRun,
        target: str,
        sim_returns: Sequence[Mapping[str, object]],
        target_data: object,
        timeout_s: float,
    ) -> TaskRun:
        """Run the target function once.

        Raises:
            UsageError: the backend is closed.
        """

        def call(_stage: Stage) -> _Call:
            task = {
                "target_entrypoint": target,
                "sim_returns": list(sim_returns),
                "target_data": target_data,
            }
            parsed = parse_aggregation(_plain(task), self._log)
            job = empty_job("target", parsed.target_entrypoint)
            job["sim_returns"] = [dict(each) for each in parsed.sim_returns]
            job["target_data"] = parsed.target_data
            return _Call(call_target, job, {}, lambda report: aggregation_document(report.document or b""))

        return self._run(bundle, call, timeout_s)

    def health(self) -> Mapping[str, object]:
        """Return which bundle it runs, and this process's number."""
        return {"bundle_digest": self._digest, "pid": os.getpid()}

    def close(self) -> None:
        """Remove the copy of the bundle; its modules are gone with it. May be called more than once."""
        with PROCESS_LOCK:
            self._is_closed = True
            if self._stage is not None:
                self._stage.scratch.cleanup()
                self._stage = None

    def _run(self, bundle: BundleToRun, call: Callable[[Stage], _Call], timeout_s: float) -> TaskRun:
        with PROCESS_LOCK:
            if self._is_closed:
                raise UsageError("the direct executor is closed: nothing can be run in it any more")
            started = time.monotonic()
            try:
                stage = self._staged(bundle)
                begun = time.monotonic()
                result = _performed(stage, call(stage), bundle.settings.pass_env)
                _check_time(time.monotonic() - begun, timeout_s)
            except RunnerError as error:
                self._log(f"Failed: {error.code}: {error.message}")
                result = {"_fatal_error": error.document()}
            seconds = time.monotonic() - started
        answer = {"result": result, "pid": os.getpid(), "seconds": seconds, "writes": [], "sandbox": "off"}
        answer["started_s"] = self._started_s
        return task_run_of(json.dumps(answer))

    def _staged(self, bundle: BundleToRun) -> Stage:
        digest = digest_of(bundle)
        if self._digest not in {None, digest}:
            message = (
                f"direct runs one bundle in a process, here {self._digest}, and was given {digest}: "
                "use the executor cold or isolated_warm, or shut this one down and make another"
            )
            raise RunnerError(ErrorCode.USAGE, Phase.TASK, message)
        if self._stage is None:
            self._stage, self._digest = made_stage(bundle), digest
        return self._stage


class _Collecting(Channel):
    """Takes what would go through a child's pipe."""

    def __init__(self) -> None:
        self.report = ChildReport()

    def send(self, kind: bytes, *fields: bytes | memoryview) -> None:
        """Take one frame.

        Raises:
            RunnerError: what was sent cannot be a result.
        """
        framed = b"".join(len(field).to_bytes(8, "big") + field for field in fields)
        self.report.feed(kind + len(framed).to_bytes(8, "big") + framed)


def _performed(stage: Stage, call: _Call, pass_env: Sequence[str]) -> Mapping[str, object]:
    """Return the document of the result.

    Raises:
        RunnerError: whatever went wrong; an exit is one of these things. An interruption of the host stays one.
    """
    channel = _Collecting()
    environment = child_environment(os.environ, home=stage.home, tmp=stage.tmp, pass_env=pass_env, task_env=call.env)
    with borrowed_process(stage, environment):
        try:
            call.do(channel, call.job)
            channel.send(DONE)
        except (RunnerError, KeyboardInterrupt):
            raise
        except RefusedError as error:
            channel.refused(error)
        except BaseException as error:  # noqa: BLE001 - foreign code, as in the child
            # The first frame is this function's, which says nothing to whoever wrote the bundle.
            frames = error.__traceback__
            channel.raised(error.with_traceback(frames and frames.tb_next))
    if channel.report.failure is not None:
        raise channel.report.failure
    return call.document(channel.report)


def _check_time(seconds: float, timeout_s: float) -> None:
    if seconds > timeout_s:
        message = (
            f"the task was not done within {timeout_s:g} s but after {seconds:.1f} s: "
            "in this process nothing could stop it"
        )
        raise RunnerError(ErrorCode.TIMEOUT, Phase.CALL, message)


def _plain(task: Mapping[str, object]) -> strict_json.JsonValue:
    """Return a copy of `task` as it would be after it has been sent.

    Raises:
        RunnerError: E_TASK when it is no strict JSON.
    """
    try:
        return strict_json.loads(strict_json.dumps(task))
    except (TypeError, ValueError) as error:
        raise RunnerError(ErrorCode.TASK, Phase.TASK, f"the task cannot be used: {error}") from None
