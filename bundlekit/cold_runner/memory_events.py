"""Whether the kernel killed for lack of memory: the counter of the control group that this process is in.

A process that dies of SIGKILL may have been killed by anybody. That the counter grew meanwhile is evidence; its absence
is none. Everything below the group counts, so of several tasks at once another one may be meant.

See: the kernel's cgroup-v2.rst (memory.events) and cgroup-v1/memory.rst (memory.oom_control).
"""

import contextlib
import os

__all__ = ["OomKills"]


class OomKills:
    """Counts out-of-memory kills in the group of this process since :meth:`begin`; none where nothing can be read."""

    def __init__(self, membership: str = "/proc/self/cgroup", mounted: str = "/sys/fs/cgroup") -> None:
        self.path: str | None = None
        self._descriptor = -1
        for path in _candidates(membership, mounted):
            with contextlib.suppress(OSError):
                self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                self.path = path
                break
        self._before = self._read()

    def begin(self) -> None:
        """Count from now on."""
        self._before = self._read()

    def since(self) -> int:
        """Return how many there were since then."""
        return _counted(self._read()) - _counted(self._before)

    def close(self) -> None:
        """Let go of the counter's file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read(self) -> bytes:
        if self._descriptor < 0:
            return b""
        try:
            return os.pread(self._descriptor, 4096, 0)
        except OSError:
            return b""


def _counted(text: bytes) -> int:
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(b"oom_kill ")), 0)


def _candidates(membership: str, mounted: str) -> list[str]:
    """Return the files that may hold the counter; in a container the path of the group may not be what it sees."""
    try:
        with open(membership, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            found += [f"{mounted}/memory{place}/memory.oom_control" for place in (path, "")]
        elif not controllers:
            found += [f"{mounted}{place}/memory.events" for place in (path, "")]
    return found
