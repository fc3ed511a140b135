"""What one execution of a task gave, and what two of them say of each other: pure functions."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bundlekit.model.isolation import Cell, Run, Verdict
from bundlekit.model.outcome import Failure, Output, Simulated, TaskRun

__all__ = ["Observation", "Reading", "cell_of", "first_difference", "observation_of", "verdict_of"]


class Observation(NamedTuple):
    """What one execution of a task gave: checksums by output, or else an error code and what was said.

    `failed_how` is the error code with the type of the exception or the name of the signal: what must be the same in
    two failures that are the same. `data` holds the outputs themselves, if they were kept. `seconds` is wall time.
    """

    outputs: Mapping[str, str]
    failed_how: str | None
    message: str | None
    pid: int | None
    seconds: float
    data: Mapping[str, Output] = {}

    @property
    def succeeded(self) -> bool:
        """Whether there are outputs."""
        return self.failed_how is None

    def agrees_with(self, other: "Observation") -> bool:
        """Whether the two gave the same outputs, or failed in the same way."""
        return self.failed_how == other.failed_how and self.outputs == other.outputs


class Reading(NamedTuple):
    """The two sides of a difference."""

    output: str
    cold: Output | None
    warm: Output | None


def observation_of(run: TaskRun) -> Observation:
    """Return what a run gave, with its data."""
    outcome = run.outcome
    if isinstance(outcome, Simulated):
        checksums = {name: output.checksum for name, output in outcome.outputs.items()}
        return Observation(checksums, None, None, run.pid, run.seconds, outcome.outputs)
    if isinstance(outcome, Failure):
        kind = outcome.type_name or outcome.signal_name
        how = f"{outcome.error_code.value} {kind}" if kind else outcome.error_code.value
        return Observation({}, how, str(outcome), run.pid, run.seconds)
    msg = "a simulation gave an aggregation"
    raise AssertionError(msg)


def cell_of(cold: Observation, warm: Observation) -> Cell:
    """Return what a warm execution is beside the cold one of the same task."""
    if cold.agrees_with(warm):
        return Cell.SAME
    return Cell.CRASHED if cold.succeeded and not warm.succeeded else Cell.DIFFERENT


def first_difference(cold: Observation, warm: Observation) -> Reading | None:
    """Return the first output, by name, that differs; None where one of the two has no outputs at all."""
    if not cold.succeeded or not warm.succeeded:
        return None
    for name in sorted({*cold.outputs, *warm.outputs}):
        if cold.outputs.get(name) != warm.outputs.get(name):
            return Reading(name, cold.data.get(name), warm.data.get(name))
    return None


def verdict_of(runs: Sequence[Run], *, differs_cold: bool) -> Verdict | None:
    """Return the first verdict that holds; None where no task was run warm."""
    if differs_cold:
        return Verdict.NONDETERMINISTIC
    cells = {cell for run in runs for cell in run.cells}
    if Cell.CRASHED in cells:
        return Verdict.CRASHES_WARM
    if Cell.DIFFERENT in cells:
        return Verdict.LEAKS
    return Verdict.ISOLATED if Cell.SAME in cells else None
