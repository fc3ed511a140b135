"""Starts a program in the sandbox: a fork confines itself, and only then becomes the program.

posix_spawn(3) cannot run anything of ours between the two.
"""

import contextlib
import fcntl
import os
import select
import signal
from collections.abc import Callable, Mapping, Sequence

from ..child.starting import TO_DEFAULT
from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError

__all__ = ["start_held"]

_PATIENCE_S = 10.0
"""The probe has seen it work in two; a machine under load may take longer, but not for ever."""
_ABOVE = 10
_MESSAGE_BYTES = 1000
_NOT_STARTED = 127


def start_held(
    command: list[str],
    environment: Mapping[str, str],
    actions: Sequence[tuple[object, ...]],
    hold: Callable[[], None],
) -> int:
    """Start `command` in a session of its own, after `hold`, and return its pid; `actions` are those of posix_spawn.

    Raises:
        RunnerError: E_IO when `hold` fails, E_VENV when the program cannot be started.
    """
    reading, low = os.pipe()
    writing = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    os.close(low)
    pid = os.fork()
    if pid == 0:
        _become(command, environment, actions, hold, writing)
    os.close(writing)
    try:
        said = _said(reading)
    finally:
        os.close(reading)
    if said == b"":
        return pid
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    raise _failure(command[0], said)


def _become(
    command: list[str],
    environment: Mapping[str, str],
    actions: Sequence[tuple[object, ...]],
    hold: Callable[[], None],
    writing: int,
) -> None:
    """Be the child; never returns. The pipe `writing` closes when the program takes over."""
    kind = b"H"
    try:
        os.setsid()
        for number in TO_DEFAULT:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        hold()
        kind = b"P"
        for action in actions:
            _act(action)
        os.execve(command[0], command, environment)  # noqa: S606 - what it starts is what posix_spawn would
    except BaseException as error:  # noqa: BLE001 - whatever it is, this copy of the supervisor must not go on
        os.write(writing, kind + str(error).encode("utf-8", "backslashreplace")[: _MESSAGE_BYTES - 1])
    finally:
        os._exit(_NOT_STARTED)


def _act(action: tuple[object, ...]) -> None:
    match action:
        case (os.POSIX_SPAWN_OPEN, int(target), str(path), int(flags), int(mode)):
            opened = os.open(path, flags, mode)
            os.dup2(opened, target)
            if opened != target:
                os.close(opened)
        case (os.POSIX_SPAWN_DUP2, int(source), int(target)):
            os.dup2(source, target)
        case _:
            raise AssertionError(action)


def _said(reading: int) -> bytes | None:
    """Return what the fork says, nothing when it became the program, None when it takes too long."""
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    return os.read(reading, _MESSAGE_BYTES) if poll.poll(_PATIENCE_S * 1000) else None


def _failure(program: str, said: bytes | None) -> RunnerError:
    why = "no answer" if said is None else said[1:].decode("utf-8", "replace")
    if said is not None and said.startswith(b"P"):
        message = f"the environment's interpreter cannot be started: {program}: {why}"
        return RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message)
    message = f"the sandbox worked when it was tried, and cannot be set up for this task: {why}; try --sandbox off"
    return RunnerError(ErrorCode.IO, Phase.ENVIRONMENT, message)
