"""What state tasks leave in a warm process, as the watches see it: over the order A A B A, and up to a victim."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.isolation.watching import Watch, WatchedProcess
from bundlekit.model.isolation import Behaviour, NativeChange, PythonChange

__all__ = ["Look", "Observer", "State", "Watches", "told"]

SnapshotT = TypeVar("SnapshotT")
ChangeT = TypeVar("ChangeT")
ChangeT_co = TypeVar("ChangeT_co", covariant=True)


class Looking(Protocol[ChangeT_co]):
    """One watch over one process, without the type of its snapshots."""

    @property
    def problems(self) -> Sequence[str]:
        """What it does not see, in clauses."""

    def look(self, process: WatchedProcess) -> None:
        """Take one more snapshot."""

    def changes(self, tasks: Sequence[int]) -> Sequence[ChangeT_co]:
        """Return what changed over `tasks`, the first that ran."""

    def left_by(self, tasks: Sequence[int]) -> Sequence[ChangeT_co]:
        """Return all that differs from what was there after the import, when `tasks` had run."""


class Observer(Generic[SnapshotT, ChangeT]):
    """A watch with its snapshots of one process."""

    def __init__(self, watch: Watch[SnapshotT, ChangeT]) -> None:
        self._watch = watch
        self._snapshots: list[SnapshotT] = []
        self._problem: str | None = None

    @property
    def problems(self) -> Sequence[str]:
        """Why it sees nothing more, or what it does not see otherwise, in clauses."""
        return self._watch.unseen if self._problem is None else (self._problem,)

    def look(self, process: WatchedProcess) -> None:
        """Take one more snapshot; one that cannot be taken ends it, for the tasks must not suffer by it."""
        if self._problem is None:
            try:
                self._snapshots.append(self._watch.snapshot(process))
            except (OSError, RunnerError) as error:
                self._problem = str(error)

    def changes(self, tasks: Sequence[int]) -> Sequence[ChangeT]:
        """Return what changed over `tasks`, as far as there are snapshots."""
        seen = tasks[: max(0, len(self._snapshots) - 1)]
        return self._watch.changes(self._snapshots[: len(seen) + 1], seen) if seen else ()

    def left_by(self, tasks: Sequence[int]) -> Sequence[ChangeT]:
        """Return all that differs from what was there after the import, when `tasks` had run."""
        if not tasks or len(self._snapshots) <= len(tasks):
            return ()
        return self._watch.changes([self._snapshots[0], self._snapshots[len(tasks)]], [tasks[-1]])


class Look(NamedTuple):
    """All watches over one process."""

    native: Looking[NativeChange]
    python: Looking[PythonChange]

    def between(self, process: WatchedProcess) -> None:
        """Look at the process, which runs no task now."""
        self.native.look(process)
        self.python.look(process)

    def problems(self) -> list[str]:
        """Return sentences about what was not seen."""
        kinds = (("native", self.native.problems), ("Python", self.python.problems))
        return [f"{kind} state: {problem}" for kind, problems in kinds for problem in problems]


Watches = Callable[[], Look]
"""Makes new watches, for a new process."""


class State(NamedTuple):
    """What tasks left."""

    native: tuple[NativeChange, ...] = ()
    python: tuple[PythonChange, ...] = ()

    def joined(self, other: "State") -> "State":
        """Return what either has; of what both have, this one's word, but for causes, which are the other's."""
        causes = {each[:4]: each.is_cause for each in other.native}
        known = [each._replace(is_cause=causes.get(each[:4])) for each in self.native]
        native = {each[:4]: each for each in (*other.native, *known)}
        python = {each[:2]: each for each in (*other.python, *self.python)}
        return State(tuple(native.values()), tuple(python.values()))


def told(state: State, *, differs: bool) -> State:
    """Return what is worth telling: of dependencies, and of what every task overwrites, only if outputs differ."""
    if differs:
        return state
    return State(
        tuple(each for each in state.native if each.is_own and each.behaviour is not Behaviour.LAST_TASK),
        tuple(each for each in state.python if each.is_own and each.behaviour is not Behaviour.LAST_TASK),
    )
