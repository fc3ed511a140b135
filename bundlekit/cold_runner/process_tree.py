"""The one place for platform code about processes: who is below us, killing all of them, reaping all of them.

On Linux a subreaper inherits whatever its descendants orphan, so the tree below it can be found and ended as a whole,
double forks and new sessions included. On macOS there is neither that nor a process list that could be trusted: the
process group is killed and a daemon that left it escapes. That path was never run; it is written from the manuals.

See: prctl(2) PR_SET_CHILD_SUBREAPER and PR_SET_DUMPABLE, proc(5), pidfd_open(2); DESIGN decision 5.
"""

import contextlib
import os
import signal
import sys
import time

__all__ = ["become_subreaper", "become_unreadable", "kill_descendants", "living_tree", "reap", "send_signal"]

_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PART = 1 << 16
_PATIENCE_S = 5.0
"""How long killed processes may take to be gone: one that waits for a dead disk may take for ever."""


def become_subreaper() -> bool:
    """Make this process the one that orphans below it fall to; return whether the platform can.

    Never call it in a process that is not ours alone: it would have to reap strangers. A fork does not inherit it.
    """
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def become_unreadable() -> bool:
    """Keep environment and memory of this process from others of the same user; return whether the platform can.

    They may hold secrets that no task is given. A fork inherits it; a program that is started does not. Who may trace
    any process (root) reads on.
    """
    return _prctl(_PR_SET_DUMPABLE, 0)


def _prctl(option: int, value: int) -> bool:
    if sys.platform != "linux":
        return False
    try:
        # The ctypes package costs most of an interpreter start; its core is all that one call needs.
        import _ctypes  # noqa: PLC0415 - the standalone runner must start without it where it is not built

        program = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # None is the program itself, as in dlopen(3)
        prctl = _ctypes.dlsym(program, "prctl")
        return bool(_ctypes.call_function(prctl, (option, value, 0, 0, 0)) == 0)
    except (ImportError, AttributeError, OSError):
        return False


def reap(*, stopped: bool = False, peaks: dict[int, int] | None = None) -> dict[int, int] | None:
    """Return the wait statuses of children that ended, by pid, without waiting; None when there is no child at all.

    With `stopped`, children that were stopped are told too (``os.WIFSTOPPED``); they are not gone. `peaks` is given the
    ``ru_maxrss`` of each.
    """
    statuses: dict[int, int] = {}
    flags = os.WNOHANG | (os.WUNTRACED if stopped else 0)
    while True:
        try:
            pid, status, usage = os.wait4(-1, flags)
        except ChildProcessError:
            return statuses or None
        if pid == 0:
            return statuses
        statuses[pid] = status
        if peaks is not None:
            peaks[pid] = usage.ru_maxrss


def kill_descendants(
    *, group: int | None = None, spared: set[int] | None = None, peaks: dict[int, int] | None = None
) -> dict[int, int]:
    """Kill and reap everything below this process; return the wait statuses of those that were its children.

    First all are stopped, again and again until a look finds none that still runs, because a process that still runs
    may fork faster than it is killed. `group` is the process group to kill where the tree cannot be seen. `spared` are
    children that may live on, with what is below them; those that have ended are taken out of it. `peaks` is as in
    :func:`reap`.
    """
    spared = set() if spared is None else spared
    statuses: dict[int, int] = {}
    limit = time.monotonic() + _PATIENCE_S
    while True:
        ended = reap(peaks=peaks)
        statuses.update(ended or {})
        spared.difference_update(statuses)
        if ended is None or time.monotonic() > limit or (spared and _has_no_child_but(spared)):
            return statuses
        if sys.platform == "linux":
            for pid in _stopped_tree(spared):
                send_signal(pid, signal.SIGKILL)
        elif group is not None:
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)
        time.sleep(0.001)


def _has_no_child_but(spared: set[int]) -> bool:
    """Whether all children of this process are among `spared`; what they orphan becomes a child, so none hides below.

    Asked first because a look at every process of the machine costs a tenth of an interpreter's start.
    """
    try:
        return spared.issuperset(_children(os.getpid()))
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return not _descendants(spared)


def living_tree(spared: set[int]) -> list[int]:
    """Return the pids below this process but `spared` and what is below them, nearly all: some may be born meanwhile.

    It never looks at other processes of the machine; where the kernel does not tell of children, it finds none.
    """
    found: list[int] = []
    open_ends = [os.getpid()]
    while open_ends:
        with contextlib.suppress(OSError):
            children = [pid for pid in _children(open_ends.pop()) if pid not in spared]
            found += children
            open_ends += children
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        children += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    return children


def _stopped_tree(spared: set[int]) -> set[int]:
    stopped: set[int] = set()
    while True:
        new = _descendants(spared) - stopped
        if not new:
            return stopped
        for pid in new:
            send_signal(pid, signal.SIGSTOP)
        stopped |= new


def _descendants(spared: set[int]) -> set[int]:
    """Return the pids of all living processes below this one, but `spared` and what is below them."""
    below: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            parent = _parent(int(name))
            if parent is not None:
                below.setdefault(parent, []).append(int(name))
    found: set[int] = set()
    open_ends = [os.getpid()]
    while open_ends:
        children = [pid for pid in below.get(open_ends.pop(), []) if pid not in spared]
        found.update(children)
        open_ends.extend(children)
    return found


def _read(path: str) -> bytes:
    """Return what a small file of the kernel holds, by fewer calls than a file object makes."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = b""
        while part := os.read(descriptor, _PART):
            data += part
        return data
    finally:
        os.close(descriptor)


def _parent(pid: int) -> int | None:
    """Return the parent of `pid`, or None when it is gone. A zombie counts: other threads of it may still run."""
    try:
        stat = _read(f"/proc/{pid}/stat")
    except OSError:
        return None
    # The name may hold spaces and parentheses, so fields are counted from the last parenthesis.
    return int(stat[stat.rindex(b")") + 2 :].split(maxsplit=2)[1])


def send_signal(pid: int, number: int) -> None:
    """Signal `pid` if it still is below us: by a descriptor, since a bare number may have been given to a stranger."""
    if sys.platform != "linux":
        return
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if _is_below(pid):
            signal.pidfd_send_signal(descriptor, number)
    except OSError:
        return
    finally:
        os.close(descriptor)


def _is_below(pid: int) -> bool:
    own = os.getpid()
    ancestor: int | None = pid
    while ancestor is not None and ancestor > 1:
        ancestor = _parent(ancestor)
        if ancestor == own:
            return True
    return False
