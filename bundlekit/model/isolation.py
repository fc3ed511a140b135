"""What the isolation experiment found: whether tasks change each other, which ones, by what, and how far it looked."""

import math
from enum import StrEnum
from typing import NamedTuple

from bundlekit.cold_runner.codes import EXIT_STATUS
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Obstacle
from bundlekit.model.grid import GridTask

__all__ = [
    "Behaviour",
    "Budget",
    "Cell",
    "Divergence",
    "IsolationOutcome",
    "NativeChange",
    "Order",
    "PythonChange",
    "Run",
    "Verdict",
    "Victim",
]

_MANY_ULPS = 1000
_LEAST_PERCENTAGE = 0.001


class Verdict(StrEnum):
    """What the experiment says of a bundle; the first that holds, in this order."""

    NONDETERMINISTIC = "nondeterministic"
    CRASHES_WARM = "crashes_warm"
    LEAKS = "leaks"
    ISOLATED = "isolated"


class Cell(StrEnum):
    """One task in one order, held against what it gave cold. SKIPPED: the budget was used up before."""

    SAME = "same"
    DIFFERENT = "different"
    CRASHED = "crashed"
    SKIPPED = "skipped"


class Behaviour(StrEnum):
    """How state behaves over the tasks A A B A of one process."""

    ACCUMULATES = "accumulates"
    PATH_DEPENDENT = "path-dependent"
    LAST_TASK = "last-task"
    CHANGED = "changed"


class Order(NamedTuple):
    """One warm process: `name` is what the order is called (grid, reversed, shuffled, ...), `tasks` are numbers."""

    name: str
    tasks: tuple[int, ...]


class Divergence(NamedTuple):
    """The first place where an output differs from the cold one.

    `place` says where in it (a column and row, a path in JSON, a line); `cold` and `warm` are both values as text,
    `ulps` their distance in units in the last place where they are floating point numbers of one type.
    """

    output: str
    place: str
    cold: str
    warm: str
    ulps: int | None = None

    def __str__(self) -> str:
        """What differs, where and by how much, as half a sentence."""
        place = f" at {self.place}" if self.place else ""
        distance = "" if self.ulps is None else f" ({self._distance(self.ulps)})"
        return f"output {self.output}{place}: {self.cold} alone, {self.warm} then{distance}"

    def _distance(self, ulps: int) -> str:
        """Return how far apart the two numbers are, in the unit that says most."""
        if ulps > _MANY_ULPS:
            try:
                share = abs(float(self.warm) - float(self.cold)) / abs(float(self.cold))
            except (ValueError, ZeroDivisionError):
                share = math.inf
            if math.isfinite(share):
                return f"{share:.1%} apart" if share >= _LEAST_PERCENTAGE else f"{share:.1e} of it apart"
        return f"{ulps} {'ULP' if ulps == 1 else 'ULPs'} apart"


class Run(NamedTuple):
    """All tasks of one order in one process; `cells` and `pids` go with its tasks, a pid is None where none ran."""

    order: Order
    cells: tuple[Cell, ...]
    pids: tuple[int | None, ...]
    seconds: float


class Victim(NamedTuple):
    """A task that another task changes. `sequence` are the fewest earlier tasks that do, then the victim itself.

    `order` is where it was seen first. `divergence` is None when it crashed, and `message` says how. `is_minimal` is
    False when the budget ended before the sequence could not be made shorter. `command` reproduces it.
    """

    task: int
    order: str
    cell: Cell
    sequence: tuple[int, ...]
    is_minimal: bool
    divergence: Divergence | None
    message: str | None
    command: str


class NativeChange(NamedTuple):
    """Memory of an extension module that a task changed and left.

    `library` is a file name, relative to where it is installed; `symbol` is demangled, None for a stripped library, of
    which `section` and `offset` (in bytes, from the section's start) are known. `size` is the variable's, in bytes.
    `task` is the number of the first task after which it had changed. `is_own` tells the bundle's modules from its
    dependencies'.
    `reached_by` says how memory that is not the symbol's own hangs on it: a pointer, a vector, thread-local storage.
    `is_cause` is True where writing its cold bytes back made the victim's output the cold one again, None if not tried.
    """

    library: str
    symbol: str | None
    section: str
    offset: int
    size: int
    task: int
    behaviour: Behaviour
    is_own: bool
    reached_by: str | None = None
    is_cause: bool | None = None


class PythonChange(NamedTuple):
    """State of the interpreter that a task changed and left.

    `kind` is one of: module-global, class-attribute, function-cache, function-default, function-attribute, closure,
    random, numpy, locale, warnings, environment, cwd, thread, open-file, signal-handler, file, import-path, other.
    `name` is what changed (``model.cache``), `before` and `after` are short texts of it.
    """

    kind: str
    name: str
    before: str
    after: str
    task: int
    behaviour: Behaviour
    is_own: bool


class Budget(NamedTuple):
    """What the experiment may use and used: executions of tasks, and wall seconds. `is_used_up`: it ended for this."""

    tasks: int
    seconds: float
    tasks_used: int = 0
    seconds_used: float = 0.0
    is_used_up: bool = False


class IsolationOutcome(NamedTuple):
    """The experiment on one bundle.

    `verdict` is None when no task succeeded cold, so that nothing can be said. `tasks` are those of the grid, by
    number; `failed_cold` are those that failed cold: they come before others like any task, and warm they
    must fail in the same way, unless they end the process, which leaves them out. `notes` are the words
    ``seed_ignored``, ``hash_order`` (results hang on the order of a set), ``differs_each_time`` and ``sequence_only``
    (one sequence was run, which says nothing of others); `not_shown` are sentences. `seed` is the shuffled order's.
    `sandbox` is the level that held, cold and warm. An `obstacle` is there whenever there is no verdict.
    """

    label: str
    name: str
    version: str
    digest: Digest
    spec: str
    verdict: Verdict | None
    tasks: tuple[GridTask, ...]
    runs: tuple[Run, ...]
    victims: tuple[Victim, ...]
    native_state: tuple[NativeChange, ...]
    python_state: tuple[PythonChange, ...]
    failed_cold: tuple[int, ...]
    notes: tuple[str, ...]
    not_shown: tuple[str, ...]
    seed: int
    budget: Budget
    requires_fresh_process: bool
    sandbox: str = "none"
    obstacle: Obstacle | None = None

    @property
    def exit_status(self) -> int:
        """0 when isolated, 1 for every other verdict, else that of what stood in the way (DESIGN decision 9)."""
        if self.obstacle is not None:
            return EXIT_STATUS[self.obstacle.code]
        return 0 if self.verdict is Verdict.ISOLATED else 1
