"""Starts a child that waits for its job, and hands the job over."""

import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .channel import GO_FD, JOB_FD, RESULT_FD
from .job import code, command

__all__ = ["TO_DEFAULT", "Ends", "Plan", "Waiting", "file_of", "lifted", "pipe", "spawn", "started"]

_ABOVE = 10
"""Our ends of the pipes are kept above the descriptors that the child gets."""
_PIPE_BYTES = 1 << 20
TO_DEFAULT = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE, signal.SIGALRM)
"""What whoever started us may have had ignored, which is inherited."""


class Plan(NamedTuple):
    """How children are started: all that one must have in common with a job to be used for it.

    `variables` are name and value, sorted; `preload` names modules that a zygote imports before it forks.
    """

    python: str
    version: str
    variables: tuple[tuple[str, str], ...]
    forks: bool = False
    preload: tuple[str, ...] = ()


class Waiting(NamedTuple):
    """A child that waits for its job; whoever gets it closes the ends. The file `job` holds `written` bytes already."""

    pid: int
    result: int
    stderr: int
    job: int
    go: int
    written: int
    is_forked: bool

    def begin(self, order: bytes) -> None:
        """Hand the job over.

        Raises:
            BrokenPipeError: the child has ended meanwhile.
        """
        _write_at(self.job, order, self.written)
        os.write(self.go, b"\1")

    def close(self) -> None:
        """Close our ends; a child that still waits ends by that."""
        for end in (self.result, self.stderr, self.job, self.go):
            os.close(end)


class Ends:
    """Both ends of what connects us with one child; the file `job` starts with `data`."""

    def __init__(self, data: bytes) -> None:
        self.result, self.result_write = pipe()
        self.stderr, self.stderr_write = pipe()
        self.go_read, self.go = pipe()
        for end in (self.result, self.stderr):
            os.set_blocking(end, False)
        self.job = file_of(data)

    def waiting(self, pid: int, written: int = 0, *, is_forked: bool = False) -> Waiting:
        """Return our ends, after closing the child's."""
        for end in (self.result_write, self.stderr_write, self.go_read):
            os.close(end)
        return Waiting(pid, self.result, self.stderr, self.job, self.go, written, is_forked)

    def close(self) -> None:
        """Close all."""
        self.waiting(0).close()


def started(plan: Plan, hold: Callable[[], None] | None = None) -> Waiting:
    """Return an interpreter that waits for its job; `hold` puts the process that calls it into a sandbox.

    Raises:
        RunnerError: E_VENV when it cannot be started, E_IO when it cannot be held.
    """
    data = code(plan.version)
    ends = Ends(data)
    places = [
        (ends.stderr_write, 1),
        (ends.stderr_write, 2),
        (ends.job, JOB_FD),
        (ends.result_write, RESULT_FD),
        (ends.go_read, GO_FD),
    ]
    try:
        pid = spawn(command(plan.python), dict(plan.variables), places, hold)
    except RunnerError:
        ends.close()
        raise
    return ends.waiting(pid, len(data))


def spawn(
    words: list[str],
    environment: Mapping[str, str],
    places: Sequence[tuple[int, int]],
    hold: Callable[[], None] | None = None,
) -> int:
    """Start a program in a session of its own and return its pid; `places` says which descriptor it has where.

    Raises:
        RunnerError: as :func:`started`.
    """
    actions: list[tuple[object, ...]] = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    actions += [(os.POSIX_SPAWN_DUP2, ours, place) for ours, place in places]
    if hold is not None:
        from ..sandbox.held_start import start_held  # noqa: PLC0415 - most tasks run without a sandbox

        return start_held(words, environment, actions, hold)
    try:
        return os.posix_spawn(
            words[0], words, environment, file_actions=actions, setsid=True, setsigmask=(), setsigdef=TO_DEFAULT
        )
    except OSError as error:
        message = f"the environment's interpreter cannot be started: {words[0]}: {error.strerror or error}"
        raise RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message) from error


def pipe() -> tuple[int, int]:
    """Return both ends of a large pipe, reading and writing, above the descriptors that a child gets."""
    reading, writing = (lifted(end) for end in os.pipe())
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return reading, writing


def lifted(descriptor: int) -> int:
    """Return `descriptor` under a number above those that a child gets."""
    above = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    os.close(descriptor)
    return above


def file_of(data: bytes) -> int:
    """Return a descriptor from which `data` can be read at once: a file, since a pipe would have to be fed."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("bundlekit-job")
    else:
        path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"bundlekit-job-{os.urandom(8).hex()}")  # noqa: S108 - random, exclusive, unlinked
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.unlink(path)
    _write_at(descriptor, data, 0)
    return lifted(descriptor)


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    # The offset of the file itself is the child's, which may be reading already.
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
