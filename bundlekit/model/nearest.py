"""Guesses which of some names was meant by one that is not among them."""

from collections.abc import Iterable

__all__ = ["nearest_name"]


def nearest_name(name: str, candidates: Iterable[str], *, at_least: float = 0.6) -> str | None:
    """Return the candidate that `name` was most likely meant to be, or None; `at_least` is how alike, 1 for equal."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a wrong name pays for it

    return next(iter(get_close_matches(name, list(candidates), n=1, cutoff=at_least)), None)
