"""Grids: many tasks of one bundle, and what became of each."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bundlekit.cold_runner.codes import EXIT_STATUS, ErrorCode
from bundlekit.cold_runner.strict_json import JsonValue
from bundlekit.cold_runner.task import SimulationTask, task_id
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Obstacle

__all__ = ["Grid", "GridIdentity", "GridOutcome", "GridRow", "GridTask", "Tally", "is_verdict", "processes_of"]

_TEXT_SHOWN = 60
_NOT_OF_THE_TASK = frozenset(
    {
        ErrorCode.CACHE,
        ErrorCode.INTERNAL,
        ErrorCode.INTERRUPTED,
        ErrorCode.IO,
        ErrorCode.KILLED,
        ErrorCode.VENV,
    }
)
"""Failures that tell of the machine and not of the task: another try may end otherwise."""


class GridTask(NamedTuple):
    """One task; `outputs` are the names asked for (None for all), `env` its own variables."""

    entrypoint: str
    params: Mapping[str, JsonValue]
    seed: int
    outputs: tuple[str, ...] | None = None
    env: Mapping[str, str] = {}

    def task_id(self, bundle: Digest) -> str:
        """Return its identity in that bundle, the one that every executor gives it."""
        return task_id(bundle, SimulationTask(self.entrypoint, self.params, self.seed, self.outputs))

    @property
    def shown(self) -> str:
        """Its parameters and seed, cut where they are long, for people."""
        text = json.dumps(self.params, ensure_ascii=False)
        return f"{text if len(text) <= _TEXT_SHOWN else f'{text[: _TEXT_SHOWN - 3]}...'} seed {self.seed}"

    @property
    def document(self) -> dict[str, object]:
        """The task as the runner takes it."""
        document: dict[str, object] = {"entrypoint": self.entrypoint, "params": self.params, "seed": self.seed}
        if self.outputs is not None:
            document["outputs"] = list(self.outputs)
        if self.env:
            document["env"] = dict(self.env)
        return document


class Grid(NamedTuple):
    """All tasks that a grid file or a job specification asks for, in its order; `path` is that of the file."""

    path: str
    tasks: tuple[GridTask, ...]


class GridIdentity(NamedTuple):
    """What results must have in common to be continued; `tasks` is a digest of the ids of all tasks, in order."""

    bundle: Digest
    tasks: Digest
    size: int


class GridRow(NamedTuple):
    """What became of the task with that `number` (from 0) in its grid.

    `sandbox` and `started_s` are those of its TaskRun, `seconds` is wall time and `timeout_s` what it was given.
    `outputs` has size in bytes and checksum of each. The fields after it are those of a Failure, None after success.
    """

    number: int
    task_id: str
    entrypoint: str
    params: Mapping[str, JsonValue]
    seed: int
    executor: str
    host: str
    sandbox: str
    pid: int | None
    started_s: float | None
    seconds: float
    timeout_s: float
    outputs: Mapping[str, tuple[int, str]]
    error_code: ErrorCode | None = None
    phase: str | None = None
    error_type: str | None = None
    message: str | None = None
    signal: str | None = None


class Tally(NamedTuple):
    """How far a grid is: all its tasks, those that have a row, those of them that failed, and how long this run took.

    `before` counts rows that an earlier run left.
    """

    tasks: int
    done: int = 0
    failed: int = 0
    before: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Tasks a second in this run."""
        return (self.done - self.before) / self.seconds if self.seconds > 0 else 0.0


class GridOutcome(NamedTuple):
    """A grid, run to its end or not; `rows` are in the order of its tasks.

    `fresh_pids` is None where nobody asked, and where tasks are missing. `spec` and `results` are paths; `obstacle` is
    what kept all tasks from running.
    """

    label: str
    name: str
    version: str
    spec: str
    identity: GridIdentity
    executor: str
    jobs: int
    rows: Sequence[GridRow]
    tally: Tally
    interrupted: bool = False
    fresh_pids: bool | None = None
    obstacle: Obstacle | None = None
    results: Path | None = None

    @property
    def exit_status(self) -> int:
        """0 when every task succeeded (DESIGN decision 9); else why not all ran, the first failure's status, or 1."""
        if self.obstacle is not None:
            return EXIT_STATUS[self.obstacle.code]
        if self.interrupted:
            return EXIT_STATUS[ErrorCode.INTERRUPTED]
        for row in self.rows:
            if row.error_code is not None:
                return EXIT_STATUS[row.error_code]
        return 1 if self.fresh_pids is False else 0


def processes_of(rows: Sequence[GridRow]) -> int:
    """Return how many processes ran the tasks: told by host, pid and start, since pids are used again."""
    return len({(row.host, row.pid, row.started_s) for row in rows if row.pid is not None})


def is_verdict(row: GridRow, timeout_s: float) -> bool:
    """Whether the task need not be run again when it may take `timeout_s`: it succeeded, or failed by itself."""
    if row.error_code is ErrorCode.TIMEOUT:
        return row.timeout_s >= timeout_s
    return row.error_code not in _NOT_OF_THE_TASK
