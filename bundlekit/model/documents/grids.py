"""The document of ``grid`` and the lines of its journal; times in seconds, `started_s` of unix time."""

from typing import Literal

from typing_extensions import TypedDict

from bundlekit.model.documents.errors import ErrorDocument
from bundlekit.model.documents.texts import ChecksumText, DigestText

__all__ = [
    "GridBundleDocument",
    "GridDocument",
    "GridLossDocument",
    "GridOutputDocument",
    "GridRowDocument",
    "GridSetLossDocument",
    "GridSpecDocument",
    "GridSummaryDocument",
]


class GridOutputDocument(TypedDict):
    """One output of a task: its bytes are not kept."""

    size: int
    checksum: ChecksumText


class GridRowDocument(TypedDict):
    """What became of one task, `number` from 0 in the order of its grid; `error_code` and what follows say why not."""

    number: int
    task_id: DigestText
    entrypoint: str
    params: dict[str, object]
    seed: int
    executor: str
    host: str
    sandbox: str
    pid: int | None
    started_s: float | None
    seconds: float
    timeout_s: float
    outputs: dict[str, GridOutputDocument]
    error_code: str | None
    phase: str | None
    error_type: str | None
    message: str | None
    signal: str | None


class GridLossDocument(TypedDict):
    """What a target function made of the replicates `tasks`; `number` counts sets of parameters from 0.

    `loss` is null after a failure, which `error_code` and what follows tell of. `n_replicates` is the target's word.
    """

    number: int
    target: str
    tasks: list[int]
    executor: str
    host: str
    pid: int | None
    started_s: float | None
    seconds: float
    timeout_s: float
    loss: float | None
    n_replicates: int | None
    diagnostics: dict[str, object]
    error_code: str | None
    phase: str | None
    error_type: str | None
    message: str | None
    signal: str | None


class GridSetLossDocument(TypedDict):
    """The mean loss of the targets of a set, without weights, as the platform has it; null if one of them has none."""

    number: int
    target_set: str
    loss: float | None


class GridBundleDocument(TypedDict):
    """The bundle that ran."""

    path: str
    name: str
    version: str
    digest: DigestText


class GridSpecDocument(TypedDict):
    """The file that said what was to run; `tasks_digest` is of the ids of all its tasks in order."""

    path: str
    tasks: int
    tasks_digest: DigestText


class GridSummaryDocument(TypedDict):
    """A grid's results, without their rows. `complete` says that none is missing, of a task or a loss.

    `processes` counts those that ran the tasks, told by host, pid and start; `fresh_pids` says whether there are as
    many as tasks, null where it was not asked or
    tasks are missing. `error` is what kept all tasks from running.
    """

    schema: Literal["bundlekit/grid/1"]
    tool: str
    bundle: GridBundleDocument
    spec: GridSpecDocument
    executor: str
    jobs: int
    complete: bool
    passed: bool
    interrupted: bool
    succeeded: int
    failed: int
    not_run: int
    processes: int
    fresh_pids: bool | None
    error: ErrorDocument | None
    targets: list[str]
    target_sets: dict[str, list[str]]


class GridDocument(GridSummaryDocument):
    """A grid's results. `tasks` has a row for each that was run.

    `losses` has a row for each set of parameters and each of the `targets`, `set_losses` for each of the `target_sets`.
    """

    losses: list[GridLossDocument]
    set_losses: list[GridSetLossDocument]
    tasks: list[GridRowDocument]
