"""uv or pip: finds one, and has it install into an environment.

The installer gets the user's own environment, because indexes, proxies and credentials are configured there; variables
that would send packages elsewhere are taken out. Nothing of the bundle runs here, and nothing secret is logged.
See: DESIGN decision 4.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .interpreter import Interpreter
from .memory import remembered
from .redaction import looks_secret

if TYPE_CHECKING:
    from .tool_process import ToolResult

__all__ = ["Installer", "Job", "export_lock", "find_installer", "install", "installer_environment"]

_PROBE_SECONDS = 20
_REDIRECTING = (
    "CONDA_PREFIX",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "UV_LINK_MODE",
    "UV_PREFIX",
    "UV_PROJECT",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "UV_TARGET",
    "UV_WORKING_DIRECTORY",
    "VIRTUAL_ENV",
)
_TELLING = ("PIP_LOG", "PIP_QUIET", "PIP_VERBOSE", "RUST_LOG", "UV_LOG_CONTEXT", "UV_QUIET")
"""They make an installer show its requests, headers and all, or hide the errors that we pass on."""
_OLDEST_UV = (0, 5)


def _silent(_line: str) -> None:
    return


class Installer(NamedTuple):
    """`command` starts it, `name` is ``uv`` or ``pip``."""

    name: str
    version: str
    command: tuple[str, ...]

    def __str__(self) -> str:
        """Name and version, as in the environment's key and in messages."""
        return f"{self.name} {self.version}"


class Job(NamedTuple):
    """What every run of the installer needs; `environ` holds the user's variables, the lock is the entry's.

    `log` hears which settings were taken over from the other installer's. With `is_locked` a lock fixes every version:
    uv refuses constraints beside its hashes.
    """

    scratch: str
    environ: Mapping[str, str]
    deadline: float
    lock_descriptor: int
    compile_bytecode: bool
    log: Callable[[str], None] = _silent
    is_locked: bool = False


def find_installer(
    interpreter: Interpreter, cache_dir: str, environ: Mapping[str, str], log: Callable[[str], None]
) -> Installer:
    """Return uv (``BUNDLEKIT_UV``, else on PATH), else the interpreter's own pip, which is announced on the log.

    Raises:
        RunnerError: E_VENV when there is neither.
    """
    path, why = environ.get("BUNDLEKIT_UV") or _on_path("uv", environ), "uv was not found"
    if path:
        try:
            version = remembered(cache_dir, path, _uv_version)["version"]
        except RunnerError as error:
            why = error.message
        else:
            return Installer("uv", version, (path,))
    pip_version = _pip_version(interpreter)
    if pip_version is None:
        message = f"{why}, and {interpreter.executable} has no pip: install uv (or set BUNDLEKIT_UV to it), or that pip"
        raise RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="InstallError")
    log(f"Using pip: {why}")
    return Installer("pip", pip_version, (interpreter.executable, "-I", "-m", "pip"))


def install(installer: Installer, python: str, arguments: Sequence[str], job: Job, what: str) -> "ToolResult":
    """Install what `arguments` name (requirements files, wheels, options common to both) for `python`; may fail."""
    if installer.name == "uv":
        command = [*installer.command, "pip", "install", "--python", python, "--link-mode", "copy"]
        command += ["--no-python-downloads", "--no-progress", "--color", "never"]
        command += ["--compile-bytecode"] if job.compile_bytecode else []
    else:
        command = [*installer.command, "--python", python, "install", "--no-input", "--no-user", "--no-color"]
        command += ["--disable-pip-version-check", "--progress-bar", "off"]
        command += [] if job.compile_bytecode else ["--no-compile"]
    return _run([*command, *arguments], job, what, installer)


def export_lock(installer: Installer, python: str, project: str, destination: str, job: Job) -> "ToolResult":
    """Have uv write the packages of the uv.lock in the directory `project` to `destination`, with their hashes."""
    command = [*installer.command, "export", "--frozen", "--no-default-groups", "--no-emit-project", "--no-header"]
    command += ["--project", project, "--python", python, "--no-python-downloads", "--color", "never", "--quiet"]
    return _run([*command, "--output-file", destination], job, "reading uv.lock", installer)


def _run(command: Sequence[str], job: Job, what: str, installer: Installer) -> "ToolResult":
    from .tool_process import run_tool  # noqa: PLC0415 - a ready environment starts nothing

    env = installer_environment(installer.name, job.environ, job.log, is_locked=job.is_locked)
    # uv looks for settings upwards from where it runs: those of a project that the cache lies in do not count.
    with open(os.path.join(job.scratch, "uv.toml"), "wb"):
        pass
    return run_tool(
        command, cwd=job.scratch, env=env, deadline=job.deadline, what=what, inherited=(job.lock_descriptor,)
    )


def installer_environment(
    name: str, environ: Mapping[str, str], log: Callable[[str], None], *, is_locked: bool
) -> dict[str, str]:
    """Return the variables that uv or pip (`name`) gets to see of the user's own; what is taken over is logged.

    A lock says all versions: uv takes no constraints beside one.
    """
    from .user_settings import for_pip, for_uv  # noqa: PLC0415 - a ready environment starts nothing

    # Git asks for nothing where nobody can answer. pip trusts the machine's certificates, so uv is asked to as well:
    # an institute's proxy signs with its own.
    defaults = {"GIT_TERMINAL_PROMPT": "0", "UV_SYSTEM_CERTS": "1"}
    told = (for_uv if name == "uv" else for_pip)(environ, log)
    found = {**defaults, **{each: value for each, value in told.items() if not _misleads(each)}}
    if is_locked:
        found.pop("UV_CONSTRAINT", None)
    return found


def _misleads(name: str) -> bool:
    # Python's own variables could lead the base interpreter astray (PYTHONHOME, PYTHONPATH). A source distribution runs
    # code of strangers while it is built: of what is secret, only settings of the installer, and of git, are for it.
    is_foreign_secret = looks_secret(name) and not name.startswith(("UV_", "PIP_", "GIT_")) and name != "SSH_AUTH_SOCK"
    return name in _REDIRECTING or name in _TELLING or name.startswith("PYTHON") or is_foreign_secret


def _on_path(name: str, environ: Mapping[str, str]) -> str | None:
    folders = [folder for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    places = (os.path.join(folder, name) for folder in folders)
    return next((place for place in places if os.access(place, os.X_OK) and os.path.isfile(place)), None)


def _uv_version(path: str) -> dict[str, str]:
    status, output = _answer([path, "--version"])
    words = output.split()
    if status != 0 or len(words) < 2 or words[0] != "uv":  # noqa: PLR2004 - "uv 0.9.1 (commit)"
        ended = f"ended with status {status}" if status else "did not answer as uv does"
        message = f"{path} --version {ended}"
        raise RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="InstallError")
    numbers = [int(part) for part in words[1].split(".")[:2] if part.isdecimal()]
    if tuple(numbers) < _OLDEST_UV:
        message = f"{path} is uv {words[1]}, which is too old: expected 0.5 or newer"
        raise RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="InstallError")
    return {"version": words[1]}


def _pip_version(interpreter: Interpreter) -> str | None:
    # Not remembered: pip can be upgraded without any change to its interpreter's file.
    script = "import importlib.metadata as m; print(m.version('pip'))"
    status, output = _answer([interpreter.executable, "-I", "-c", script])
    return output.strip() if status == 0 and output.strip() else None


def _answer(command: list[str]) -> tuple[int, str]:
    import subprocess  # noqa: PLC0415 - a ready environment starts nothing

    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_PROBE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return -1, ""
    return done.returncode, done.stdout.decode("utf-8", "replace")
