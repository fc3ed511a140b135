"""Where the main thread of a process has its copy of a library's thread-local variables: x86-64 with glibc only.

Nothing outside of a thread knows where its own memory is, but it begins with its own address, twice, and holds its
number. From there a table leads to the block of each library, whose number in it the loader has written into the
library's own memory. Elsewhere, and in other threads, thread-local variables are not seen.
See: "ELF Handling For Thread-Local Storage", sections 3.4.2 and 4.4.6; glibc's sysdeps/x86_64/nptl/tls.h.
"""

from collections.abc import Iterable

from bundlekit.isolation.native.libraries import Library
from bundlekit.isolation.native.memory import Mapping, ProcessMemory
from bundlekit.read.elf import TlsSlot

__all__ = ["main_thread", "thread_local_block"]

_ALIGNMENT = 64
_WORDS = _ALIGNMENT // 8
_LARGEST_MAPPING = 1 << 20
_CONTROL_WORDS = 128
"""How far into its control block a thread's number is looked for."""

_UNALLOCATED, _NEGATIVE = (1 << 64) - 1, 1 << 63
_MOST_MODULES = 1 << 16


def main_thread(memory: ProcessMemory, mappings: Iterable[Mapping]) -> int | None:
    """Return the address of the control block of a process's first thread, None where there is none of this kind."""
    number = _number_inside(memory.pid)
    # The loader makes it early, near to where it is itself: at the highest addresses.
    for mapping in sorted(mappings, reverse=True):
        size = mapping.end - mapping.start
        if not mapping.is_writable or mapping.path not in {"", "[heap]"} or size > _LARGEST_MAPPING:
            continue
        words = memory.words(mapping.start, size // 8)
        for at in range(-(mapping.start // 8) % _WORDS, len(words) - 2, _WORDS):
            address = mapping.start + 8 * at
            if words[at] == address == words[at + 2] and _has_number(words[at : at + _CONTROL_WORDS], number):
                return address
    return None


def thread_local_block(library: Library, thread: int, memory: ProcessMemory) -> int | None:
    """Return where a thread has the library's block, None where it has none yet or the way there is not known."""
    for slot in library.image.tls_slots:
        found = memory.words(library.bias + slot.address, 2)
        if not found:
            continue
        number = found[0]
        if slot.kind is TlsSlot.DESCRIPTOR:
            number = found[1] if found[1] & _NEGATIVE else next(iter(memory.words(found[1], 1)), 0)
        if slot.kind is TlsSlot.DISTANCE or number & _NEGATIVE:
            return (thread + number - slot.value) & _UNALLOCATED
        return _of_module(number, thread, memory)
    return None


def _of_module(number: int, thread: int, memory: ProcessMemory) -> int | None:
    """Return the block of a module, from the thread's table, which begins with how long it is."""
    table = memory.words(thread + 8, 1)
    known = memory.words(table[0] - 16, 1) if table else ()
    if not known or not 0 < number <= min(known[0], _MOST_MODULES):
        return None
    entry = memory.words(table[0] + 16 * number, 1)
    return entry[0] if entry and entry[0] not in {0, _UNALLOCATED} else None


def _number_inside(pid: int) -> int:
    """Return the number that a process has for itself, which may be another in its own namespace."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as for the mappings
        own = next((line for line in file if line.startswith("NSpid:")), "")
    return int(own.split()[-1]) if own.split()[1:] else pid


def _has_number(words: tuple[int, ...], number: int) -> bool:
    return any(number in {word & 0xFFFFFFFF, word >> 32} for word in words)
