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
    are_scalars,
    attributes_of,
    inner_of,
    is_below,
    items_of,
    layout_of,
    length_of,
    members_of,
    module_name,
    named,
    type_name,
)

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from .state_types import Layout

__all__ = ["Fingerprints"]

_MAX_FLAT_TEXT = 60
_OPAQUE_MODULES = frozenset({
    "logging", "pathlib", "threading", "weakref", "concurrent", "multiprocessing", "socket", "subprocess", "importlib",
    "re", "_weakref", "_thread", "_io", "inspect", "ast", "typing", "abc", "_abc", "contextlib", "asyncio", "enum",
})  # fmt: skip
"""Of the standard library, where objects keep locks, caches and each other: they are told by their types."""


class Fingerprints:
    """Makes fingerprints, of at most `total` nodes together, `each` in one; `cut` counts those that had more."""

    def __init__(self, total: int, each: int) -> None:
        self._total, self._each = total, each
        self.cut = 0
        self._is_cut = False
        self._out = bytearray()
        self._left = 0
        self._seen: dict[int, int] = {}
        self._kept: list[object] = []
        self._stack: list[object] = []
        self._layouts: dict[int, tuple[type, Layout]] = {}

    def of(self, *values: object) -> str:
        """Return the fingerprint of `values`, as text."""
        self._left = before = min(self._each, self._total)
        self._stack.extend(reversed(values))
        while self._stack and self._left > 0:
            self._left -= 1
            self._visit(self._stack.pop())
        self.cut += self._is_cut or bool(self._stack)
        self._is_cut = False
        self._total -= before - max(0, self._left)
        found = f"{hash(bytes(self._out)) & 0xFFFFFFFFFFFFFFFF:x}"
        for each in (self._out, self._stack, self._seen, self._kept):
            each.clear()
        return found

    def _visit(self, value: object) -> None:
        kind = type(value)
        if id(kind) in SCALARS:
            self._flat(value)
            return
        if id(value) in self._seen:
            self._out += b"^%d" % self._seen[id(value)]
            return
        # What is made here only must live until the end, or its address would be another's.
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)
        if id(kind) in CONTAINERS:
            self._out += CONTAINERS[id(kind)]
            self._contents(value)
        elif is_below(value, type):
            self._tell(b"t", type_name(value))  # type: ignore[arg-type]  # a class
        elif kind is FunctionType:
            self._function(value)  # type: ignore[arg-type]  # its type says so
        elif id(kind) in OPAQUE:
            self._tell(b"o", named(value))
        else:
            self._tell(b"i", type_name(kind))
            self._contents(value)
            self._instance(value, kind)

    def _contents(self, value: object) -> None:
        """Tell of what a container has, also one with a class of its own."""
        length = length_of(value)
        if length is None:
            return
        self._out += b"%d" % length
        items = items_of(value)
        if items is not None:
            self._listed(items[0])
            self._listed(items[1])
        elif is_below(value, set) or is_below(value, frozenset):
            self._unordered(members_of(value) or [])
        else:
            self._listed(members_of(value) or [])

    def _instance(self, value: object, kind: type) -> None:
        inner = inner_of(value)
        if inner is not None:
            self._push(inner)
        elif module_name(kind).partition(".")[0] not in _OPAQUE_MODULES:
            if id(kind) not in self._layouts:
                self._layouts[id(kind)] = kind, layout_of(kind)
            found = attributes_of(value, self._layouts[id(kind)][1])
            # Of an object of C code, what the collector of garbage is told: its parts, always in one order.
            self._push([list(found), *found.values()] if found else gc.get_referents(value))

    def _function(self, function: FunctionType) -> None:
        code = function.__code__
        self._tell(b"f", f"{function.__module__}.{function.__qualname__}:{code.co_firstlineno}")
        parts = [function.__defaults__, function.__kwdefaults__, function.__closure__]
        self._push([*parts, function.__dict__ or None])

    def _unordered(self, members: "list[object]") -> None:
        if are_scalars(members):
            self._listed([*sorted(map(hash, members))])
            return
        inner = Fingerprints(self._left, self._each)
        self._listed([*sorted(inner.of(each) for each in members[: max(0, self._left)])])
        self._left -= len(members)

    def _listed(self, values: "list[object]") -> None:
        if are_scalars(values):
            self._flat(values)
            self._left -= len(values) >> 8
        else:
            self._out += b"l%d" % len(values)
            self._push(values)

    def _push(self, values: "list[object]") -> None:
        kept = values[: max(0, self._left)]
        self._is_cut = self._is_cut or len(kept) < len(values)
        self._kept.append(kept)
        self._stack.extend(reversed(kept))

    def _flat(self, value: object) -> None:
        """Tell of a scalar, or a list of them."""
        # Version 2 writes equal values as equal bytes; later ones tell of references and interned texts too.
        data = marshal.dumps(value, 2)  # type: ignore[arg-type]  # one of these
        self._out += data if len(data) <= _MAX_FLAT_TEXT else b"m%d:%d" % (len(data), binascii.crc32(data))

    def _tell(self, mark: bytes, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self._out += mark + b"%d:" % len(data) + data
