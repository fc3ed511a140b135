"""What processes share by name beside files: /dev/shm, System V objects, message queues. They outlive who made them.

Where this process may have namespaces of its own, tasks meet none that another task made. Elsewhere they are the
machine's, and a sandbox is what keeps tasks apart.

See: ipc_namespaces(7), sysvipc(7), mq_overview(7), shm_overview(7).
"""

import contextlib
import os
from collections.abc import Callable

from .environments.room import made_private
from .environments.tree_removal import discard_tree
from .mounts import enter_ipc_namespace, enter_mount_namespace, mount_queues, mount_shared_memory, unmount

__all__ = ["SharedObjects"]

_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - made private, not used
_TABLES = tuple(f"/proc/sysvipc/{kind}" for kind in ("shm", "sem", "msg"))
_HEAD_LINES = 1


class SharedObjects:
    """Keeps what tasks share apart, from the first on; `before_renewal` ends what waits and still has the old ones."""

    def __init__(self, room: str, before_renewal: Callable[[], None]) -> None:
        self._room, self._queues = room, os.path.join(room, "queues")
        self._before_renewal = before_renewal
        self._own: bool | None = None

    def begin(self) -> None:
        """Make ready for a task, if it is the first."""
        if self._own is None:
            self._own = enter_mount_namespace() and mount_shared_memory(_SHARED_MEMORY) and self._renewed()

    def tidy(self) -> None:
        """Throw away what a task has left."""
        if not self._own:
            return
        for name in os.listdir(_SHARED_MEMORY):
            self._discard(os.path.join(_SHARED_MEMORY, name))
        if os.listdir(self._queues) or any(map(_has_entries, _TABLES)):
            self._before_renewal()
            unmount(self._queues)
            self._own = self._renewed()

    def close(self) -> None:
        """Let go of what would keep the room from being removed."""
        if self._own:
            unmount(self._queues)
            self._own = False

    def _renewed(self) -> bool:
        for directory in (self._room, self._queues):
            made_private(directory)
        return enter_ipc_namespace() and mount_queues(self._queues)

    @staticmethod
    def _discard(path: str) -> None:
        if os.path.isdir(path) and not os.path.islink(path):
            discard_tree(path)
        else:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _has_entries(table: str) -> bool:
    try:
        with open(table, "rb") as file:
            return len(file.readlines()) > _HEAD_LINES
    except OSError:  # a kernel without CONFIG_SYSVIPC
        return False
