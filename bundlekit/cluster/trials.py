"""Tries what a worker will do with a bundle of a few lines, since only what was done is known to work."""

import os
import sys
import time
from pathlib import Path

from bundlekit.cluster.environments import make_environment
from bundlekit.cluster.runtime_config import Executor, RuntimeConfig
from bundlekit.cold_runner.environments.cache_dir import default_cache_dir
from bundlekit.cold_runner.environments.installer import find_installer
from bundlekit.cold_runner.environments.interpreter import probe_interpreter
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import BundlekitError
from bundlekit.executors.backend import BundleToRun
from bundlekit.executors.cold import ColdExecutor, ColdOptions
from bundlekit.model.contracts import SimTask, UniqueParameterSet
from bundlekit.model.digest import Digest
from bundlekit.model.documents.doctor import ExecutorDocument, InstallerDocument, SandboxDocument
from bundlekit.model.outcome import Failure

__all__ = ["try_environment", "try_executor"]

_WIRE = """\
import os


def wire(entrypoint, params, seed):
    return {"pid": str(os.getpid()).encode()}
"""
_DIGEST = Digest.of(_WIRE.encode())
_SANDBOX_LINE = "Sandbox: "


class _OneBundle:
    """A repository with one bundle."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def ensure_local(self, _bundle_ref: str) -> tuple[str, Path]:
        """Return the bundle, whatever is asked for."""
        return _DIGEST, self._directory

    def exists(self, _bundle_ref: str) -> bool:
        """Return that it is there."""
        return True


def try_environment(scratch: Path, config: RuntimeConfig) -> tuple[InstallerDocument, SandboxDocument]:
    """Build, or find ready, an environment without dependencies, with all of the sandbox that can be had."""
    told: list[str] = []
    options = ColdOptions(sandbox="auto", cache_dir=config.venvs_dir)
    with ColdExecutor(BundleToRun(_bundle(scratch), (), None), options, told.append) as cold:
        prepared = cold.prepare()
    installer = _installer(str(config.venvs_dir or default_cache_dir()))
    if isinstance(prepared, Failure):
        return installer, {"level": None, "network": None, "missing": [], "problem": f"nothing can be run: {prepared}"}
    missing = next((line.split("; ")[1:] for line in told if line.startswith(_SANDBOX_LINE)), [])
    return installer, {"level": prepared.sandbox, "network": prepared.network, "missing": missing, "problem": None}


def try_executor(executor: Executor, scratch: Path, config: RuntimeConfig) -> ExecutorDocument:
    """Make the executor with the worker's own settings, and run one task in it."""
    started = time.monotonic()
    own = config.model_copy(update={"executor_type": executor})
    try:
        problem = _problem_of_run(own, _bundle(scratch))
    except BundlekitError as error:
        problem = error.message
    seconds = round(time.monotonic() - started, 3)
    return {"name": executor.value, "works": problem is None, "seconds": seconds, "problem": problem}


def _problem_of_run(config: RuntimeConfig, bundle: Path) -> str | None:
    environment = make_environment(config, _OneBundle(bundle), lambda _line: None)
    try:
        task = SimTask(bundle_ref=_DIGEST, entrypoint="main", params=UniqueParameterSet.from_dict({}), seed=0)
        result = environment.run(task)
    finally:
        environment.shutdown()
    return None if result.error is None else f"{result.error.error_type}: {result.error.message}"


def _bundle(scratch: Path) -> Path:
    bundle = scratch / "bundle"
    bundle.mkdir(exist_ok=True)
    (bundle / "wire.py").write_text(_WIRE, encoding="utf-8")
    return bundle


def _installer(cache_dir: str) -> InstallerDocument:
    """Return what installs dependencies here; a bundle without any needs nothing."""
    import uv  # noqa: PLC0415 - only who tries it needs it

    try:
        path = uv.find_uv_bin()
    except FileNotFoundError as error:
        return {"path": None, "installer": None, "problem": f"bundlekit's own uv is gone: {error}"}
    try:
        python = probe_interpreter(sys.executable, cache_dir)
        found = find_installer(python, cache_dir, {**os.environ, "BUNDLEKIT_UV": path}, lambda _line: None)
    except RunnerError as error:
        return {"path": path, "installer": None, "problem": error.message}
    problem = None if found.name == "uv" else f"{path} does not work, so that {found} installs"
    return {"path": path, "installer": str(found), "problem": problem}
