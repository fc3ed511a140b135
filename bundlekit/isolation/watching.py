"""The one boundary inside of the experiment: what looks at a warm process between its tasks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

__all__ = ["Watch", "WatchedProcess"]

SnapshotT = TypeVar("SnapshotT")
ChangeT_co = TypeVar("ChangeT_co", covariant=True)


class WatchedProcess(Protocol):
    """A warm process that has imported the bundle and runs no task now; it cannot change while it is looked at."""

    pid: int
    code: Path
    """Where the bundle's own modules are installed; whatever else is loaded comes from dependencies."""
    tree: Path
    """Its own copy of the bundle's files: modules are loaded from there that no build installs."""

    def ask(self, method: str, params: Mapping[str, object]) -> Mapping[str, object]:
        """Return the child's answer to a call that runs no task."""


class Watch(Protocol[SnapshotT, ChangeT_co]):
    """Sees one kind of state."""

    unseen: tuple[str, ...]
    """What the last snapshot could not see, in clauses."""

    def snapshot(self, process: WatchedProcess) -> SnapshotT:
        """Return what there is to see now: the first is taken when the bundle is imported, then one after each task."""

    def changes(self, snapshots: Sequence[SnapshotT], tasks: Sequence[int]) -> Sequence[ChangeT_co]:
        """Return what tasks changed and left; `snapshots` has one more than `tasks`, the numbers of what ran."""
