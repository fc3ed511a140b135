"""The type of a dynamic rule's check, and what its messages share."""

from collections.abc import Callable, Iterable

from bundlekit.model.finding import Finding
from bundlekit.probe.evidence import Evidence

__all__ = ["EvidenceCheck", "last_lines"]

EvidenceCheck = Callable[[Evidence], Iterable[Finding]]
"""A pure function from what was seen to what is to be said of it."""

_HINT_LINES = 3


def last_lines(stderr_tail: str) -> str | None:
    """Return the last lines that a child or an installer said, on one line, or None when it said nothing."""
    # uv begins with the environment's path in our cache, which tells a scientist nothing.
    lines = [
        line.strip()
        for line in stderr_tail.splitlines()
        if line.strip() and not line.startswith(("Using Python ", "Using CPython "))
    ]
    return f"it last said: {' / '.join(lines[-_HINT_LINES:])}" if lines else None
