"""Shows that a variable is the cause: with its cold bytes written back before the victim, the output is cold again.

Each try is a process of its own, which is thrown away. Where several variables are the cause together, as a memo and
the key that it was made for, those are found that are all needed.
"""

import contextlib
from collections.abc import Callable, Sequence

from bundlekit.isolation.minimise import minimal
from bundlekit.isolation.native.memory import ProcessMemory
from bundlekit.isolation.native.restoring import writes_to_restore
from bundlekit.isolation.native.snapshot import NativeSnapshot, snapshot_of
from bundlekit.isolation.sequences import Between
from bundlekit.isolation.watching import WatchedProcess
from bundlekit.model.isolation import NativeChange

__all__ = ["Rerun", "undo", "with_causes"]

Rerun = Callable[[Between], bool | None]
"""Runs the victim after what changes it, in a process of its own; returns whether it gave what it gives cold.

None when that was not to be had: the budget is used up.
"""

_MOST = 12
"""Changes that are tried; each costs a few runs of the sequence."""


class _BudgetEndedError(Exception):
    """There are no more runs."""


def undo(process: WatchedProcess, cold: NativeSnapshot, changes: Sequence[NativeChange]) -> list[NativeChange]:
    """Write into `process` what the variables of `changes` had in `cold`, its own snapshot; return those it worked for.

    Raises:
        OSError: the process is gone, or is not ours to write to.
    """
    now = snapshot_of(process, cold)
    done = []
    with ProcessMemory(process.pid) as memory:
        for change in changes:
            writes = writes_to_restore(cold, now, change)
            if writes is not None:
                for write in writes:
                    memory.write(*write)
                done.append(change)
    return done


def with_causes(changes: Sequence[NativeChange], polluters: int, rerun: Rerun) -> tuple[NativeChange, ...]:
    """Return `changes` with what was shown of each: that it is the cause, or is not, or that it could not be tried.

    `polluters` is how many tasks come before the victim.
    """
    tried = _Tried(changes[:_MOST], polluters, rerun)
    try:
        causes = tried.causes()
    except _BudgetEndedError:
        return tuple(changes)
    # Where one that cannot be written back may be needed too, the others are not shown to be innocent.
    is_shown = bool(causes) or len(tried.possible) == len(changes)
    told = {number: number in causes for number in tried.possible} if is_shown else {}
    return tuple(change._replace(is_cause=told.get(number)) for number, change in enumerate(changes))


class _Tried:
    def __init__(self, changes: Sequence[NativeChange], polluters: int, rerun: Rerun) -> None:
        self._changes, self._polluters, self._rerun = changes, polluters, rerun
        self._known: dict[tuple[int, ...], bool] = {}
        self.possible: set[int] = set()

    def causes(self) -> frozenset[int]:
        """Return the numbers of the changes that must be undone for a cold output, none where all of them do not do.

        Raises:
            _BudgetEndedError: as it says.
        """
        everything = tuple(range(len(self._changes)))
        if not everything or not self._is_cold_without(everything):
            return frozenset()
        return frozenset(minimal(tuple(sorted(self.possible)), self._is_cold_without))

    def _is_cold_without(self, numbers: tuple[int, ...]) -> bool:
        if numbers not in self._known:
            undoing = _Undoing([self._changes[number] for number in numbers], self._polluters)
            is_cold = self._rerun(undoing)
            if is_cold is None:
                raise _BudgetEndedError
            self.possible |= {number for number in numbers if self._changes[number] in undoing.done}
            self._known[numbers] = is_cold
        return self._known[numbers]


class _Undoing:
    """Is there between tasks: keeps what memory was after import, and writes it back before the victim."""

    def __init__(self, changes: Sequence[NativeChange], polluters: int) -> None:
        self._changes, self._polluters = changes, polluters
        self._calls = 0
        self._cold: NativeSnapshot | None = None
        self.done: list[NativeChange] = []

    def __call__(self, process: WatchedProcess) -> None:
        # Where memory cannot be read or written nothing is undone, and the victim shows nothing.
        with contextlib.suppress(OSError):
            if self._calls == 0:
                self._cold = snapshot_of(process)
            elif self._calls == self._polluters and self._cold is not None:
                self.done = undo(process, self._cold, self._changes)
        self._calls += 1
