"""The document of ``isolation``; times in seconds, tasks by their number in the grid, from 0."""

from typing import Literal

from typing_extensions import TypedDict

from bundlekit.model.documents.errors import ErrorDocument
from bundlekit.model.documents.grids import GridBundleDocument

__all__ = [
    "BudgetDocument",
    "DivergenceDocument",
    "IsolationDocument",
    "IsolationTaskDocument",
    "NativeChangeDocument",
    "PythonChangeDocument",
    "RunDocument",
    "VictimDocument",
]

CellText = Literal["same", "different", "crashed", "skipped"]
BehaviourText = Literal["accumulates", "path-dependent", "last-task", "changed"]


class IsolationTaskDocument(TypedDict):
    """A task that took part; `cold` says how it ended in a process of its own."""

    number: int
    entrypoint: str
    params: dict[str, object]
    seed: int
    cold: Literal["succeeded", "failed", "not-run"]


class RunDocument(TypedDict):
    """One order; `cells` and `pids` go with its tasks: where the pid changes, another process went on."""

    order: str
    tasks: list[int]
    cells: list[CellText]
    pids: list[int | None]
    seconds: float


class DivergenceDocument(TypedDict):
    """The first place where an output differs from the cold one; `ulps` where both are floating point numbers."""

    output: str
    place: str
    cold: str
    warm: str
    ulps: int | None


class VictimDocument(TypedDict):
    """A task that others change: `sequence` are the fewest that do, then the task itself; `command` shows it again."""

    task: int
    order: str
    cell: CellText
    sequence: list[int]
    minimal: bool
    divergence: DivergenceDocument | None
    message: str | None
    command: str


class NativeChangeDocument(TypedDict):
    """Memory of an extension module that a task changed and left; `cause` is null where that was not tried."""

    library: str
    symbol: str | None
    section: str
    offset: int
    size: int
    task: int
    behaviour: BehaviourText
    own: bool
    reached_by: str | None
    cause: bool | None


class PythonChangeDocument(TypedDict):
    """State of the interpreter that a task changed and left."""

    kind: str
    name: str
    before: str
    after: str
    task: int
    behaviour: BehaviourText
    own: bool


class BudgetDocument(TypedDict):
    """What there was for executions of tasks and wall seconds, and what was used of it."""

    tasks: int
    seconds: float
    tasks_used: int
    seconds_used: float
    used_up: bool


class IsolationDocument(TypedDict):
    """Whether tasks change each other. `verdict` is null where nothing can be said, which `error` explains.

    `sequence` is the first victim's, empty without victims. `not_shown` says what was not looked at.
    """

    schema: Literal["bundlekit/isolation/1"]
    tool: str
    bundle: GridBundleDocument
    spec: str
    verdict: Literal["nondeterministic", "crashes_warm", "leaks", "isolated"] | None
    notes: list[str]
    victims: list[VictimDocument]
    sequence: list[int]
    native_state: list[NativeChangeDocument]
    python_state: list[PythonChangeDocument]
    tasks: list[IsolationTaskDocument]
    runs: list[RunDocument]
    failed_cold: list[int]
    not_shown: list[str]
    seed: int
    budget: BudgetDocument
    sandbox: str
    requires_fresh_process: bool
    error: ErrorDocument | None
