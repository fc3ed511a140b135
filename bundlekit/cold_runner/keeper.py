"""The keeper form: starts the processes of a warm pool, holds what they need, and sees each of them to its end.

A host asks on a socket, its end of which is our stdin: one JSON line to start a process, one to have it ended. Of a new
process the host gets four descriptors: two pipes on which it talks to it without us, one that tells how it ended, once
nothing of its tree is left, and the file in which the process notes what it does. What leaves the tree of its process
(a daemon) is nobody's: it is ended when any process of this keeper ends.

See: DESIGN decision 5; `child/warm` for what runs in the processes, `bundlekit/executors/warm` for the host.
"""

import math
import os
import select
import socket
import sys
import time
from contextlib import suppress

from .codes import ErrorCode, Phase
from .kept_bundles import BundleKey, KeptBundles
from .kept_process import KeptProcess, WarmStart
from .process_tree import kill_descendants, reap
from .runner_error import RunnerError
from .sandbox.asked import sandbox_of
from .server_request import parse_request
from .strict_json import JsonValue, StrictJsonError, dumps, loads
from .supervisor import Supervisor

__all__ = ["END", "START", "keep"]

START, END = "keep", "end"
"""The verbs of requests. One to start is that of the server form; one to end has pid, grace_s and with_notice."""
_CHUNK = 1 << 20
_MAX_REQUEST_BYTES = 1 << 28
_TICK_MS = 60_000


def keep(supervisor: Supervisor, host: int) -> None:
    """Do what the process `host` asks for, until it is gone, or has closed its end of the socket."""
    supervisor.is_idle = True
    with socket.socket(fileno=os.dup(0)) as control:
        _Keeper(supervisor, control, _watched(host)).run()


def _watched(host: int) -> int | None:
    """Return what tells of the end of `host`: a process that it forked may hold the other end of our stdin."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(host)
    except OSError:
        return None


class _Keeper:
    def __init__(self, supervisor: Supervisor, control: socket.socket, host: int | None) -> None:
        self._host = host
        self._supervisor = supervisor
        self._control = control
        self._log = supervisor.log
        self._bundles = KeptBundles(self._log.line)
        self._processes: dict[int, tuple[KeptProcess, BundleKey]] = {}
        self._silent: set[int] = set()
        self._buffer = bytearray()

    def run(self) -> None:
        """Serve until the other end of the socket is closed; what still runs then is the guardian's to kill."""
        while True:
            ready = self._polled()
            self._supervisor.wakeups.clear()
            self._log.forward()
            self._listen(ready)
            self._ended(reap() or {})
            if self._host in ready or (self._control.fileno() in ready and not self._served()):
                return
            self._step()

    def _polled(self) -> set[int]:
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._supervisor.wakeups.descriptor, select.POLLIN)
        if self._host is not None:
            poll.register(self._host, select.POLLIN)
        if self._log.has_pending:
            poll.register(2, select.POLLOUT)
        due = math.inf
        for pid, (process, _) in self._processes.items():
            # As in the server form, a process waits for whoever reads our log.
            if pid not in self._silent and not self._log.is_full:
                poll.register(process.stderr, select.POLLIN)
            due = min(due, math.inf if process.next_step is None else process.next_step)
        wait_ms = min(max(0.0, (due - time.monotonic()) * 1000), _TICK_MS)
        return {end for end, _ in poll.poll(math.ceil(wait_ms))}

    def _listen(self, ready: set[int]) -> None:
        for pid, (process, _) in self._processes.items():
            if process.stderr in ready and not process.read(self._log):
                self._silent.add(pid)

    def _step(self) -> None:
        for pid, (process, _) in list(self._processes.items()):
            if pid in self._processes and process.stepped():
                self._ended({pid: None})

    def _ended(self, statuses: dict[int, int] | dict[int, None]) -> None:
        """See to the ends of processes, and kill what they have left; a status of None has the process killed too."""
        pending: dict[int, int | None] = {**statuses}
        while pending:
            ended = {pid: self._processes.pop(pid) for pid in pending if pid in self._processes}
            codes = {
                pid: None if pending[pid] is None else os.waitstatus_to_exitcode(pending[pid] or 0) for pid in ended
            }
            # Orphans fall to us, those of processes that are not ours to tell apart included.
            others = kill_descendants(spared=set(self._processes))
            pending = {pid: status for pid, status in others.items() if pid in self._processes}
            for pid, (process, key) in ended.items():
                self._silent.discard(pid)
                process.tell(codes[pid], self._log)
                process.close()
                self._bundles.leave(key)

    def _served(self) -> bool:
        data = self._control.recv(_CHUNK)
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = rest
        for line in lines:
            self._serve(line)
        return bool(data) and len(rest) <= _MAX_REQUEST_BYTES

    def _serve(self, line: bytearray) -> None:
        try:
            table = loads(line)
        except StrictJsonError as error:
            self._answer({"_fatal_error": _refused(str(error)).document()}, ())
            return
        if isinstance(table, dict) and table.get("verb") == END:
            self._end(table)
            return
        try:
            process, document = self._started(line)
        except RunnerError as error:
            self._log.line(f"Failed: {error.code}: {error.message}")
            self._answer({"_fatal_error": error.document()}, ())
            return
        self._answer(document, process.theirs)
        process.handed_over()

    def _started(self, line: bytearray) -> tuple[KeptProcess, dict[str, object]]:
        self._supervisor.check_room()
        request = parse_request(line, verbs=(START,))
        key, prepared = self._bundles.taken(request)
        try:
            sandbox = sandbox_of(request)
            start = WarmStart(prepared, request.pass_env, request.env, request.limits.by_name(), sandbox)
            process = KeptProcess(start, self._supervisor.scratch_directory(), self._supervisor.overlays)
        except BaseException:
            self._bundles.leave(key)
            raise
        self._processes[process.pid] = process, key
        self._log.line(f"Child process PID {process.pid}: Started for tasks of {prepared.digest}")
        return process, {
            "pid": process.pid,
            "python": prepared.python,
            "digest": prepared.digest,
            "environment_key": prepared.environment_key,
            "site": prepared.site,
            "tree": process.tree,
            "sandbox": sandbox.level,
            "wire_error": prepared.wire_error or (None if prepared.wire else "the bundle has no wire function"),
        }

    def _end(self, table: dict[str, JsonValue]) -> None:
        pid, grace_s, with_notice = table.get("pid"), table.get("grace_s"), table.get("with_notice")
        # It may have ended meanwhile, and is told by its pipe.
        if isinstance(pid, int) and isinstance(grace_s, (int, float)) and pid in self._processes:
            self._processes[pid][0].end(grace_s, with_notice=bool(with_notice))

    def _answer(self, document: dict[str, object], descriptors: tuple[int, ...]) -> None:
        data = dumps(document).encode("utf-8", "backslashreplace") + b"\n"
        # A host that is gone needs no answer, and its end of the socket tells us in the next turn.
        with suppress(OSError):
            sent = socket.send_fds(self._control, [data], descriptors) if descriptors else 0
            self._control.sendall(data[sent:])


def _refused(message: str) -> RunnerError:
    return RunnerError(ErrorCode.USAGE, Phase.TASK, message)
