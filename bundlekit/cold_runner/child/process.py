"""Watches a child to its end: its exit, its deadline, or ours.

It is the exit that is waited for, never the end of a pipe: a daemon that inherited one would hold it for ever.
"""

import contextlib
import math
import os
import select
import signal
import sys
import time
from typing import NamedTuple

from ..memory_use import MemoryWatch
from ..phase_limits import PhaseClock, PhaseLimits
from ..process_tree import kill_descendants, reap
from ..stderr_log import StderrLog
from .channel import STACK_SIGNAL
from .report import ChildReport

__all__ = ["Child", "Ending", "Wakeups", "watch"]

_GRACE_S = 2.0
"""How long a child may live after its result is complete."""
_PIPE_BYTES = 1 << 20
_TICK_S = 60.0
_STACK_S, _QUIET_S = 0.2, 0.02
"""How long a child may take to show its stacks, and the silence after which it is taken to have done so."""


class Child(NamedTuple):
    """A running child and our ends of its pipes."""

    pid: int
    result: int
    stderr: int


class Ending(NamedTuple):
    """How a child ended: `status` is its exit status, negative for a signal, None when it had to be killed by us.

    `overstepped` tells which limit it did not keep, if any.
    """

    status: int | None
    overstepped: str | None


class Wakeups:
    """Makes signals wake a poll: SIGCHLD writes a byte into a pipe. One for a process, in its main thread."""

    def __init__(self) -> None:
        self.descriptor, writing = os.pipe()
        for end in (self.descriptor, writing):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def clear(self) -> bytes:
        """Return the numbers of the signals that came, and forget them."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self.descriptor, 4096)
        return b""


def watch(  # noqa: PLR0917 - one caller, and each is a different thing
    child: Child,
    report: ChildReport,
    log: StderrLog,
    wakeups: Wakeups,
    limits: PhaseLimits,
    spared: set[int],
    memory: MemoryWatch,
) -> Ending:
    """Feed `report`, `log` and `memory` until the child has ended and nothing of its tree is left but `spared`.

    Raises:
        RunnerError: what the child sent cannot be a result; its tree has been killed.
    """
    statuses: dict[int, int] = {}
    clock = PhaseClock(limits)
    overstepped: str | None = None
    try:
        if not _ended_in_time(child, report, log, wakeups, clock, memory, statuses):
            overstepped = clock.allowed(report.phase)
            _give_notice(child, log, limits.grace_s)
    finally:
        spared.difference_update(statuses)
        statuses.update(kill_descendants(group=child.pid, spared=spared, peaks=memory.peaks))
        log.drain(child.stderr)
    killed = overstepped is not None or child.pid not in statuses
    return Ending(None if killed else os.waitstatus_to_exitcode(statuses[child.pid]), overstepped)


def _give_notice(child: Child, log: StderrLog, grace_s: float) -> None:
    """Have a child that is out of time show where it is, and ask it to end; return when it has, or has had its time.

    It is not reaped here, so that its number stays its own.
    """
    if sys.platform == "linux":
        _send(child.pid, STACK_SIGNAL)
        _listen(child, log, _STACK_S, quiet_s=_QUIET_S)
    _send(child.pid, signal.SIGTERM)
    _listen(child, log, grace_s, quiet_s=None)


def _listen(child: Child, log: StderrLog, seconds: float, *, quiet_s: float | None) -> None:
    """Take what the child says until it has ended, or `seconds` are over, or it fell silent after having spoken."""
    limit = time.monotonic() + seconds
    silent_at = limit
    while time.monotonic() < min(limit, silent_at) and not _has_ended(child.pid):
        before = log.kept.total
        if not log.is_full and _is_readable(child.stderr) and not log.read(child.stderr):
            break
        if quiet_s is not None and log.kept.total > before:
            silent_at = time.monotonic() + quiet_s
        log.forward()
        time.sleep(0.002)


def _has_ended(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _is_readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)


def _ended_in_time(  # noqa: PLR0917 - one caller, and each is a different thing
    child: Child,
    report: ChildReport,
    log: StderrLog,
    wakeups: Wakeups,
    clock: PhaseClock,
    memory: MemoryWatch,
    statuses: dict[int, int],
) -> bool:
    open_ends = {child.result, child.stderr}
    complete_by = math.inf
    while True:
        limit = min(complete_by, clock.limit(report.phase))
        if time.monotonic() >= memory.next_look:
            memory.look()
        until = min(limit, memory.next_look)
        ready = _polled(open_ends, child.stderr, log, wakeups, min(until - time.monotonic(), _TICK_S))
        wakeups.clear()
        log.forward()
        statuses.update(reap(peaks=memory.peaks) or {})
        has_exited = child.pid in statuses
        if child.result in open_ends and (child.result in ready or has_exited):
            was_complete = report.is_complete
            if not _fed(report, child.result, to_the_end=has_exited):
                open_ends.discard(child.result)
            if report.is_complete and not was_complete:
                complete_by = time.monotonic() + _GRACE_S
                memory.look()
        if child.stderr in ready and not log.read(child.stderr):
            open_ends.discard(child.stderr)
        if has_exited:
            return True
        if time.monotonic() >= limit:
            return report.is_complete


def _polled(open_ends: set[int], stderr: int, log: StderrLog, wakeups: Wakeups, seconds: float) -> set[int]:
    poll = select.poll()
    poll.register(wakeups.descriptor, select.POLLIN)
    for end in open_ends:
        # The child waits for whoever reads our log, as it would without us between them; its deadline still counts.
        if end != stderr or not log.is_full:
            poll.register(end, select.POLLIN)
    if log.has_pending:
        poll.register(2, select.POLLOUT)
    return {end for end, _ in poll.poll(max(0, math.ceil(seconds * 1000)))}


def _fed(report: ChildReport, descriptor: int, *, to_the_end: bool) -> bool:
    """Read once, or all there is; return False at the end of the pipe."""
    while True:
        try:
            data = os.read(descriptor, _PIPE_BYTES)
        except BlockingIOError:
            return True
        if not data:
            return False
        report.feed(data)
        if not to_the_end:
            return True
