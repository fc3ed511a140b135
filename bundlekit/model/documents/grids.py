"""The document of ``grid`` and the lines of its journal; times in seconds, `started_s` of unix time."""

from typing import Literal

from typing_extensions import TypedDict

from bundlekit.model.documents.errors import ErrorDocument
from bundlekit.model.documents.texts import ChecksumText, DigestText

__all__ = ["GridBundleDocument", "GridDocument", "GridOutputDocument", "GridRowDocument", "GridSpecDocument"]


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


class GridDocument(TypedDict):
    """A grid's results. `tasks` has a row for each that was run; `complete` says that none is missing.

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
    tasks: list[GridRowDocument]
