"""How long each phase of a task may take, by the monotonic clock, and how much longer what was told to end may live."""

import time
from typing import NamedTuple

from .codes import Phase

__all__ = ["DEFAULT_GRACE_S", "PhaseClock", "PhaseLimits"]

DEFAULT_GRACE_S = 0.5


class PhaseLimits(NamedTuple):
    """`deadline` is a value of :func:`time.monotonic` for everything; None leaves a phase to that alone.

    `grace_s` passes between the request to end (SIGTERM, to the child) and the end of its whole tree.
    """

    deadline: float
    import_s: float | None = None
    call_s: float | None = None
    grace_s: float = DEFAULT_GRACE_S


class PhaseClock:
    """Starts with a child; the result counts as part of the call."""

    def __init__(self, limits: PhaseLimits) -> None:
        self._limits = limits
        self._import_from = time.monotonic()
        self._call_from: float | None = None

    def limit(self, phase: Phase) -> float:
        """Return the time by which the child must have left `phase`, which it is in now."""
        deadline, import_s, call_s, _ = self._limits
        if phase is Phase.IMPORT:
            return deadline if import_s is None else min(deadline, self._import_from + import_s)
        if self._call_from is None:
            self._call_from = time.monotonic()
        return deadline if call_s is None else min(deadline, self._call_from + call_s)

    def allowed(self, phase: Phase) -> str:
        """Return what was overstepped in `phase`, for a message."""
        if self.limit(phase) == self._limits.deadline:
            return "by its deadline"
        is_import = phase is Phase.IMPORT
        seconds = self._limits.import_s if is_import else self._limits.call_s
        return f"within the {seconds:g} s that its {'import' if is_import else 'call'} may take"
