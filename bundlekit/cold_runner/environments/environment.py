"""Environments: an interpreter and installed dependencies, never any bundle code.

Two bundles that ask for the same share one; it is built once, under a lock, and not changed afterwards.
See: DESIGN decisions 3 and 4.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ..codes import ErrorCode, Phase
from ..dependency_hash import dependency_hash, normalised_name, requirement_name
from ..runner_error import RunnerError
from .cache_entry import held_entry
from .declaration import Declaration
from .installable import check_build_requirements, installable
from .installer import Installer, Job, export_lock, install
from .interpreter import Interpreter
from .redaction import redacted
from .tree_removal import remove_tree
from .venv_layout import lay_out_venv, python_of, site_of

if TYPE_CHECKING:
    from .tool_process import ToolResult

__all__ = ["UNREACHABLE", "Environment", "Place", "Workshop", "held_environment", "held_tools"]

_NO_INSTALLER = "none"
"""The installer in the key of an environment in which nothing is installed: none is looked for."""

UNREACHABLE = (
    "Connection refused",
    "Connection reset",
    "Network is unreachable",
    "NewConnectionError",
    "Temporary failure in name resolution",
    "dns error",
    "error sending request",
    "operation timed out",
    "ReadTimeoutError",
    "401 Unauthorized",
    "403 Forbidden",
    "503 Service Unavailable",
)
"""What uv and pip say when it is the index that fails, not the requirement: trying again may help."""


class Place(NamedTuple):
    """Where entries are kept, and whether they outlive this run (bytecode is compiled only then)."""

    directory: str
    lasting: bool

    def entry(self, kind: str, *names: str) -> tuple[str, str]:
        """Return the paths of an entry and of its lock."""
        return os.path.join(self.directory, kind, *names), os.path.join(self.directory, "locks", kind, *names) + ".lock"


class Workshop(NamedTuple):
    """What building works with. `environ` holds the user's own variables; `log` takes one line at a time.

    `installer` finds uv or pip, once, when something is to be installed. `tools` is where environments for builds are
    kept, `pass_env` names variables that a build gets to see besides the allowed ones.
    """

    interpreter: Interpreter
    environ: Mapping[str, str]
    deadline: float
    log: Callable[[str], None]
    installer: Callable[[], Installer]
    tools: Place
    pass_env: tuple[str, ...]


class Environment(NamedTuple):
    """A ready environment; `key` is the hex name of its directory, `seconds` what getting it took."""

    key: str
    directory: str
    python: str
    site: str
    installer: str
    reused: bool
    seconds: float


class _Asked(NamedTuple):
    lock: tuple[str, bytes] | None
    requirements: tuple[str, ...]
    index_options: tuple[str, ...]
    pyproject: bytes | None
    what: str

    @property
    def anything(self) -> bool:
        return bool(self.requirements or self.lock)


@contextmanager
def held_environment(declaration: Declaration, root: str, place: Place, workshop: Workshop) -> Iterator[Environment]:
    """Hold the environment that `declaration` asks for, built first if need be; `root` is the bundle's directory.

    Raises:
        RunnerError: E_VENV when the dependencies cannot be installed, with the installer's last lines.
    """
    requirements = tuple(installable(declaration.declared, root, workshop.log))
    lock = declaration.lock
    installer = workshop.installer() if requirements or lock else None
    if lock and installer and installer.name == "pip" and not lock[0].endswith(".txt"):
        workshop.log(f"pip cannot install from {lock[0]}: using the declared dependencies instead")
        lock = None
    options = tuple(_absolute_links(option, root) for option in declaration.index_options)
    asked = _Asked(lock, requirements, options, declaration.pyproject, "the dependencies")
    name = declaration.dependency_hash(with_lock=lock is not None)
    with _held(asked, name, installer, place, workshop) as environment:
        yield environment


@contextmanager
def held_tools(requires: tuple[str, ...], workshop: Workshop) -> Iterator[Environment]:
    """Hold an environment with the build requirements `requires` in it.

    Raises:
        RunnerError: E_VENV when they cannot be installed.
    """
    check_build_requirements(requires)
    asked = _Asked(None, requires, (), None, "the build requirements")
    name = dependency_hash(lock=None, declared=requires, requires_python=None)
    installer = workshop.installer() if requires else None
    with _held(asked, name, installer, workshop.tools, workshop) as environment:
        yield environment


@contextmanager
def _held(
    asked: _Asked, asked_hash: str, installer: Installer | None, place: Place, workshop: Workshop
) -> Iterator[Environment]:
    started = time.monotonic()
    named = str(installer) if installer else _NO_INSTALLER
    key = {
        "schema": "bundlekit/environment/1",
        "dependencies": asked_hash,
        # A wheel of the bundle's own is asked for by its path, which says nothing about its content.
        "wheels": " ".join(_file_hash(path) for path in asked.requirements if os.path.isabs(path)),
        # The interpreter's path is part of it: another build of the same version is another interpreter.
        **workshop.interpreter._asdict(),
        "installer": named,
    }
    name = hashlib.sha256(json.dumps(key, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    directory, lock_path = place.entry("environments", name)

    def build(path: str, lock_descriptor: int) -> None:
        lay_out_venv(path, workshop.interpreter)
        if installer and asked.anything:
            scratch = os.path.join(path, "installing")
            os.mkdir(scratch)
            job = Job(scratch, workshop.environ, workshop.deadline, lock_descriptor, place.lasting)
            _install(asked, installer, python_of(path), job)
            remove_tree(scratch)

    with held_entry(
        directory, key, build, lock_path=lock_path, needs="bin/python", deadline=workshop.deadline, log=workshop.log
    ) as reused:
        seconds = time.monotonic() - started
        if not reused and asked.anything:
            workshop.log(f"Installed {asked.what} with {named} in {seconds:.1f} s")
        site = site_of(directory, workshop.interpreter)
        yield Environment(name, directory, python_of(directory), site, named, reused, seconds)


def _install(asked: _Asked, installer: Installer, python: str, job: Job) -> None:
    if asked.lock is None:
        arguments = [
            "-r",
            _written(job, "requirements.txt", "\n".join([*asked.index_options, *asked.requirements, ""])),
        ]
    else:
        arguments = _lock_arguments(asked.lock, asked, installer, python, job)
    what = f"installing {asked.what} with {installer}"
    _demand(install(installer, python, arguments, job, what), what, _names(asked))


def _lock_arguments(lock: tuple[str, bytes], asked: _Asked, installer: Installer, python: str, job: Job) -> list[str]:
    name, data = lock
    if name == "uv.lock":
        _check_stale(data, asked.requirements)
        # uv gets a copy: it may rewrite a lock file, and the user's is not ours to touch.
        project, exported = os.path.join(job.scratch, "project"), os.path.join(job.scratch, "exported.txt")
        os.mkdir(project)
        _written(job, "project/uv.lock", data)
        _written(job, "project/pyproject.toml", asked.pyproject or b"")
        _demand(export_lock(installer, python, project, exported, job), "reading uv.lock with uv", "uv.lock")
        return ["-r", exported]
    path = _written(job, name, data)
    return ["-r", path, "--require-hashes"] if name.endswith(".txt") else ["-r", path]


def _check_stale(lock: bytes, requirements: tuple[str, ...]) -> None:
    """Raise E_VENV when the uv.lock `lock` lacks a name that the bundle asks for: ``--frozen`` would pass over it."""
    import tomllib  # noqa: PLC0415 - only an environment that is built from a uv.lock comes here

    try:
        packages = tomllib.loads(lock.decode("utf-8")).get("package", [])
    except (ValueError, RecursionError):
        return  # uv says where it is wrong
    names = {normalised_name(str(package.get("name"))) for package in packages if isinstance(package, dict)}
    missing = [one for one in requirements if requirement_name(one) and requirement_name(one) not in names]
    if missing:
        message = f"uv.lock is older than pyproject.toml: it lacks {', '.join(missing)}; run 'uv lock' and ship both"
        raise RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="InstallError")


def _demand(result: "ToolResult", what: str, asked: str) -> None:
    if result.status == 0:
        return
    ended = f"was killed by signal {-result.status}" if result.status < 0 else f"ended with status {result.status}"
    lines = [line.strip() for line in result.tail.splitlines() if line.strip()]
    said = [line for line in lines if line.lower().startswith(("error", "cause"))] or lines
    unreachable = any(text in result.tail for text in UNREACHABLE)
    advice = "The package index cannot be reached: check the network, the proxy and the index settings"
    message = (
        f"{what} {ended}; asked for: {asked}. It said: {' / '.join(said[-3:])[-600:].rstrip('.') or 'nothing'}. "
        f"{advice if unreachable else 'Check the names and versions of the requirements'}"
    )
    raise RunnerError(
        ErrorCode.VENV,
        Phase.ENVIRONMENT,
        message,
        type_name="InstallError",
        stderr_tail=result.tail,
        retryable=unreachable,
    )


def _names(asked: _Asked) -> str:
    if asked.lock:
        return asked.lock[0]
    return redacted(", ".join(asked.requirements), {})[:500]


def _written(job: Job, name: str, content: str | bytes) -> str:
    path = os.path.join(job.scratch, name)
    with open(path, "wb") as file:
        file.write(content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)
    return path


def _absolute_links(option: str, root: str) -> str:
    name, _, value = option.replace("=", " ", 1).partition(" ")
    value = value.strip()
    if name not in {"-f", "--find-links"} or "://" in value:
        return option
    return f"{name} {os.path.normpath(os.path.join(root, value))}"


def _file_hash(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        message = f"a wheel that the requirements name cannot be read: {path}: {error.strerror or error}"
        raise RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="InstallError") from error
