"""Guesses which of some names was meant by one that is not among them."""

import re
from collections.abc import Iterable

__all__ = ["nearest_name", "only_near_name", "slip_of"]

_MARKS = re.compile(r"\d|(?<![^\W\d_])[^\W\d_](?![^\W\d_])")
"""Digits and words of one letter."""
_NEAR = 0.6
"""As difflib has it by default."""
_SHORTEST, _LONG = 3, 8
"""Characters of a name in which one slip, and two, are taken for such."""


def nearest_name(name: str, candidates: Iterable[str], *, at_least: float = 0.6) -> str | None:
    """Return the candidate that `name` was most likely meant to be, or None; `at_least` is how alike, 1 for equal."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a wrong name pays for it

    return next(iter(get_close_matches(name, list(candidates), n=1, cutoff=at_least)), None)


def slip_of(name: str, candidates: Iterable[str]) -> str | None:
    """Return the one candidate of which `name` is a slip of the pen, None where it may be a name of its own.

    A slip is one character too many, too few, wrong or swapped; two in a long name. Names that differ in their digits,
    or in words of one letter, are siblings.
    """
    counted = sorted(
        (slips, each)
        for each in dict.fromkeys(candidates)
        if each != name and _MARKS.findall(each) == _MARKS.findall(name)
        if (slips := _slips(name, each)) <= _admitted(each)
    )
    is_one = len(counted) == 1 or (len(counted) > 1 and counted[0][0] < counted[1][0])
    return counted[0][1] if is_one else None


def only_near_name(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that alone is near, or of which `name` is a slip; None where another one can be meant.

    For candidates that fit what is asked for: of names alone, only slips are sure.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - as above

    names = [each for each in dict.fromkeys(candidates) if each != name]
    near = get_close_matches(name, names, n=2, cutoff=_NEAR)
    if len(near) == 1 and _MARKS.findall(near[0]) == _MARKS.findall(name):
        return near[0]
    return slip_of(name, names)


def _admitted(name: str) -> int:
    return 2 if len(name) >= _LONG else int(len(name) >= _SHORTEST)


def _slips(first: str, second: str) -> int:
    """Return how many characters are too many, too few, wrong or swapped (the optimal string alignment distance)."""
    if abs(len(first) - len(second)) > _admitted(second):
        return _admitted(second) + 1
    before: list[int] = []
    row = list(range(len(second) + 1))
    for index, character in enumerate(first, 1):
        before, above, row = row, before, [index]
        for column, other in enumerate(second, 1):
            cost = min(before[column] + 1, row[column - 1] + 1, before[column - 1] + (character != other))
            if index > 1 and column > 1 and first[index - 2] == other and second[column - 2] == character:
                cost = min(cost, above[column - 2] + 1)
            row.append(cost)
    return row[-1]
