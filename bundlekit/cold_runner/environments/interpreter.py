"""Which interpreter runs a bundle: the one asked for, else the running one, else the newest installed one admitted.

Nothing is ever downloaded. Interpreters are known by their real path, so that a link, a virtual environment's python
and its base count as one; version managers' shims are scripts, cost 40 ms a start, and are passed over.
See: DESIGN decision 4.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from ..script_source import script_source
from .interpreter_facts import facts
from .memory import remembered
from .requires_python import admits

__all__ = ["FLOOR", "Interpreter", "choose_interpreter", "installed_interpreters", "probe_interpreter"]

FLOOR = (3, 11)
"""The oldest Python that can run a task: ``-P`` came with it."""

_PROBE_SECONDS = 20
_EXECUTABLE = re.compile(r"python3\.(\d+)")
_VERSION = re.compile(r"3(?:\.\d+){0,2}")


class Interpreter(NamedTuple):
    """A base interpreter, never a virtual environment's. `release` is its version without a pre-release suffix."""

    executable: str
    implementation: str
    version: str
    platform: str
    abi: str

    @property
    def release(self) -> tuple[int, ...]:
        """The numbers of the version: (3, 12, 1)."""
        return tuple(int(part) for part in re.findall(r"\d+", self.version)[:3])


def choose_interpreter(
    wanted: str | None, requires_python: str | None, cache_dir: str, environ: Mapping[str, str]
) -> Interpreter:
    """Return the interpreter for a bundle. `wanted` is a path, a version such as ``3.12``, or None for any.

    Raises:
        RunnerError: E_VENV when none fits, naming those found; E_PYPROJECT when `requires_python` is no specifier.
    """
    specifier = (requires_python or "").strip()
    try:
        admits(specifier, FLOOR)
    except ValueError as error:
        message = f"requires-python of the bundle cannot be read: {error}"
        raise RunnerError(ErrorCode.PYPROJECT, Phase.ENVIRONMENT, message, type_name="InterpreterError") from error
    if wanted and not _VERSION.fullmatch(wanted):
        return _asked_for(wanted, specifier, cache_dir, environ)
    if not wanted:
        running = _running()
        if _fits(running, specifier):
            return running
    found = sorted(installed_interpreters(cache_dir, environ), key=lambda one: one.release, reverse=True)
    prefix = tuple(int(part) for part in wanted.split(".")) if wanted else ()
    for candidate in found:
        if candidate.release[: len(prefix)] == prefix and _fits(candidate, specifier):
            return candidate
    raise _none_fits(wanted, specifier, found)


def probe_interpreter(executable: str, cache_dir: str) -> Interpreter:
    """Return the base interpreter behind `executable`, which is started unless it is the running one.

    Raises:
        RunnerError: E_VENV when it cannot be started or does not answer as Python does.
    """
    running = _running()
    if os.path.realpath(executable) == running.executable:
        return running
    return Interpreter(**remembered(cache_dir, executable, _ask))


def installed_interpreters(cache_dir: str, environ: Mapping[str, str]) -> list[Interpreter]:
    """Return the interpreters found on this machine that can run a task, each once; one that fails is passed over."""
    found: dict[str, Interpreter] = {}
    for path in _candidates(environ):
        real = os.path.realpath(path)
        if real in found or not os.access(real, os.X_OK) or _is_script(real):
            continue
        try:
            interpreter = probe_interpreter(real, cache_dir)
        except RunnerError:
            continue
        if interpreter.release >= FLOOR:
            found.setdefault(interpreter.executable, interpreter)
    return list(found.values())


def _running() -> Interpreter:
    return Interpreter(**facts())


def _fits(interpreter: Interpreter, specifier: str) -> bool:
    return interpreter.release >= FLOOR and admits(specifier, interpreter.release)


def _asked_for(wanted: str, specifier: str, cache_dir: str, environ: Mapping[str, str]) -> Interpreter:
    path = wanted
    if os.sep not in wanted:
        folders = environ.get("PATH", "").split(os.pathsep)
        places = (os.path.join(folder, wanted) for folder in folders if folder)
        path = next((place for place in places if os.access(place, os.X_OK) and not os.path.isdir(place)), wanted)
    interpreter = probe_interpreter(path, cache_dir)
    if not _fits(interpreter, specifier):
        asked = f"requires-python {specifier!r}" if interpreter.release >= FLOOR else "bundlekit, which wants >=3.11,"
        message = f"{wanted} is Python {interpreter.version}, and {asked} excludes it; give another --python"
        raise RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="InterpreterError")
    return interpreter


def _none_fits(wanted: str | None, specifier: str, found: list[Interpreter]) -> RunnerError:
    wishes = (f"the wanted version {wanted}" if wanted else "", f"requires-python {specifier!r}" if specifier else "")
    asked = " and ".join(wish for wish in wishes if wish)
    names = ", ".join(f"{one.version} ({one.executable})" for one in found) or "none"
    message = (
        f"no installed Python satisfies {asked or 'the floor of 3.11'}; found: {names}. "
        "Install a fitting one (nothing is downloaded for you) or give its path with --python"
    )
    return RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="InterpreterError")


def _candidates(environ: Mapping[str, str]) -> Iterator[str]:
    folders = [*environ.get("PATH", "").split(os.pathsep), "/usr/bin", "/usr/local/bin"]
    for folder in dict.fromkeys(folder for folder in folders if folder):
        for name in _listed(folder):
            match = _EXECUTABLE.fullmatch(name)
            if match and int(match[1]) >= FLOOR[1]:
                yield os.path.join(folder, name)
    home = environ.get("HOME", "")
    pyenv = environ.get("PYENV_ROOT") or (os.path.join(home, ".pyenv") if home else "")
    if pyenv:
        yield from _versions_in(os.path.join(pyenv, "versions"))
    data = environ.get("XDG_DATA_HOME") or (os.path.join(home, ".local", "share") if home else "")
    managed = environ.get("UV_PYTHON_INSTALL_DIR") or (os.path.join(data, "uv", "python") if data else "")
    if managed:
        yield from _versions_in(managed)


def _versions_in(folder: str) -> Iterator[str]:
    for name in _listed(folder):
        numbers = re.search(r"(?:^|-)3\.(\d+)\.", name)
        if numbers is None or int(numbers[1]) >= FLOOR[1]:
            yield os.path.join(folder, name, "bin", "python3")


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _is_script(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return True


def _ask(executable: str) -> dict[str, str]:
    import json  # noqa: PLC0415 - only an interpreter that was never seen before is asked
    import subprocess  # noqa: PLC0415 - as above

    command = [executable, "-I", "-c", script_source("environments/interpreter_facts.py")]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_PROBE_SECONDS
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise _no_interpreter(executable, str(error)) from error
    if not isinstance(answer, dict) or set(answer) != set(Interpreter._fields):
        raise _no_interpreter(executable, done.stderr.decode("utf-8", "replace").strip()[-500:])
    return {str(key): str(value) for key, value in answer.items()}


def _no_interpreter(executable: str, why: str) -> RunnerError:
    message = f"{executable} cannot be used as a Python interpreter" + (f": {why}" if why else "")
    return RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="InterpreterError", stderr_tail=why)
