"""Builds a bundle's wheel from a copy of its files, with its own build requirements, in a scrubbed environment.

This is where code of the bundle runs first, so it gets no credentials, a scratch home and a deadline, and what it
writes goes into a copy that is thrown away.
See: PEP 517; DESIGN decision 4.
"""

import json
import os
from typing import NamedTuple

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from ..script_source import script_source
from .bundle_copy import ListedBundle, copy_bundle
from .declaration import BuildSystem
from .environment import Workshop, held_tools
from .installer import Job, install
from .scrubbed_environment import build_environment
from .tool_process import ToolResult, run_tool
from .tree_removal import remove_tree

__all__ = ["BuildJob", "build_and_install", "build_wheel"]

_WHAT = "building the bundle"


class BuildJob(NamedTuple):
    """`bundle` is the private copy; `scratch` is a directory to be made; the lock is that of the entry being built."""

    bundle: ListedBundle
    scratch: str
    lock_descriptor: int


def build_and_install(
    system: BuildSystem, python: str, job: BuildJob, workshop: Workshop, *, compile_bytecode: bool
) -> None:
    """Build the bundle's wheel and install it, without its dependencies, into the environment of `python`.

    Raises:
        RunnerError: as :func:`build_wheel`; a wheel that cannot be installed is a BuildError too.
    """
    wheel = build_wheel(system, job, workshop)
    installer = workshop.installer()
    install_job = Job(job.scratch, workshop.environ, workshop.deadline, job.lock_descriptor, compile_bytecode)
    uncached = "--no-cache" if installer.name == "uv" else "--no-cache-dir"
    what = f"installing the bundle with {installer}"
    result = install(installer, python, ["--no-deps", "--no-index", uncached, wheel], install_job, what)
    if result.status != 0:
        last = next((line for line in reversed(result.tail.splitlines()) if line.strip()), "it said nothing")
        message = f"{what} failed: {last.strip()[:500]}; the wheel that the bundle's backend built cannot be installed"
        raise RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="BuildError", stderr_tail=result.tail)
    remove_tree(job.scratch)


def build_wheel(system: BuildSystem, job: BuildJob, workshop: Workshop) -> str:
    """Return the path of the wheel that the bundle's backend built, somewhere below the scratch directory.

    Raises:
        RunnerError: E_VENV of type BuildError when the backend fails, of type InstallError when the build requirements
            cannot be installed; E_TIMEOUT at the deadline.
    """
    os.mkdir(job.scratch)
    source = os.path.join(job.scratch, "source")
    copy_bundle(job.bundle, source)
    for name in ("wheels", "home", "tmp"):
        os.mkdir(os.path.join(job.scratch, name))
    wanted = _run_hooks(system, None, source, job, workshop)
    if isinstance(wanted, tuple):
        wanted = _run_hooks(system, wanted, source, job, workshop)
    if isinstance(wanted, tuple):
        raise _failed("the backend asked for requirements twice", ToolResult(0, ""))
    return wanted


def _run_hooks(
    system: BuildSystem, further: tuple[str, ...] | None, source: str, job: BuildJob, workshop: Workshop
) -> str | tuple[str, ...]:
    request, answer = (os.path.join(job.scratch, name) for name in ("request.json", "answer.json"))
    document = {
        "backend": system.backend,
        "backend_path": [_inside(path, source) for path in system.backend_path],
        "wheels": os.path.join(job.scratch, "wheels"),
        "answer": answer,
        "known": None if further is None else list(further),
    }
    with open(request, "w", encoding="utf-8") as file:
        json.dump(document, file)
    home, tmp = os.path.join(job.scratch, "home"), os.path.join(job.scratch, "tmp")
    env = build_environment(workshop.environ, home=home, tmp=tmp, pass_env=workshop.pass_env)
    with held_tools((*system.requires, *(further or ())), workshop) as tools:
        # Backends start the tools that they require, cmake and ninja, by name.
        env["PATH"] = os.path.dirname(tools.python) + os.pathsep + env["PATH"]
        result = run_tool(
            [tools.python, "-I", "-u", "-c", script_source("environments/build_hooks.py"), request],
            cwd=source,
            env=env,
            deadline=workshop.deadline,
            what=_WHAT,
            inherited=(job.lock_descriptor,),
        )
    return _answer(answer, result, job)


def _answer(path: str, result: ToolResult, job: BuildJob) -> str | tuple[str, ...]:
    try:
        with open(path, "rb") as file:
            answer = json.loads(file.read())
        os.unlink(path)
    except (OSError, ValueError):
        answer = None
    if not isinstance(answer, dict):
        ended = f"was killed by signal {-result.status}" if result.status < 0 else f"exited with status {result.status}"
        raise _failed(f"the backend {ended} without an answer", result)
    if answer.get("error"):
        raise _failed(str(answer["error"]), result)
    requires, name = answer.get("requires"), answer.get("wheel")
    if isinstance(requires, list):
        return tuple(str(requirement) for requirement in requires)
    wheel = os.path.join(job.scratch, "wheels", os.path.basename(str(name)))
    if not os.path.isfile(wheel) or not wheel.endswith(".whl"):
        raise _failed(f"the backend says that it wrote {name!r:.100}, which is not there", result)
    return wheel


def _inside(path: str, source: str) -> str:
    found = os.path.normpath(os.path.join(source, path))
    if found != source and not found.startswith(source + os.sep):
        message = f"build-system.backend-path of the bundle leaves it: {path!r:.200}"
        raise RunnerError(ErrorCode.PYPROJECT, Phase.ENVIRONMENT, message, type_name="PyprojectError")
    return found


def _failed(why: str, result: ToolResult) -> RunnerError:
    message = (
        f"{_WHAT} failed: {why[:600]}. It builds from exactly the files that ship: look at the last lines, "
        "and run 'python -m build --wheel' in a clean checkout to see it alone"
    )
    return RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="BuildError", stderr_tail=result.tail)
