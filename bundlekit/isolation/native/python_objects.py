"""Python objects in the memory of extension modules: types and module definitions are variables, and count references.

What they are is told by their types alone. Their state is Python's, which is looked at with Python's eyes.
See: CPython's Include/object.h and Include/cpython/object.h.
"""

from collections.abc import Iterable, Iterator

from bundlekit.isolation.native.memory import Mapping, ProcessMemory
from bundlekit.isolation.native.words import pointer_numbers, pointer_pattern

__all__ = ["PythonObjects"]

_WORD = 8
_NAME, _BASIC_SIZE = 3, 4
"""Where a type has them, in words."""

_TYPE_OF_TYPES = b"type\0"
_SIZE_OF_TYPES = 416
"""Of one that is a variable: what types say of their own size is for those that are made at run time."""

_LARGEST = 1 << 16
_MOST_METATYPES = 4


class PythonObjects:
    """Tells objects by the memory of one process at one time."""

    def __init__(self, memory: ProcessMemory, mappings: Iterable[Mapping]) -> None:
        self._memory = memory
        self._types: dict[int, bool] = {}
        interpreter = [each for each in mappings if each.is_writable and _is_interpreter(each.path)]
        self._of_types = pointer_pattern((each.start, each.end) for each in interpreter)
        self._ranges = [(each.start, each.end) for each in interpreter]

    def within(self, address: int, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield the objects of the interpreter's own types in `data`, which is at `address`, with their sizes."""
        for number in pointer_numbers(self._of_types, data):
            start = address + (number - 1) * _WORD
            words = self._memory.words(start, 2) if number else ()
            if words and any(low <= words[1] < high for low, high in self._ranges) and self.is_object(start):
                yield start, self._size(words[1])

    def _size(self, kind: int) -> int:
        words = self._memory.words(kind, _BASIC_SIZE + 1)
        is_type_of_types = bool(words) and words[1] == kind
        return _SIZE_OF_TYPES if not words or is_type_of_types else min(words[_BASIC_SIZE], _LARGEST)

    def is_object(self, address: int) -> bool:
        """Whether what is there has a type whose type's type, at last, is itself and is called so."""
        kinds: list[int] = []
        known: bool | None = None
        for _ in range(_MOST_METATYPES):
            words = self._memory.words(address, 2)
            kind = words[1] if words else 0
            if not kind or kind % _WORD:
                known = False
            elif kind == address:
                name = self._memory.words(address + _NAME * _WORD, 1)
                known = bool(name) and self._memory.read(name[0], len(_TYPE_OF_TYPES)) == _TYPE_OF_TYPES
            else:
                known = self._types.get(kind)
                kinds.append(kind)
            if known is not None:
                break
            address = kind
        self._types.update(dict.fromkeys(kinds, bool(known)))
        return bool(known)


def _is_interpreter(path: str) -> bool:
    return path.startswith("/") and path.rpartition("/")[2].startswith(("python", "libpython"))
