"""Runs an installer or a build to its end or to its deadline, and leaves none of its processes behind.

The tool writes into a file, not a pipe: a daemon that it leaves behind and that holds its descriptors cannot keep us
waiting. It runs in a session of its own, which is killed as a whole afterwards, in success too.
"""

import errno
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO, NamedTuple

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .redaction import redacted

__all__ = ["ToolResult", "run_tool"]

_TAIL_BYTES = 16 * 1024
_TAIL_LINES = 40
_FULL_DISK = ("No space left on device", "Disk quota exceeded", "os error 28")


class ToolResult(NamedTuple):
    """How a tool ended: its exit status (negative for a signal) and the last lines it wrote, without credentials."""

    status: int
    tail: str


def run_tool(
    command: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    deadline: float,
    what: str,
    inherited: Sequence[int] = (),
) -> ToolResult:
    """Run `command` and return how it ended; `what` names the work in messages (``installing the dependencies``).

    The descriptors in `inherited` stay open in it: a kernel lock on one outlives us if we are killed, so that nobody
    takes over a directory in which an orphaned installer still writes.

    Raises:
        RunnerError: E_TIMEOUT at `deadline` (of :func:`time.monotonic`), E_VENV when it cannot be started, E_IO when
            it failed because a disk is full.
    """
    with tempfile.TemporaryFile() as output:
        process = _started(command, cwd, env, output, inherited=inherited, what=what)
        in_time = False
        try:
            in_time = _exits_by(process, deadline)
        finally:
            # Before it is reaped: until then the number of its session cannot be anybody else's.
            _kill_session(process.pid)
            status = process.wait()
        tail = redacted(_tail(output), env)
    if not in_time:
        message = f"{what} was not done by the deadline and was stopped; allow more time or look at what it waits for"
        raise RunnerError(ErrorCode.TIMEOUT, Phase.ENVIRONMENT, message, stderr_tail=tail)
    if status != 0 and any(text in tail for text in _FULL_DISK):
        message = f"{what} failed: the disk is full or a quota is used up; free some space and try again"
        raise RunnerError(ErrorCode.IO, Phase.ENVIRONMENT, message, stderr_tail=tail, retryable=True)
    return ToolResult(status, tail)


def _started(
    command: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    output: IO[bytes],
    *,
    inherited: Sequence[int],
    what: str,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(command),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(inherited),
        )
    except OSError as error:
        message = f"{what} could not be started: {command[0]}: {error.strerror or error}"
        raise RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="InstallError") from error


def _exits_by(process: subprocess.Popen[bytes], deadline: float) -> bool:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        return False
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return _exits_within(process, remaining)
    try:
        # Popen.wait with a timeout looks again every 50 ms; most of our tools are done sooner than that.
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(min(remaining * 1000, 2**31 - 1)))
    finally:
        os.close(descriptor)


def _exits_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill_session(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except OSError as error:
        if error.errno not in {errno.ESRCH, errno.EPERM}:  # EPERM: macOS says so when only zombies are left
            raise


def _tail(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _TAIL_BYTES))
    lines = output.read().decode("utf-8", "replace").splitlines()
    return "\n".join(line.rstrip() for line in lines[-_TAIL_LINES:])
