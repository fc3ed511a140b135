"""Pointers in the static memory of a bundle's extension modules, read from outside: to Python objects, perhaps."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bundlekit.isolation.native.libraries import Library, loaded_libraries, variables_of
from bundlekit.isolation.native.memory import ProcessMemory
from bundlekit.isolation.native.words import words_of

__all__ = ["dicts_among", "pointers_in_extensions"]

_WORD = 8
_LARGEST_SECTION = 1 << 23
_MAX_POINTERS = 1 << 16
_MAX_REFERENCES = 1 << 20
"""What is freed has none there, or a pointer instead of their number."""


def pointers_in_extensions(pid: int, roots: Sequence[Path]) -> Mapping[int, str]:
    """Return what may be addresses of objects in libraries below `roots`, and what each stands in: file and variable.

    Empty where the memory of a process cannot be read.
    """
    found = dict[int, str]()
    try:
        with ProcessMemory(pid) as memory:
            mappings = memory.mappings()
            ranges = [(each.start, each.end) for each in mappings if each.is_writable and each.path in {"", "[heap]"}]
            for library in loaded_libraries(pid, mappings, roots):
                for place, word in _words(library, memory) if library.is_own else ():
                    if _is_inside(word, ranges) and len(found) < _MAX_POINTERS:
                        found.setdefault(word, place)
    except OSError:
        return {}
    return found


def dicts_among(pid: int, addresses: Sequence[int], dict_type: object) -> list[int]:
    """Return those of `addresses` at which there is the head of a dict: some references, and the type `dict_type`."""
    found = []
    try:
        with ProcessMemory(pid) as memory:
            for address in addresses:
                references, kind = memory.words(address, 2) or (0, 0)
                if kind == dict_type and 0 < references < _MAX_REFERENCES:
                    found.append(address)
    except OSError:
        return []
    return found


def _words(library: Library, memory: ProcessMemory) -> Iterator[tuple[str, int]]:
    """Yield the words in the sections of a library that may be addresses, with their places."""
    variables = [each for each in variables_of(library.file) if not each.is_thread_local]
    starts = [each.address for each in variables]
    for section in library.image.sections:
        data = memory.read(library.bias + section.address, min(section.size, _LARGEST_SECTION))
        for number, word in enumerate(words_of(data)):
            if word and word % _WORD == 0:
                address = section.address + number * _WORD
                at = bisect_right(starts, address) - 1
                is_named = at >= 0 and address < starts[at] + max(variables[at].size, _WORD)
                name = variables[at].name if is_named else f"{section.name}+{number * _WORD:#x}"
                yield f"{library.name}: {name}", word


def _is_inside(word: int, ranges: Sequence[tuple[int, int]]) -> bool:
    """Whether `word` is in one of `ranges`, which are sorted."""
    at = bisect_right(ranges, (word, 1 << 64)) - 1
    return at >= 0 and word < ranges[at][1]
