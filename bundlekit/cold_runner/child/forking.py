"""The supervisor's side of a zygote."""

import contextlib
import marshal
import os
import signal
import socket
import sys

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .channel import JOB_FD
from .job import code, command
from .starting import Ends, Plan, Waiting, file_of, spawn
from .zygote import CONTROL_FD, READY

__all__ = ["Zygote"]

_PATIENCE_S = 10.0
"""How long a zygote may take to answer."""
_PRELOAD_S = 120.0
"""How long importing what is to be preloaded may take."""


class Zygote:
    """A process that has imported what the plan wants preloaded, and nothing else, and forks when it is told to.

    Raises:
        RunnerError: E_USAGE when what is to be preloaded cannot be, or starts a thread; E_VENV as :func:`spawn`.
    """

    def __init__(self, plan: Plan) -> None:
        self._ordered: Ends | None = None
        self._control, theirs = socket.socketpair()
        self._control.settimeout(_PRELOAD_S)
        job = file_of(code(plan.version, "zygote") + marshal.dumps(plan.preload, 4))
        stderr = os.dup(2)
        try:
            self.pid = spawn(
                command(plan.python, "zygote"),
                dict(plan.variables),
                [(stderr, 1), (stderr, 2), (job, JOB_FD), (theirs.fileno(), CONTROL_FD)],
            )
        finally:
            theirs.close()
            os.close(job)
            os.close(stderr)
        said = self._received(64)
        if said != READY:
            self.close()
            self._end()
            named = ", ".join(plan.preload)
            found = said.decode("utf-8", "replace") or "an error, which the log shows"
            message = f"expected one thread in the zygote after importing {named or 'nothing'}, found {found}"
            advice = "; leave it out of the preload" if named else ""
            raise RunnerError(ErrorCode.USAGE, Phase.ENVIRONMENT, message + advice)
        self._control.settimeout(_PATIENCE_S)

    def order(self) -> None:
        """Have a child forked, without waiting for it; :meth:`fork` returns it."""
        if self._ordered is not None:
            return
        # A task before may have stopped what it found.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)
        ends = Ends(b"")
        given = (ends.stderr_write, ends.job, ends.result_write, ends.go_read)
        theirs = b"".join(descriptor.to_bytes(4, sys.byteorder) for descriptor in given)
        try:
            self._control.sendmsg([b"F"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, theirs)])
        except OSError:
            ends.close()
        else:
            self._ordered = ends

    def fork(self) -> Waiting | None:
        """Return a new child, None if the zygote is gone or does not answer."""
        self.order()
        ends, self._ordered = self._ordered, None
        pid = self._received(4) if ends is not None else b""
        if ends is None or len(pid) != 4:  # noqa: PLR2004 - a pid in four bytes
            if ends is not None:
                ends.close()
            return None
        return ends.waiting(int.from_bytes(pid, "big"), is_forked=True)

    def close(self) -> None:
        """Let the zygote end, and what was ordered of it."""
        self._control.close()
        if self._ordered is not None:
            self._ordered.close()
            self._ordered = None

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _received(self, size: int) -> bytes:
        try:
            return self._control.recv(size)
        except OSError:
            return b""
