"""Pointers in the static memory of a bundle's extension modules, read from outside: to Python objects, perhaps."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["dicts_among", "pointers_in_extensions"]

_WORD = 8
_MAX_BYTES = 1 << 24
_MAX_POINTERS = 1 << 16
_LOWEST = 1 << 16
_HEAD = 16
_MAX_REFERENCES = 1 << 20
"""What is freed has none there, or a pointer instead of their number."""


class _Mapping(NamedTuple):
    start: int
    end: int
    is_writable: bool
    path: str


def pointers_in_extensions(pid: int, directories: Sequence[str]) -> dict[int, str]:
    """Return what may be addresses of objects, and where each stands: a file below one of `directories`, and an offset.

    Empty where the memory of a process cannot be read.
    """
    if sys.platform != "linux":
        return {}
    try:
        mappings = _mappings(Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="surrogateescape"))
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            return _pointers(memory.fileno(), mappings, tuple(f"{each}{os.sep}" for each in directories))
    except OSError:
        return {}


def dicts_among(pid: int, addresses: list[int], dict_type: object) -> list[int]:
    """Return those of `addresses` at which there is the head of a dict: some references, and the type `dict_type`."""
    found = []
    try:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            for address in addresses:
                head = os.pread(memory.fileno(), _HEAD, address)
                references, kind = (int.from_bytes(head[at : at + _WORD], sys.byteorder) for at in (0, _WORD))
                if kind == dict_type and 0 < references < _MAX_REFERENCES:
                    found.append(address)
    except OSError:
        return []
    return found


def _mappings(text: str) -> list[_Mapping]:
    found = []
    for line in text.splitlines():
        fields = line.split(maxsplit=5)
        start, _, end = fields[0].partition("-")
        path = fields[5] if len(fields) > 5 else ""  # noqa: PLR2004 - proc(5)
        found.append(_Mapping(int(start, 16), int(end, 16), fields[1].startswith("rw"), path))
    return found


def _pointers(memory: int, mappings: list[_Mapping], own: tuple[str, ...]) -> dict[int, str]:
    writable = [each for each in mappings if each.is_writable and not each.path.startswith("/")]
    found = dict[int, str]()
    left = _MAX_BYTES
    for name, base, mapping in _static_memory(mappings, own):
        size = mapping.end - mapping.start
        left -= size
        if left < 0:
            break
        data = os.pread(memory, size, mapping.start)
        for at in range(0, len(data) - _WORD + 1, _WORD):
            word = int.from_bytes(data[at : at + _WORD], sys.byteorder)
            if word > _LOWEST and word % _WORD == 0 and _is_inside(word, writable) and len(found) < _MAX_POINTERS:
                found.setdefault(word, f"{name}+{mapping.start + at - base:#x}")
    return found


def _static_memory(mappings: list[_Mapping], own: tuple[str, ...]) -> Iterator[tuple[str, int, _Mapping]]:
    """Yield the writable parts of files below `own`, with the name and the beginning of each; .bss has no file."""
    bases = dict[str, int]()
    previous = ""
    for each in mappings:
        if each.path:
            previous = each.path if each.path.startswith(own) else ""
            bases.setdefault(each.path, each.start)
        if previous and each.is_writable:
            yield previous.rpartition("/")[2], bases[previous], each
        if not each.path:
            previous = ""


def _is_inside(word: int, mappings: list[_Mapping]) -> bool:
    return any(each.start <= word < each.end for each in mappings)
