"""How much memory a task's processes took at most, together, as far as it can be seen from outside of them.

The task is never asked, and the largest of three figures counts:

- the kernel's own high-water mark of each process (VmHWM), read at every look: of one process hardly a peak is lost;
- where there are several, the sum of their proportional set sizes (PSS, with what is swapped out), in which a page that
  they share counts once: a peak between two looks is lost, so the figure is a floor then;
- ``ru_maxrss`` of each process that was waited for, which is complete. But a program that is started inherits the mark
  of the process that started it, here ours, so it counts only where it is above that.

A first look is taken when the task gets its job, one when its result has come, and between them one every 10 ms, or as
often as 2 % of one processor allow. For a PSS the kernel walks through all pages, 8 ms for 300 MB: that has 2 % of its
own, or 10 % while the tree grows. A task that is not measured is not looked at.

Not seen are pages that no process maps: files in memory (tmpfs), and what the kernel keeps of files on disks. A control
group would see those, cached files as well (no need of the task), but takes one that we may divide, and what a
process took before it joined stays with the group that it left.

See: proc(5), smaps_rollup and status; getrusage(2); the kernel's fs/exec.c, ``setmax_mm_hiwater_rss``.
"""

import math
import sys
import time
from collections.abc import Iterable, Mapping

from .process_tree import living_tree

__all__ = ["MemoryWatch"]

_INTERVAL_S = 0.01
_PAUSE, _PAUSE_IN_GROWTH = 50, 10
"""How long to wait until the next time, in times of what the last one took."""
_GROWTH = 1.01
"""A tree grows that is larger by more than measurements differ."""
_KIB = 1024
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else _KIB


class MemoryWatch:
    """Watches the processes of one task, all below this one but `spared`; with `wanted` False it does nothing.

    `peaks` takes the ``ru_maxrss`` of processes that were waited for, by pid, as the kernel gives it. `next_look` is
    when :meth:`look` should be called next, as :func:`time.monotonic` counts. `processes` is the most seen at once.
    """

    def __init__(self, spared: Iterable[int], *, wanted: bool) -> None:
        self.peaks: dict[int, int] | None = {} if wanted else None
        self.next_look = 0.0 if wanted else math.inf
        self.processes = 0
        self._spared = set(spared)
        self._own = _own_mark() if wanted else 0
        self._seen = 0
        self._resident = 0
        self._weighed_at, self._weighing_s = 0.0, 0.0

    def look(self) -> None:
        """See how much the tree takes now."""
        if self.peaks is None:
            return
        # Not by the wall: on a busy machine that is the time of others.
        started = time.thread_time()
        own = {pid: _status(pid) for pid in living_tree(self._spared)}
        living = {pid: resident for pid, (mark, resident) in own.items() if mark}
        self.processes = max(self.processes, len(living))
        self._seen = max(self._seen, *(mark for mark, _ in own.values()), 0)
        pause = max(_INTERVAL_S, _PAUSE * (time.thread_time() - started))
        if len(living) > 1:
            self._weigh(living)
        self.next_look = time.monotonic() + pause

    def _weigh(self, living: Mapping[int, int]) -> None:
        """Add up what the processes take together, where it is time; `living` are their resident sizes by pid."""
        resident = sum(living.values())
        pause = _PAUSE_IN_GROWTH if resident > _GROWTH * self._resident else _PAUSE
        if time.monotonic() < self._weighed_at + pause * self._weighing_s:
            return
        started = time.thread_time()
        self._seen = max(self._seen, sum(map(_proportional, living)))
        self._resident = max(self._resident, resident)
        self._weighed_at, self._weighing_s = time.monotonic(), time.thread_time() - started

    def document(self) -> dict[str, int] | None:
        """Return ``{"peak", "processes"}``, the peak in bytes, or None where nothing was measured."""
        if self.peaks is None:
            return None
        marks = [_MAXRSS_UNIT * mark for pid, mark in self.peaks.items() if pid not in self._spared]
        told = [mark for mark in marks if mark > self._own or not self._seen]
        peak = max([self._seen, *told])
        return {"peak": peak, "processes": max(1, self.processes)} if peak else None


def _own_mark() -> int:
    import resource  # noqa: PLC0415 - most tasks are not measured

    return _MAXRSS_UNIT * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _status(pid: int) -> tuple[int, int]:
    """Return the high-water mark and the resident size of a process in bytes, zeros when it has ended."""
    text = _text(f"/proc/{pid}/status")
    return _field(text, b"VmHWM:"), _field(text, b"VmRSS:")


def _proportional(pid: int) -> int:
    """Return the proportional set size in bytes, the whole resident one where that may not be read."""
    text = _text(f"/proc/{pid}/smaps_rollup")
    return _field(text, b"Pss:") + _field(text, b"SwapPss:") if text else _status(pid)[1]


def _text(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(1 << 14)
    except OSError:
        return b""


def _field(text: bytes, name: bytes) -> int:
    """Return a field of /proc in bytes, 0 where there is none."""
    _, found, rest = text.partition(b"\n" + name)
    return _KIB * int(rest.split(maxsplit=1)[0]) if found else 0
