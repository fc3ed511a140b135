"""What the tasks of a bundle need, measured on its smoke tasks, and what a worker should be given for them."""

from typing import NamedTuple

from bundlekit.model.outcome import MemoryUse

__all__ = ["ADVISED_ROOM_GIB", "WORKER_RULE", "Envelope", "TaskEnvelope", "size_text"]

_KIB = 1024
_MIB = 1024 * _KIB
_GIB = 1024 * _MIB
_WORKER_BYTES = 256 * _MIB
_PAUSES_AT = 0.8
_STEP_BYTES = 128 * _MIB

ADVISED_ROOM_GIB = 16
"""The memory of a machine for which reports say how many workers fit in it."""

WORKER_RULE = "(peak + 256 MiB) / 0.8"
"""How :attr:`Envelope.worker_limit_bytes` follows from the peak.

A worker takes up to 256 MiB itself, Dask pauses one at 80 % of its limit, and the limit is rounded up to 128 MiB.
"""


class TaskEnvelope(NamedTuple):
    """What one task took; `seconds` is wall time, `memory` None where it could not be seen."""

    entrypoint: str
    seed: int
    memory: MemoryUse | None
    seconds: float
    output_bytes: int


class Envelope(NamedTuple):
    """What each smoke task took that succeeded: at least one. Larger parameters may take more."""

    tasks: tuple[TaskEnvelope, ...]

    @property
    def memory(self) -> MemoryUse | None:
        """The memory of the task that took most; None where none could be seen."""
        return max((task.memory for task in self.tasks if task.memory is not None), default=None)

    @property
    def seconds(self) -> float:
        """The wall time of the slowest."""
        return max(task.seconds for task in self.tasks)

    @property
    def output_bytes(self) -> int:
        """The size of all outputs of the task that gave most."""
        return max(task.output_bytes for task in self.tasks)

    @property
    def worker_limit_bytes(self) -> int | None:
        """The memory limit of a Dask worker that runs one task at a time, by WORKER_RULE."""
        if self.memory is None:
            return None
        return -int(-(self.memory.peak_bytes + _WORKER_BYTES) / _PAUSES_AT // _STEP_BYTES) * _STEP_BYTES

    def workers_in(self, gibibytes: int) -> int | None:
        """Return how many of those workers fit in that much memory."""
        limit = self.worker_limit_bytes
        return None if limit is None else gibibytes * _GIB // limit


def size_text(size_bytes: int) -> str:
    """Return a size for people, in the largest binary unit of which there is one, to three figures."""
    size = float(size_bytes)
    for unit in ("bytes", "KiB", "MiB"):
        if size < _KIB:
            return f"{_figures(size)} {unit}"
        size /= _KIB
    return f"{_figures(size)} GiB"


def _figures(size: float) -> str:
    decimals = 0 if size >= 100 or size == int(size) else 1 if size >= 10 else 2  # noqa: PLR2004 - three figures
    return f"{size:,.{decimals}f}"
