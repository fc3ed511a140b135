"""How far a transfer is, as the word for people that use cases give: a bar, the bytes, and how fast they move."""

import time
from collections.abc import Callable

from bundlekit.api.validation import Progress
from bundlekit.model.counted import sized

__all__ = ["transfer_bar"]

_WIDTH = 24
_EVERY_S = 0.1


def transfer_bar(progress: Progress, what: str) -> Callable[[int, int], None]:
    """Return what turns bytes done, and bytes in all, into a line about `what`, ten times in a second at most."""
    progress(what)
    started = shown = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < _EVERY_S and done < total:
            return
        shown = now
        filled = _WIDTH * done // max(total, 1)
        speed = sized(done / max(now - started, 1e-3))
        progress(f"{what} [{'#' * filled}{'-' * (_WIDTH - filled)}] {sized(done)} of {sized(total)}, {speed}/s")

    return show
