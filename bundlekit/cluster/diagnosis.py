"""What this machine, or this worker, is able to do: found out by doing it, never read off a list."""

import hashlib
import json
import os
import platform
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import bundlekit
from bundlekit.cluster.runtime_config import Executor, RuntimeConfig, variables
from bundlekit.cluster.trials import try_environment, try_executor
from bundlekit.cold_runner.environments.cache_dir import default_cache_dir
from bundlekit.cold_runner.environments.redaction import looks_secret, redacted
from bundlekit.cold_runner.export import runner_file
from bundlekit.errors import RuntimeConfigError
from bundlekit.model.digest import Digest
from bundlekit.model.documents.doctor import (
    CacheRoomDocument,
    DoctorDocument,
    Purpose,
    PythonDocument,
    ToolDocument,
    VariableDocument,
)

__all__ = ["diagnosis"]

_BLOTTED = "***"


def diagnosis(python: str) -> DoctorDocument:
    """Return what holds for this process, which `python` runs; tasks of a small bundle are run to find out."""
    problems: list[str] = []
    config = _config(problems)
    usable = config or RuntimeConfig.model_construct()
    with tempfile.TemporaryDirectory(prefix="bundlekit-doctor-") as scratch:
        uv, sandbox = try_environment(Path(scratch), usable)
        executors = [try_executor(each, Path(scratch), usable) for each in Executor]
    problems += [each for each in (uv["problem"], sandbox["problem"]) if each]
    wanted = None if config is None else config.executor_type
    problems += [
        f"executor {each['name']}, which the variables ask for, does not work: {each['problem']}"
        for each in executors
        if each["name"] == wanted and not each["works"]
    ]
    caches = list(_rooms(usable))
    problems += [f"{each['path']} ({each['purpose']}) cannot be written to" for each in caches if not each["writable"]]
    return {
        "schema": "bundlekit/doctor/1",
        "passed": not problems,
        "machine": {"host": socket.gethostname(), "platform": platform.platform(), "cpus": os.cpu_count() or 1},
        "python": _python(python),
        "bundlekit": _tool(),
        "uv": uv,
        "sandbox": sandbox,
        "caches": caches,
        "executor": wanted,
        "executors": executors,
        "bundle_source": None if config is None else config.bundle_source,
        "variables": list(_variables(os.environ)),
        "problems": problems,
        "notes": [] if config is None else list(config.notes),
    }


def _config(problems: list[str]) -> RuntimeConfig | None:
    try:
        return RuntimeConfig.from_env(tell=lambda _note: None)
    except RuntimeConfigError as error:
        problems += _told(error)
        return None


def _python(executable: str) -> PythonDocument:
    return {
        "executable": executable,
        "implementation": platform.python_implementation(),
        "version": platform.python_version(),
    }


def _tool() -> ToolDocument:
    root = Path(bundlekit.__file__).parent
    sources = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    listed = [[path, hashlib.sha256((root / path).read_bytes()).hexdigest()] for path in sources]
    return {
        "version": bundlekit.__version__,
        "digest": Digest.of(json.dumps(listed, separators=(",", ":")).encode()),
        "runner_digest": Digest.of(runner_file()),
    }


def _rooms(config: RuntimeConfig) -> Iterator[CacheRoomDocument]:
    yield _room("environments", config.venvs_dir or Path(default_cache_dir()))
    yield _room("bundles", config.bundles_cache_dir)
    yield _room("results", config.storage_dir)
    yield _room("scratch", Path(tempfile.gettempdir()))


def _room(purpose: Purpose, path: Path) -> CacheRoomDocument:
    there = next(each for each in (path, *path.parents) if each.exists())
    try:
        free = shutil.disk_usage(there).free
    except OSError:
        free = None
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return {"purpose": purpose, "path": str(path), "free": free, "writable": writable}


def _variables(environ: Mapping[str, str]) -> Iterator[VariableDocument]:
    for setting, variable in variables().items():
        for name in variable.names:
            value = environ.get(name) or None
            shown = value and (_BLOTTED if looks_secret(name) else redacted(value, environ))
            yield {
                "name": name,
                "value": shown,
                "setting": setting,
                "is_used": variable.has_effect,
                "description": RuntimeConfig.model_fields[setting].description or "",
            }


def _told(error: RuntimeConfigError) -> list[str]:
    return [str(each) for each in error.subject] if isinstance(error.subject, tuple) else [error.message]
