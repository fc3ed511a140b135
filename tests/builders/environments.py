"""Bundles, wheels and calls for the tests of environments: real builds, mostly without any package index."""

import base64
import hashlib
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundlekit.cold_runner.environments.bundle_code import BundleSource, Prepared, PrepareOptions, prepare

__all__ = [
    "BACKEND",
    "DAEMONISING_BUILDS",
    "Kitchen",
    "local_index",
    "make_wheel",
    "own_backend_project",
    "own_bundle",
    "without_uv",
    "write_bundle",
]

BACKEND = """
import base64, hashlib, os, pathlib, tomllib, zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
    stem = f"{project['name']}-{project['version']}"
    info = f"{stem}.dist-info"
    files = {f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {project['name']}\\nVersion: {project['version']}\\n"}
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    for group, points in project.get("entry-points", {}).items():
        lines = [f"{name} = {value}" for name, value in points.items()]
        files[f"{info}/entry_points.txt"] = "\\n".join([f"[{group}]", *lines, ""])
    for path in sorted(pathlib.Path(".").rglob("*.py")):
        if path.parts[0] != "backend":
            files[str(path)] = path.read_text()
    files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"])
    name = f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
"""


_DAEMON = """
import os, pathlib, signal, time
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        pathlib.Path(os.environ["PIDS"]).write_text(str(os.getpid()))
        os.closerange(0, 64)
        time.sleep(600)
    os._exit(0)
while not os.path.exists(os.environ["PIDS"]):
    time.sleep(0.01)
"""
DAEMONISING_BUILDS = {
    "fails": f"{_DAEMON}raise SystemExit(3)\n",
    "sleeps": f"{_DAEMON}time.sleep(600)\n",
    "succeeds": f"{_DAEMON}{BACKEND}",
}
"""Backends that leave a daemon in a session of its own, which ignores SIGTERM and writes its pid into $PIDS."""


def own_backend_project(*dependencies: str, name: str = "mine", requires_python: str = ">=3.11") -> str:
    """Return a pyproject.toml whose build needs nothing but the bundle's own ``backend/own.py``."""
    return f"""
[build-system]
requires = []
build-backend = "own"
backend-path = ["backend"]
[project]
name = "{name}"
version = "1"
requires-python = "{requires_python}"
dependencies = {json.dumps(list(dependencies))}
[project.entry-points."modelops.wire"]
execute = "{name}.wire:wire"
"""


def write_bundle(root: Path, files: Mapping[str, str]) -> Path:
    """Write `files` below the new directory `root` and return it."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    source: str = "VALUE = 1\n",
    *,
    tag: str = "py3-none-any",
    requires: Sequence[str] = (),
) -> Path:
    """Write a wheel of one module into `folder` and return its path."""
    folder.mkdir(exist_ok=True, parents=True)
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, text in files.items():
            wheel.writestr(member, text)
    return path


class Kitchen:
    """A cache to prepare bundles in; `said` collects the log."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.said: list[str] = []

    @contextmanager
    def prepared(
        self,
        bundle: Path,
        *,
        digest: str | None = None,
        python: str | None = None,
        fresh: bool = False,
        preserve: bool = False,
        seconds: float = 120,
        pass_env: tuple[str, ...] = (),
        keep_symbols: bool = False,
    ) -> Iterator[Prepared]:
        """Prepare `bundle` and hold it."""
        deadline = time.monotonic() + seconds
        options = PrepareOptions(
            python, fresh, str(self.cache), preserve, deadline, pass_env, keep_symbols=keep_symbols
        )
        with prepare(BundleSource(str(bundle), digest, None), options, self.said.append) as ready:
            yield ready

    def evaluate(self, ready: Prepared, expression: str, imports: str = "") -> str:
        """Return what `expression` prints in the prepared bundle's own interpreter, as a task sees it."""
        script = f"{imports}\nprint({expression}, end='')"
        done = subprocess.run(
            [ready.python, "-P", "-s", "-B", "-c", script], capture_output=True, text=True, check=False, env={}
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def own_bundle(*dependencies: str, backend: str = BACKEND, requires_python: str = ">=3.11") -> dict[str, str]:
    """Return the files of a small bundle that is built by a backend of its own."""
    return {
        "pyproject.toml": own_backend_project(*dependencies, requires_python=requires_python),
        "backend/own.py": backend,
        "mine/__init__.py": "",
        "mine/wire.py": "def wire(entrypoint, params, seed):\n    return {}\n",
    }


def without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pip as the only installer."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("BUNDLEKIT_UV", raising=False)


def local_index(monkeypatch: pytest.MonkeyPatch, wheels: Path) -> None:
    """Make the folder `wheels` the only place that packages come from, for both installers."""
    for name, value in {"PIP_FIND_LINKS": wheels, "UV_FIND_LINKS": wheels, "PIP_NO_INDEX": 1, "UV_NO_INDEX": 1}.items():
        monkeypatch.setenv(name, str(value))


if __name__ == "__main__":
    # One creator among many: prepares once, says how, and holds it until its stdin ends.
    _bundle, _cache, _seconds = sys.argv[1:]
    _kitchen = Kitchen(Path(_cache))
    with _kitchen.prepared(Path(_bundle), seconds=float(_seconds), pass_env=("COUNTER",)) as _ready:
        print(json.dumps([_ready.environment_reused, _ready.code_reused, _ready.python]), flush=True)
        sys.stdin.read()
