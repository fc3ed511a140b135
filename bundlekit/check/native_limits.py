"""How far one C or C++ source is followed before it is left, which is said and never silent.

Of 6,900 real sources the dearest takes 17,000 steps and 0.35 s of parsing for each MiB, the small ones aside. A parser
that mends what it cannot read takes a thousand times that, and a gigabyte of memory, for text made to do so.
"""

import time

__all__ = ["NativeLimits"]

_MAX_NESTING = 400
"""Scopes in scopes: each name is looked for in all of them."""

_MAX_VARIABLES = 2_000
_STEPS, _STEPS_A_MEBIBYTE = 1_000, 18_000
_SECONDS, _SECONDS_A_MEBIBYTE = 0.2, 1.5
_NODES_A_LOOK = 256


class NativeLimits:
    """What is left for one source; `passed` is the first limit that was passed, in words, None as long as none is."""

    def __init__(self, size_bytes: int) -> None:
        mebibytes = size_bytes / (1 << 20)
        self._steps = _STEPS + int(_STEPS_A_MEBIBYTE * mebibytes)
        # Of this thread, so that a busy machine changes no verdict.
        self._deadline = time.thread_time() + _SECONDS + _SECONDS_A_MEBIBYTE * mebibytes
        self._nodes = 0
        self.passed: str | None = None

    def after_step(self) -> bool:
        """Count one of the parser's steps and return whether it has to stop."""
        self._steps -= 1
        if self._steps < 0 or time.thread_time() > self._deadline:
            self.passed = "it takes the parser longer than any text that people write"
        return self.passed is not None

    def is_too_deep(self, depth: int) -> bool:
        """Return whether what is in so many scopes has to be passed over."""
        if depth > _MAX_NESTING:
            self.passed = f"it has more than {_MAX_NESTING} blocks in one another"
        return depth > _MAX_NESTING

    def after_node(self, variables: int) -> bool:
        """Count one node that was looked at and return whether the reader has to stop."""
        self._nodes += 1
        if variables > _MAX_VARIABLES:
            self.passed = f"it has more than {_MAX_VARIABLES:,} variables"
        elif self._nodes % _NODES_A_LOOK == 0 and time.thread_time() > self._deadline:
            self.passed = "it takes longer to read than any text that people write"
        else:
            return False
        return True
