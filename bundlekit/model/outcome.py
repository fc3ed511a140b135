"""What came of preparing, importing and running a bundle: values that the host builds from the runner's answers."""

from collections.abc import Mapping
from typing import NamedTuple

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.model.signature import Signature

__all__ = [
    "Aggregated",
    "Failure",
    "Imported",
    "MemoryUse",
    "Output",
    "Prepared",
    "RunnerWire",
    "Simulated",
    "TaskRun",
    "Write",
]


_HEADLINE_LIMIT = 300


class Failure(NamedTuple):
    """How a preparation or a task failed; the fields are those of the ``_fatal_error`` document."""

    error_code: ErrorCode
    phase: Phase
    type_name: str | None
    message: str
    signal_name: str | None
    retryable: bool
    stderr_tail: str
    log_path: str | None = None

    @property
    def headline(self) -> str:
        """The first line of the message, bounded: tools and bundle code may say pages."""
        line = next(iter(self.message.strip().splitlines()), "")
        return line if len(line) <= _HEADLINE_LIMIT else f"{line[:_HEADLINE_LIMIT]}..."

    def __str__(self) -> str:
        """One sentence: what happened, in which phase."""
        kind = self.type_name or self.signal_name
        return f"{f'{kind}: ' if kind else ''}{self.headline} ({self.error_code.value} in phase {self.phase.value})"


class RunnerWire(NamedTuple):
    """The wire function that the runner found; `distribution` is the installed project that declares it, if any."""

    source: str
    name: str
    value: str
    distribution: str | None


class Prepared(NamedTuple):
    """An environment and bundle code that are ready, in wall seconds; one of wire and wire_error is set.

    `site` is where the bundle is installed, and nothing else. `sandbox` is the level that will hold whatever is run, or
    ``off``; `network` is ``closed``, ``no-tcp`` (UDP is free) or ``open``.
    """

    environment_key: str
    python: str
    version: str
    installer: str
    environment_reused: bool
    environment_seconds: float
    code_reused: bool
    code_seconds: float
    installed_top_level: tuple[str, ...]
    site: str
    wire: RunnerWire | None
    wire_error: str | None
    sandbox: str
    network: str


class Imported(NamedTuple):
    """An object that a child imported. `origin` is installed, tree, dependency, stdlib or unknown."""

    reference: str
    is_callable: bool
    signature: Signature | None
    signature_error: str | None
    origin: str
    relative_path: str | None


class Output(NamedTuple):
    """One output of a simulation: its size in bytes, BLAKE2b-256 in bare hex, and the bytes or the file they are in."""

    size: int
    checksum: str
    inline: bytes | None
    ref: str | None


class Simulated(NamedTuple):
    """A simulation that succeeded."""

    task_id: str
    outputs: Mapping[str, Output]


class Aggregated(NamedTuple):
    """An aggregation that succeeded; `loss` is finite."""

    loss: float
    diagnostics: Mapping[str, object]
    n_replicates: int


class Write(NamedTuple):
    """What a task did to its throw-away copy of the bundle: `change` is created, modified or deleted."""

    path: str
    change: str


class MemoryUse(NamedTuple):
    """What all processes of a task took together at most, in bytes, and how many there were at most at one time.

    With more than one process the peak is a floor (:mod:`bundlekit.cold_runner.memory_use`).
    """

    peak_bytes: int
    processes: int


class TaskRun(NamedTuple):
    """One task's outcome with its circumstances; `seconds` is wall time, `sandbox` the level that held.

    `started_s` is when the process `pid` was given the task, in unix time; both are None when it got none. `memory` is
    None where it was not asked for, or could not be seen.
    """

    outcome: Simulated | Aggregated | Failure
    pid: int | None
    seconds: float
    writes: tuple[Write, ...]
    sandbox: str
    started_s: float | None = None
    memory: MemoryUse | None = None
