"""The host's side of the keeper: the one process that starts the processes of a pool and sees each of them to its end.

The host starts no task's process and reaps none (DESIGN decision 5). It gets pipes to each, and talks to it without the
keeper between them. When the host is gone, whatever ended it, the keeper's stdin closes, and all of them end.
"""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, NotRequired, TypedDict

from bundlekit import cold_runner
from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.keeper import END
from bundlekit.cold_runner.runner_error import FatalError, RunnerError
from bundlekit.errors import InternalError

__all__ = ["Ended", "Keeper", "Started", "ended"]

_STDERR_LINES_KEPT = 50
_DESCRIPTORS = 4
_CHUNK = 1 << 16


class Started(NamedTuple):
    """A process, with our descriptors of it: its pipes, the one that tells of its end, and what it notes.

    `site` is where its bundle is installed, `tree` its own copy of the bundle's files, `sandbox` the level that holds.
    """

    pid: int
    digest: str
    wire_error: str | None
    site: str
    tree: str
    sandbox: str
    requests: int
    answers: int
    life: int
    state: int


class Ended(NamedTuple):
    """How a process ended: its exit status, negative for a signal, None when the keeper killed it."""

    status: int | None
    stderr_tail: str


class _Answer(TypedDict):
    _fatal_error: NotRequired[FatalError]
    pid: int
    digest: str
    wire_error: str | None
    site: str
    tree: str
    sandbox: str


class Keeper:
    """Starts and ends processes. Any number of threads may use it.

    Raises:
        InternalError: the keeper's process cannot be started or, from any method but :meth:`close`, is gone.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._asking, self._sending = threading.Lock(), threading.Lock()
        self._said: deque[str] = deque(maxlen=_STDERR_LINES_KEPT)
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = _started(theirs)
        self._reader = threading.Thread(target=self._forward, name="bundlekit-keeper-log", daemon=True)
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        """Whether the keeper's process still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's number; its descendants are all that runs."""
        return self._process.pid

    def start(self, request: Mapping[str, object]) -> Started:
        """Start a process, on an environment that is ready.

        Raises:
            RunnerError: what the keeper says of it.
        """
        data = json.dumps(request, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        with self._asking:
            line, descriptors = self._exchanged(data)
        answer: _Answer = json.loads(line)
        if "_fatal_error" in answer:
            raise _error(answer["_fatal_error"])
        where = (answer["site"], answer["tree"], answer["sandbox"])
        return Started(answer["pid"], answer["digest"], answer["wire_error"], *where, *descriptors)

    def end(self, pid: int, grace_s: float, *, with_notice: bool) -> None:
        """Have a process ended soon; its pipe tells when nothing is left of it. A keeper that is gone has ended it."""
        request = {"verb": END, "pid": pid, "grace_s": grace_s, "with_notice": with_notice}
        # Never behind one that waits for an answer: a pool ends processes while it holds its own lock.
        with self._sending, contextlib.suppress(OSError):
            self._control.sendall(json.dumps(request).encode() + b"\n")

    def close(self) -> None:
        """End the keeper and everything it has started; may be called more than once."""
        # Not under the lock: whoever waits for an answer is to learn that there will be none.
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._process.wait()
        self._reader.join()
        self._control.close()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _exchanged(self, data: bytes) -> tuple[bytes, list[int]]:
        line, found = b"", list[int]()
        try:
            with self._sending:
                self._control.sendall(data)
            while not line.endswith(b"\n"):
                received, descriptors, _, _ = socket.recv_fds(
                    self._control, _CHUNK, _DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
                )
                found += descriptors
                if not received:
                    break
                line += received
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            for each in found:
                os.close(each)
            raise InternalError(f"the keeper of the warm processes is gone; it last said: {self._last_words()}")
        return line, found

    def _last_words(self) -> str:
        return " | ".join(list(self._said)[-5:]) or "nothing"

    def _forward(self) -> None:
        if self._process.stderr is not None:
            for line in self._process.stderr:
                self._said.append(line.rstrip("\n"))
                self._log(line.rstrip("\n"))


def ended(life: int, timeout_s: float) -> Ended | None:
    """Return what the pipe `life` tells of an end, once it has come; None when it does not within `timeout_s`."""
    limit = time.monotonic() + timeout_s
    data = b""
    poll = select.poll()
    poll.register(life, select.POLLIN)
    while poll.poll(max(0.0, limit - time.monotonic()) * 1000):
        piece = os.read(life, _CHUNK)
        if not piece:
            break
        data += piece
    else:
        return None
    try:
        document = json.loads(data)
    except ValueError:
        # The keeper was killed, and what it had started with it.
        return Ended(None, "")
    return Ended(document["status"], document["stderr_tail"])


def _started(theirs: socket.socket) -> "subprocess.Popen[str]":
    import uv  # noqa: PLC0415 - only a host that runs something needs it

    return subprocess.Popen(
        [sys.executable, "-P", "-s", "-u", str(Path(cold_runner.__file__).parent), "--keep"],
        stdin=theirs.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="backslashreplace",
        env={**os.environ, "BUNDLEKIT_UV": uv.find_uv_bin()},
    )


def _error(document: FatalError) -> RunnerError:
    return RunnerError(
        ErrorCode(document["error_code"]),
        Phase(document["phase"]),
        document["message"],
        type_name=document["type"],
        signal_name=document["signal"],
        stderr_tail=document["stderr_tail"],
        log_path=document["log_path"],
        retryable=document["retryable"],
    )
