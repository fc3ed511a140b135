"""What is told of one piece of Python state."""

import functools
from collections.abc import Callable

from bundlekit.cold_runner.child.state_items import cache_item
from bundlekit.cold_runner.child.state_prints import Fingerprints


def _told(cache: Callable[[int], list[int]]) -> str:
    """Return the fingerprint of a cache."""
    return cache_item("model.cache", Fingerprints(100_000, 10_000), cache)[2]


def test_what_a_cache_was_asked_for_last_is_no_part_of_it() -> None:
    """A task that runs again only hits what is there, in another order: nothing grows by it."""
    cached = functools.lru_cache(maxsize=8)(lambda key: [key])
    cached(1)
    cached(2)
    before = _told(cached)
    cached(1)
    assert _told(cached) == before
    cached(3)
    assert _told(cached) != before


def test_what_a_cache_holds_is_part_of_it() -> None:
    """A result that is changed after it was returned is given to the next task as it is then."""
    cached = functools.lru_cache(maxsize=8)(lambda key: [key])
    before = _told(cached), cached(1), _told(cached)
    cached(1).append(5)
    assert len({before[0], before[2], _told(cached)}) == 3
