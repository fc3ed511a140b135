"""One piece of state, as it is told: kind, name, fingerprint, short text, which object it is, and what it has.

Runs in a warm process, under the conditions of the module `main`. The object is told by its address, 0 for a scalar;
what it has by fingerprints of the entries of a dict, set or cache that is not large.
"""

import gc

from .state_prints import Fingerprints
from .state_texts import shown
from .state_types import SCALARS, function_in, is_below, items_of, length_of, members_of

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    Item = tuple[str, str, str, str, int, list[str]]

__all__ = ["cache_item", "item", "told"]

_MAX_ENTRIES = 64


def told(kind: str, name: str, fingerprint: str, text: str, mark: int = 0) -> "Item":
    """Return a piece of which nothing more is known."""
    return kind, name, fingerprint, text, mark, []


def item(kind: str, name: str, prints: Fingerprints, value: object) -> "Item":
    """Return the piece that holds `value`."""
    mark = 0 if id(type(value)) in SCALARS else id(value)
    return kind, name, prints.of(value), shown(value, name), mark, _entries(value, prints)


def cache_item(name: str, prints: Fingerprints, cache: object) -> "Item":
    """Return the piece of an lru_cache: its keys and results, as the collector of garbage is told of them."""
    inside = [each for each in gc.get_referents(cache) if function_in(each) is None and not is_below(each, type)]
    size = type(cache).cache_info(cache)[3]  # type: ignore[attr-defined]  # it is one
    text = "1 entry" if size == 1 else f"{size} entries"
    known = [prints.of(each) for each in inside]
    entries = [each for found, own in zip(inside, known, strict=True) for each in _entries(found, prints) or [own]]
    # Sorted: a hit changes the order in which they are told, and nothing that a task could see.
    return "function-cache", name, prints.of(size, sorted(known)), text, id(cache), entries


def _entries(value: object, prints: Fingerprints) -> "list[str]":
    length = length_of(value)
    if length is None or not 0 < length <= _MAX_ENTRIES:
        return []
    items = items_of(value)
    if items is not None:
        return [prints.of(key, each) for key, each in zip(*items, strict=True)]
    is_set = is_below(value, set) or is_below(value, frozenset)
    return [prints.of(each) for each in members_of(value) or []] if is_set else []
