"""The first difference between two outputs, and values as short texts."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

__all__ = ["Difference", "UnreadableError", "first_differing", "in_both", "read_both", "shown", "shown_pair"]

EndT = TypeVar("EndT")
ReadT = TypeVar("ReadT")
_MAX_SHOWN = 80
_BEFORE = 20
_CHUNK = 1 << 16


class Difference(NamedTuple):
    """Where two outputs differ first, both values there, and how many units in the last place lie between them."""

    place: str
    cold: str
    warm: str
    ulps: int | None = None


class UnreadableError(Exception):
    """Data that cannot be compared by value; the message is the reason, to stand in brackets."""


def in_both(show: Callable[[EndT], str], cold: EndT, warm: EndT) -> tuple[str, str]:
    """Return what `show` makes of either end."""
    return show(cold), show(warm)


def read_both(read: Callable[[bytes], ReadT], cold: bytes, warm: bytes) -> tuple[ReadT, ReadT]:
    """Return what `read` makes of either end.

    Raises:
        UnreadableError: one of both is unreadable, or both; it says which.
    """
    found, reasons = list[ReadT](), dict[str, str]()
    for name, data in (("cold", cold), ("warm", warm)):
        try:
            found.append(read(data))
        except UnreadableError as error:
            reasons[name] = str(error)
    if not reasons:
        return found[0], found[1]
    if len(set(reasons.values())) < len(reasons):
        raise UnreadableError(reasons["cold"])
    raise UnreadableError("; ".join(f"the {name} one: {reason}" for name, reason in reasons.items()))


def first_differing(cold: bytes | memoryview, warm: bytes | memoryview, start: int = 0) -> int | None:
    """Return the first offset from `start` on at which both differ, their common length if only that differs, or None.

    A view must be one of bytes.
    """
    common = min(len(cold), len(warm))
    for at in range(start, common, _CHUNK):
        end = min(at + _CHUNK, common)
        if cold[at:end] != warm[at:end]:
            return _bisected(cold, warm, at, end)
    return common if len(cold) != len(warm) else None


def _bisected(cold: bytes | memoryview, warm: bytes | memoryview, low: int, high: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        if cold[low:middle] != warm[low:middle]:
            high = middle
        else:
            low = middle
    return low


def shown(value: str) -> str:
    """Return `value` on one line, quoted where it would not be plain to see, and cut if it is long."""
    text = value if value.isprintable() and value.strip() == value and value else ascii(value[: 2 * _MAX_SHOWN])
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."


def shown_pair(cold: str, warm: str) -> tuple[str, str]:
    """Return both as :func:`shown` does, without the beginning that they share if it is long."""
    if max(len(cold), len(warm)) <= _MAX_SHOWN:
        return shown(cold), shown(warm)
    shared = next((at for at, (a, b) in enumerate(zip(cold, warm, strict=False)) if a != b), min(len(cold), len(warm)))
    if shared <= _BEFORE:
        return shown(cold), shown(warm)
    return shown("..." + cold[shared - _BEFORE :]), shown("..." + warm[shared - _BEFORE :])
