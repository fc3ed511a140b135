"""Short texts of any Python values, for people.

Runs in a warm process, under the conditions of the module `main`, and under those of `state_types`.
"""

import itertools
from _collections import deque  # type: ignore[import-not-found]  # the stubs know collections only
from types import FunctionType

from .state_types import OPAQUE, SCALARS, attributes_of, inner_of, is_below, length_of, members_of, named, type_name

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeVar

    Shown = TypeVar("Shown")

__all__ = ["looks_secret", "shown"]

_MAX_TEXT = 60
_SHOWN_ITEMS = 4
_SECRET = ("key", "token", "secret", "passw", "credential", "auth")


def looks_secret(name: str) -> bool:
    """Whether what has this name should not be shown."""
    return any(word in name.lower() for word in _SECRET)


def shown(value: object, name: str = "") -> str:
    """Return a short text of `value`, or only its type where `name`, or a key in it, looks like that of a secret."""
    text = type_name(type(value)) if looks_secret(name) else _text(value, 1)
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 3] + "..."


def _text(value: object, depth: int) -> str:
    kind = type(value)
    if id(kind) in SCALARS:
        return _scalar_text(value)
    if is_below(value, type):
        return f"class {type_name(value)}"  # type: ignore[arg-type]  # a class
    if kind is FunctionType:
        return f"function {value.__module__}.{value.__qualname__}"  # type: ignore[attr-defined]  # its type says so
    length = length_of(value)
    if length is not None:
        return _container_text(value, length, depth)
    if id(kind) in OPAQUE:
        return f"<{named(value)}>"
    inner = inner_of(value)
    if inner and type(inner[0]) is str:
        return f"{type_name(kind)} {inner[0]}"
    return f"<{type_name(kind)}>{_attributes_text(value, depth)}"


def _scalar_text(value: object) -> str:
    if type(value) is int and value.bit_length() > 4 * _MAX_TEXT:
        return f"an int of {value.bit_length()} bits"
    if type(value) in {str, bytes}:
        return repr(value[:_MAX_TEXT])  # type: ignore[index]  # one of the two
    return repr(value)


def _container_text(value: object, length: int, depth: int) -> str:
    head = f"{type_name(type(value))} of {length}"
    if not depth or not length:
        return head
    if is_below(value, dict):
        items: Iterator[tuple[object, object]] = reversed(dict.items(value))  # type: ignore[arg-type]  # it is one
        parts = [_item_text(key, each) for key, each in _last(items)]
    else:
        parts = [_text(each, 0) for each in _last(_backwards(value))]
    return f"{head}: {'..., ' if length > len(parts) else ''}{', '.join(parts)}"


def _item_text(key: object, value: object) -> str:
    is_hidden = type(key) is str and looks_secret(key)
    return f"{_text(key, 0)}: {'...' if is_hidden else _text(value, 0)}"


def _backwards(value: object) -> "Iterator[object]":
    """Return what goes through a container from its end; a set has none, and begins anywhere."""
    if is_below(value, list):
        return list.__reversed__(value)  # type: ignore[arg-type]  # it is one
    if is_below(value, deque):
        return iter(deque.__reversed__(value))
    if is_below(value, tuple):
        last: tuple[object, ...] = tuple.__getitem__(value, slice(-_SHOWN_ITEMS, None))  # type: ignore[call-overload]
        return reversed(last)
    return iter(members_of(value) or [])


def _last(backwards: "Iterator[Shown]") -> "list[Shown]":
    """Return the last parts of a container, since what was added last is what matters."""
    return [*itertools.islice(backwards, _SHOWN_ITEMS)][::-1]


def _attributes_text(value: object, depth: int) -> str:
    found = attributes_of(value) if depth else {}
    parts = [f"{key}={'...' if looks_secret(key) else _text(each, 0)}" for key, each in found.items()]
    return f" {', '.join(parts[:_SHOWN_ITEMS])}" if parts else ""
