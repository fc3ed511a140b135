"""Run one task of a bundle as a worker would, and write the standalone runner."""

import json
import math
import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from bundlekit.api.inputs import opened, snapshot
from bundlekit.api.local_executors import checked_executor, local_backend
from bundlekit.api.validation import Progress
from bundlekit.cold_runner import strict_json
from bundlekit.cold_runner.export import export_runner as write_runner
from bundlekit.errors import FileAccessError, TaskRefusedError, UsageError
from bundlekit.executors.backend import run_settings
from bundlekit.executors.cold import BundleToRun, ColdExecutor, ColdOptions
from bundlekit.executors.run_documents import run_document
from bundlekit.pack.hashing import hash_tree
from bundlekit.pack.manifest import manifest_of
from bundlekit.pack.manifest_json import manifest_digest

__all__ = ["RunOptions", "Task", "export_runner", "run_task"]


class Task(NamedTuple):
    """One task as the command line states it: `params` is JSON text, `timeout_s` a deadline in seconds.

    Outputs over 512 KiB go into files of `outputs_dir`, where there is one.
    """

    entrypoint: str
    params: str
    seed: int
    timeout_s: float
    outputs_dir: Path | None = None


class RunOptions(NamedTuple):
    """Which interpreter (a path or a version), which sandbox, which executor."""

    python: str | None = None
    sandbox: str = "off"
    executor: str = "cold"


def run_task(path: Path, task: Task, options: RunOptions, log: Progress) -> Mapping[str, object]:
    """Run one simulation of the bundle or archive at `path` and return the runner's document.

    Raises:
        UsageError: there is no such executor, or it cannot do what the bundle or the options ask for.
        TaskRefusedError: the parameters are no strict JSON object.
        BundlekitError: the bundle cannot be run at all: no name, no single wire, unreadable.
    """
    if not 0 < task.timeout_s < math.inf:
        msg = f"--timeout-s {task.timeout_s}: expected a number of seconds above 0"
        raise UsageError(msg, subject=task.timeout_s)
    if task.outputs_dir is not None:
        _make_directory(task.outputs_dir)
    document = {"entrypoint": task.entrypoint, "params": _params(task.params), "seed": task.seed}
    with opened(path) as bundle:
        project = snapshot(bundle)
        files = hash_tree(bundle.root, project.members)
        digest = manifest_digest(manifest_of(project, files))
        asked = ColdOptions(python=options.python, sandbox=options.sandbox, outputs_dir=task.outputs_dir)
        to_run = BundleToRun(bundle.root, files, digest, run_settings(project.settings))
        executor = checked_executor(options.executor, to_run, asked)
        if executor == "cold":
            with ColdExecutor(to_run, asked.within(to_run.settings), log) as cold:
                return cold.simulate_document(document, task.timeout_s)
        with closing(local_backend(executor, asked, 1, log)) as backend:
            return run_document(backend.simulate(to_run, document, task.timeout_s))


def _make_directory(path: Path) -> None:
    """Make `path` a directory before anything runs: a result that cannot be written would be lost."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"--outputs-dir {path}: {error.strerror}"
        raise FileAccessError(msg, subject=path) from error


def export_runner(file: Path) -> None:
    """Write the cold runner as a single file that any Python >= 3.11 runs without bundlekit.

    Raises:
        UsageError: a file stands there that is no such runner.
        FileAccessError: the file cannot be written.
    """
    if file.exists() and not zipfile.is_zipfile(file):
        msg = f"{file} exists and is no runner: it is left as it is"
        raise UsageError(msg, subject=file, hint="name another file, or remove this one first")
    try:
        write_runner(str(file))
    except OSError as error:
        msg = f"cannot write {file}: {error.strerror}"
        raise FileAccessError(msg, subject=file) from error


def _params(text: str) -> Mapping[str, object]:
    try:
        params = strict_json.loads(text)
    except ValueError as error:
        msg = f"--params is not strict JSON: {error}"
        raise TaskRefusedError(
            msg, subject=text, hint="""quote it for the shell: --params '{"beta": 0.3}'"""
        ) from error
    if not isinstance(params, dict):
        msg = f"--params: expected a JSON object, found {json.dumps(params)[:80]}"
        raise TaskRefusedError(msg, subject=text)
    return params
