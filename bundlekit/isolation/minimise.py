"""Finds the fewest earlier tasks that change a later one: delta debugging over their order.

See: A. Zeller and R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), the algorithm ddmin.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

__all__ = ["Changes", "minimal", "reduced"]

Changes = Callable[[tuple[int, ...]], bool]
"""Whether these tasks, run in this order before the victim, change it."""


def minimal(earlier: Sequence[int], changes: Changes) -> tuple[int, ...]:
    """Return a part of `earlier`, in its order, that changes the victim and does so no more with any one task less.

    `earlier` as a whole changes it. A subset is asked for more than once: `changes` is to remember.
    """
    kept = tuple(earlier)
    parts = 2
    while len(kept) > 1:
        pieces = _pieces(kept, parts)
        smaller = next((each for each in _candidates(pieces) if changes(each)), None)
        if smaller is not None:
            parts = 2 if smaller in pieces else max(parts - 1, 2)
            kept = smaller
        elif parts < len(kept):
            parts = min(parts * 2, len(kept))
        else:
            break
    return () if len(kept) == 1 and changes(()) else kept


def reduced(earlier: Sequence[int], changes: Changes) -> tuple[int, ...]:
    """Return the same as :func:`minimal`, in fewer questions where hardly any of `earlier` can be left out."""
    kept = tuple(earlier)
    place = len(kept)
    while place > 0:
        place -= 1
        smaller = kept[:place] + kept[place + 1 :]
        if changes(smaller):
            kept, place = smaller, len(smaller)
    return kept


def _candidates(pieces: Sequence[tuple[int, ...]]) -> Iterable[tuple[int, ...]]:
    # The earlier first: of several answers, the one with the smaller numbers is told more easily.
    yield from pieces
    if len(pieces) > 2:  # noqa: PLR2004 - of two pieces, each is all but the other
        for left_out in reversed(range(len(pieces))):
            yield tuple(task for number, piece in enumerate(pieces) if number != left_out for task in piece)


def _pieces(tasks: tuple[int, ...], parts: int) -> list[tuple[int, ...]]:
    ends = [round(number * len(tasks) / parts) for number in range(parts + 1)]
    return [tasks[start:end] for start, end in pairwise(ends) if start < end]
