"""The watch over the memory of extension modules."""

from collections.abc import Sequence

from bundlekit.isolation.native.comparison import native_changes
from bundlekit.isolation.native.libraries import variables_of
from bundlekit.isolation.native.snapshot import NativeSnapshot, snapshot_of
from bundlekit.isolation.watching import WatchedProcess
from bundlekit.model.isolation import NativeChange

__all__ = ["NativeWatch"]


class NativeWatch:
    """Sees what libraries keep between tasks; one for each process, whose snapshots share what is equal."""

    def __init__(self) -> None:
        self.unseen: tuple[str, ...] = ()
        self._last: NativeSnapshot | None = None

    def snapshot(self, process: WatchedProcess) -> NativeSnapshot:
        """Return the memory that the libraries of the process can write, and what hangs on it.

        Raises:
            OSError: the process is gone, or is not ours to look at.
        """
        self._last = snapshot_of(process, self._last)
        self.unseen = self._last.unseen
        return self._last

    def changes(self, snapshots: Sequence[NativeSnapshot], tasks: Sequence[int]) -> Sequence[NativeChange]:
        """Return what tasks changed and left, by library and address."""
        return native_changes(snapshots, tasks, variables_of)
