"""Fingerprints of any Python values: equal for equal values, at whatever addresses they are.

Runs in a warm process, under the conditions of the module `main`. Containers are walked without recursion, cycles are
seen, and nothing is kept of what was looked at. Beyond its budget a fingerprint tells of lengths only.
"""

import binascii
import gc
import marshal
from types import FunctionType

from .state_types import (
    CONTAINERS,
    OPAQUE,
    SCALARS,
    attributes_of,
    inner_of,
    is_below,
    members_of,
    module_name,
    named,
    type_name,
)

__all__ = ["Fingerprints"]

_FLAT = 16
_MAX_FLAT = 1 << 23
_MAX_SCALAR = 60
_OPAQUE_MODULES = frozenset({
    "logging", "pathlib", "threading", "weakref", "concurrent", "multiprocessing", "socket", "subprocess", "importlib",
    "re", "_weakref", "_thread", "_io", "inspect", "ast", "typing", "abc", "_abc", "contextlib", "asyncio", "enum",
})  # fmt: skip
"""Of the standard library, where objects keep locks, caches and each other: they are told by their types."""


class Fingerprints:
    """Makes fingerprints, of at most `total` nodes together, `each` in one of them."""

    def __init__(self, total: int, each: int) -> None:
        self._total, self._each = total, each
        self.is_used_up = False
        self._out = bytearray()
        self._left = 0
        self._seen: dict[int, int] = {}
        self._kept: list[object] = []
        self._stack: list[object] = []

    def of(self, *values: object) -> str:
        """Return the fingerprint of `values`, as text."""
        self._left = before = min(self._each, self._total)
        self.is_used_up = self.is_used_up or not before
        self._stack.extend(reversed(values))
        while self._stack:
            value = self._stack.pop()
            if self._left <= 0:
                self._out += b"!"
                self._stack.clear()
                break
            self._left -= 1
            self._visit(value)
        self._total -= before - self._left
        found = f"{hash(bytes(self._out)) & 0xFFFFFFFFFFFFFFFF:x}"
        self._out.clear()
        self._seen.clear()
        self._kept.clear()
        return found

    def _visit(self, value: object) -> None:
        kind = type(value)
        if kind in SCALARS:
            self._tell(b"s", _scalar(value))
            return
        if id(value) in self._seen:
            self._out += b"^%d" % self._seen[id(value)]
            return
        # What is made here only must live until the end, or its address would be another's.
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)
        if is_below(value, type):
            self._tell(b"t", type_name(value))  # type: ignore[arg-type]  # a class
        elif kind is FunctionType:
            self._function(value)  # type: ignore[arg-type]  # its type says so
        elif kind in OPAQUE:
            self._tell(b"o", named(value))
        else:
            self._tell(b"i", type_name(kind))
            self._inside(value, kind)

    def _inside(self, value: object, kind: type) -> None:
        members = members_of(value)
        if is_below(value, dict):
            self._listed(list(dict.keys(value)))  # type: ignore[arg-type]  # it is one
            self._listed(list(dict.values(value)))  # type: ignore[arg-type]  # it is one
        elif members is not None and (is_below(value, set) or is_below(value, frozenset)):
            self._unordered(members)
        elif members is not None:
            self._listed(members)
        if kind in CONTAINERS:
            return
        special = inner_of(value)
        if special is not None:
            self._push(special)
        elif module_name(kind).partition(".")[0] not in _OPAQUE_MODULES:
            found = attributes_of(value)
            # Of an object of C code, what the collector of garbage is told: its parts, always in one order.
            self._push([list(found), *found.values()] if found else gc.get_referents(value))

    def _function(self, function: FunctionType) -> None:
        code = function.__code__
        self._tell(b"f", f"{function.__module__}.{function.__qualname__}:{code.co_firstlineno}")
        parts = [function.__defaults__, function.__kwdefaults__, function.__closure__]
        self._push([*parts, function.__dict__ or None])

    def _unordered(self, members: "list[object]") -> None:
        if set(map(type, members)) <= SCALARS:
            self._listed([*sorted(map(hash, members))])
            return
        inner = Fingerprints(self._left, self._each)
        self._listed([*sorted(inner.of(each) for each in members[: max(0, self._left)])])
        self._left -= len(members)

    def _listed(self, values: "list[object]") -> None:
        self._tell(b"l", len(values))
        if len(values) > _FLAT and set(map(type, values)) <= SCALARS:
            # Version 2 writes equal values as equal bytes; later ones tell of references too.
            self._tell(b"m", binascii.crc32(marshal.dumps(values[:_MAX_FLAT], 2)))
            self._left -= len(values) >> 8
        else:
            self._push(values)

    def _push(self, values: "list[object]") -> None:
        kept = values[: max(0, self._left)]
        self._kept.append(kept)
        self._stack.extend(reversed(kept))

    def _tell(self, mark: bytes, text: object) -> None:
        data = text if type(text) is bytes else str(text).encode("utf-8", "surrogatepass")
        self._out += mark + b"%d:" % len(data) + data


def _scalar(value: object) -> bytes:
    if type(value) is str:
        data = value.encode("utf-8", "surrogatepass")
    elif type(value) is bytes:
        data = b"b" + value
    elif type(value) is int:
        data = b"%x" % value
    else:
        data = repr(value).encode()
    return data if len(data) <= _MAX_SCALAR else b"%d %d" % (len(data), binascii.crc32(data))
