"""What differs between the values of two documents: the proof that an edit changed what it meant to, and that alone."""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

__all__ = ["ABSENT", "Absent", "Difference", "Keys", "added", "differences"]

Keys = tuple[str | int, ...]


class Absent(Enum):
    """That nothing stands at a path of keys."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class Difference(NamedTuple):
    """What stands at `keys` of the one document and of the other."""

    keys: Keys
    before: object
    after: object


def differences(before: object, after: object, keys: Keys = ()) -> Iterator[Difference]:
    """Yield every difference, the outermost of each only; a value of another type is another value."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from differences(before.get(key, ABSENT), after.get(key, ABSENT), (*keys, key))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            old, new = (each[index] if index < len(each) else ABSENT for each in (before, after))
            yield from differences(old, new, (*keys, index))
    # Compared as text too, since NaN differs from itself.
    elif type(before) is not type(after) or (before != after and repr(before) != repr(after)):
        yield Difference(keys, before, after)


def added(before: object, keys: Keys, value: object) -> Difference:
    """Return the one difference that adding `value` at `keys` makes to a document of tables."""
    for depth, key in enumerate(keys):
        if not isinstance(before, dict) or key not in before:
            for inner in reversed(keys[depth + 1 :]):
                value = {inner: value}
            return Difference(keys[: depth + 1], ABSENT, value)
        before = before[key]
    return Difference(keys, before, value)
