"""The host's side of the cold runner: one long-lived supervisor process, one request and one answer a line.

The supervisor, not the host, starts children and reaps them, so that a host with children of its own (a Dask worker)
never meets strangers (DESIGN decision 5).
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from bundlekit import cold_runner
from bundlekit.cold_runner.limits import LIMIT_KEYS, NO_LIMITS, Limits
from bundlekit.errors import InternalError, UsageError
from bundlekit.executors.answers import imported_of, prepared_of, result_of, simulated_document_of, task_run_of
from bundlekit.executors.backend import BundleToRun, RunSettings
from bundlekit.executors.closing import Closing
from bundlekit.model.outcome import Failure, Imported, Prepared, TaskRun

__all__ = ["BundleToRun", "ColdExecutor", "ColdOptions"]

_STDERR_LINES_KEPT = 50
_WAKENED_EVERY_MS = 1000


class ColdOptions(NamedTuple):
    """How to prepare and run. `python` is a path or a version; `fresh` gives each task a throw-away environment.

    `sandbox` is auto, require or off; `network` leaves the network open in it; `limits` hold with and without it.
    `cache_dir` is where environments are kept, None for where they are by default.
    `start` is ``exec`` or ``fork``; a zygote imports the modules `preload` before it forks, and no others. With
    `keep_symbols` libraries of the bundle that its build strips are built so that their variables have names. With
    `measured` the memory of each task is measured.
    """

    python: str | None = None
    fresh: bool = False
    sandbox: str = "off"
    network: bool = False
    limits: Limits = NO_LIMITS
    pass_env: tuple[str, ...] = ()
    environment_timeout_s: float = 1800.0
    outputs_dir: Path | None = None
    cache_dir: Path | None = None
    start: str = "exec"
    preload: tuple[str, ...] = ()
    keep_symbols: bool = False
    measured: bool = False

    def within(self, own: RunSettings) -> "ColdOptions":
        """Return these options with what a bundle's own settings leave open, or add."""
        held = own.below(RunSettings(self.python, self.pass_env, self.limits, self.network))
        return self._replace(python=held.python, pass_env=held.pass_env, limits=held.limits, network=held.network)


class ColdExecutor(Closing):
    """Runs tasks of one bundle, each in a process of its own; use it as a context manager.

    Every method raises InternalError when the supervisor process ends without an answer.
    """

    def __init__(self, bundle: BundleToRun, options: ColdOptions, log: Callable[[str], None]) -> None:
        self._bundle = bundle
        self._options = options
        self._log = log
        self._stderr: deque[str] = deque(maxlen=_STDERR_LINES_KEPT)
        self._process = _start_supervisor()
        self._reader = threading.Thread(target=self._forward_stderr, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """End the supervisor and everything it started; may be called more than once."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()
        self._reader.join()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def interrupt(self) -> None:
        """End the task that runs, and the supervisor with it; the call that waits for it raises InternalError."""
        self._process.terminate()

    def prepare(self) -> Prepared | Failure:
        """Build, or find ready, the environment and the bundle's code."""
        return prepared_of(self._ask("prepare", self._options.environment_timeout_s))

    def probe(self, reference: str | None, timeout_s: float) -> Imported | Failure:
        """Import `reference` (the wire function when None) in a child and tell what is there."""
        return imported_of(self._ask("probe", timeout_s, reference=reference))

    def simulate(self, task: Mapping[str, object], timeout_s: float, *, hash_seed: int = 0) -> TaskRun:
        """Run the wire function once, on a task with the keys entrypoint, params and seed."""
        return task_run_of(self._ask("simulate", timeout_s, task=task, hash_seed=hash_seed))

    def simulate_document(self, task: Mapping[str, object], timeout_s: float) -> dict[str, object]:
        """Run one simulation task and return the one-line document of the runner as it is.

        The deadline is the task's alone: the environment is made ready before, within its own.
        """
        prepared = result_of(self._ask("prepare", self._options.environment_timeout_s))
        if "_fatal_error" in prepared:
            return prepared
        return simulated_document_of(self._ask("simulate", timeout_s, task=task))

    def aggregate(
        self,
        target: str,
        sim_returns: Sequence[Mapping[str, object]],
        timeout_s: float,
        *,
        target_data: object = None,
        inline_as: str = "bytes",
    ) -> TaskRun:
        """Run the target function once on `sim_returns`, whose inline data it meets as bytes, or as base64 (`str`)."""
        task = {"target_entrypoint": target, "sim_returns": list(sim_returns), "target_data": target_data}
        return task_run_of(self._ask("aggregate", timeout_s, task=task, inline_as=inline_as))

    def _path(self) -> str:
        path = str(self._bundle.path.resolve())
        try:
            path.encode("utf-8")
        except UnicodeEncodeError:
            msg = f"the bundle's path {path!a} is not UTF-8, and tasks are handed over as JSON"
            raise UsageError(msg, subject=path, hint="rename the directory, or copy the bundle to another") from None
        return path

    def _ask(self, verb: str, timeout_s: float, **more: object) -> str:
        options = self._options
        request = {
            "verb": verb,
            "bundle": {
                "path": self._path(),
                "digest": self._bundle.digest,
                "files": [[each.path, each.mode, each.size, each.sha256] for each in self._bundle.files],
            },
            "python": options.python,
            "fresh": options.fresh,
            "cache_dir": None if options.cache_dir is None else str(options.cache_dir.resolve()),
            "preserve": False,
            "timeout_s": timeout_s,
            "pass_env": list(options.pass_env),
            "env": {},
            "sandbox": options.sandbox,
            "network": options.network,
            "limits": dict(zip(LIMIT_KEYS, options.limits, strict=True)),
            "start": options.start,
            "preload": list(options.preload),
            "keep_symbols": options.keep_symbols,
            "measured": options.measured,
            "outputs_dir": None if options.outputs_dir is None else str(options.outputs_dir.resolve()),
            **more,
        }
        return self._exchange(json.dumps(request, ensure_ascii=False, allow_nan=False) + "\n")

    def _exchange(self, request: str) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise InternalError("the cold runner was started without pipes")
        try:
            stdin.write(request)
            stdin.flush()
            self._waken_until_it_answers(stdout)
            line = stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line.endswith("\n"):
            status = self._process.wait()
            self._reader.join()
            last = " | ".join(list(self._stderr)[-5:])
            msg = f"the cold runner ended with status {status} and gave no answer; it last said: {last or 'nothing'}"
            raise InternalError(msg)
        return line

    def _waken_until_it_answers(self, stdout: IO[str]) -> None:
        """Wait for an answer, or the end; a task may have stopped the processes that keep its deadline."""
        poll = select.poll()
        poll.register(stdout, select.POLLIN)
        while not poll.poll(_WAKENED_EVERY_MS):
            self._process.send_signal(signal.SIGCONT)

    def _forward_stderr(self) -> None:
        if self._process.stderr is not None:
            for line in self._process.stderr:
                self._stderr.append(line.rstrip("\n"))
                self._log(line.rstrip("\n"))


def _start_supervisor() -> "subprocess.Popen[str]":
    import uv  # noqa: PLC0415 - only a host that runs something needs it

    environment = {**os.environ, "BUNDLEKIT_UV": uv.find_uv_bin()}
    return subprocess.Popen(
        [sys.executable, "-P", "-s", "-u", str(Path(cold_runner.__file__).parent), "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="backslashreplace",
        env=environment,
        # Ctrl-C at a terminal goes to a whole group: it is for the host, which decides what becomes of the tasks.
        process_group=0,
    )
