"""Has uv resolve the requirements for the worker's Python and platform, with wheels alone and nothing installed.

One command serves requirements and locks: `uv pip install --dry-run` into a directory that is thrown away. It asks the
package index, so it belongs to the stages that may. What is to be built from a repository, a path or a bare address is
left out: no wheel is wanted of that.
"""

import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bundlekit.check.requirement_text import taken_apart
from bundlekit.cold_runner.dependency_hash import parse_index_options, parse_requirements
from bundlekit.cold_runner.environments.install_verdict import UNREACHABLE
from bundlekit.cold_runner.environments.installer import installer_environment
from bundlekit.cold_runner.environments.tool_process import ToolResult, run_tool
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.model.project import Project, ProjectTable
from bundlekit.probe.evidence import Resolution, Resolved

__all__ = ["resolve_for_worker"]

_DEADLINE_S = 300.0
_DEFAULT_PLATFORM = "x86_64-unknown-linux-gnu"
_OFFLINE = ("network was disabled", "Network connectivity is disabled", "--offline", "UV_OFFLINE")
_LOCKS = ("uv.lock", "pylock.toml")


def resolve_for_worker(project: Project, version: str | None, environ: Mapping[str, str]) -> Resolution | None:
    """Return what came of resolving for [tool.bundlekit.worker], None where nothing of it is stated or required.

    `version` is the Python that stands in where the settings name a platform alone.
    """
    worker = project.settings.worker
    if worker.is_open or not (project.requirements or project.dependencies.lock):
        return None
    python, platform = worker.python or version, worker.platform or _DEFAULT_PLATFORM
    where = f"Python {python} on {platform}" if python else platform
    if project.settings.network is False:
        return Resolution(Resolved.FORBIDDEN, where)
    with tempfile.TemporaryDirectory(prefix="bundlekit-") as scratch:
        try:
            result = _resolve(project, Path(scratch), python, platform, environ)
        except (RunnerError, OSError) as error:
            return Resolution(Resolved.NOT_ASKED, where, str(error))
    return _told(result, where)


def _resolve(
    project: Project, scratch: Path, python: str | None, platform: str, environ: Mapping[str, str]
) -> ToolResult:
    uv = environ.get("BUNDLEKIT_UV") or _own_uv()
    deadline = time.monotonic() + _DEADLINE_S
    lock = project.dependencies.lock
    variables = installer_environment("uv", environ, lambda _line: None, is_locked=lock is not None)
    wanted = scratch / "requirements.txt"
    options = [] if lock is None else ["--no-deps"]
    if lock is None:
        wanted.write_text("\n".join([*_index_options(project), *_installable(project)]), "utf-8", "surrogateescape")
    elif lock.path == "uv.lock":
        exported = _exported(project, scratch, uv, variables, deadline)
        if exported.status != 0:
            return exported
        lines = parse_requirements((scratch / "exported.txt").read_text("utf-8", "replace"))
        wanted.write_text("\n".join(line for line in lines if not taken_apart(line).url), "utf-8")
    else:
        wanted = scratch / Path(lock.path).name
        wanted.write_bytes((Path(project.root) / lock.path).read_bytes())
    command = [uv, "pip", "install", "--dry-run", "--target", str(scratch / "target"), "-r", str(wanted), *options]
    command += ["--only-binary", ":all:", "--python", sys.executable, "--python-platform", platform]
    command += ["--python-version", python] if python else []
    command += ["--no-python-downloads", "--no-progress", "--color", "never"]
    return run_tool(command, cwd=str(scratch), env=variables, deadline=deadline, what="resolving for the worker")


def _own_uv() -> str:
    import uv  # noqa: PLC0415 - only a bundle that states its worker needs it

    return uv.find_uv_bin()


def _exported(project: Project, scratch: Path, uv: str, env: Mapping[str, str], deadline: float) -> ToolResult:
    """Have uv write the packages of a copy of uv.lock; the user's file is not ours to touch."""
    copy = scratch / "project"
    copy.mkdir()
    for name in ("uv.lock", "pyproject.toml"):
        (copy / name).write_bytes((Path(project.root) / name).read_bytes())
    command = [uv, "export", "--frozen", "--no-default-groups", "--no-emit-project", "--no-header", "--quiet"]
    command += ["--project", str(copy), "--python", sys.executable, "--no-python-downloads", "--color", "never"]
    command += ["--output-file", str(scratch / "exported.txt")]
    return run_tool(command, cwd=str(scratch), env=env, deadline=deadline, what="reading uv.lock")


def _installable(project: Project) -> list[str]:
    return [one.value for one in project.requirements if not taken_apart(one.value).url]


def _index_options(project: Project) -> list[str]:
    """Return the options of requirements.txt that say where packages come from, as the runner takes them."""
    path = Path(project.root) / "requirements.txt"
    if project.table is ProjectTable.PRESENT or not path.is_file():
        return []
    return parse_index_options(path.read_text("utf-8-sig", "replace"))


def _told(result: ToolResult, where: str) -> Resolution:
    if result.status == 0:
        return Resolution(Resolved.YES, where)
    for option in ("--python-platform", "--python-version"):
        if "invalid value" in result.tail and f"for '{option}" in result.tail:
            return Resolution(Resolved.BAD_SETTING, where, result.tail, option.removeprefix("--python-"))
    if any(text in result.tail for text in (*_OFFLINE, *UNREACHABLE)):
        return Resolution(Resolved.NOT_ASKED, where, result.tail)
    return Resolution(Resolved.NO, where, result.tail)
