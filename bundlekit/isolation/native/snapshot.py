"""All that libraries of a process have in memory that they can write, at one time."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bundlekit.isolation.native.heap import Block, Heap
from bundlekit.isolation.native.libraries import Library, loaded_libraries
from bundlekit.isolation.native.memory import ProcessMemory
from bundlekit.isolation.native.python_objects import PythonObjects
from bundlekit.isolation.native.thread_local import main_thread, thread_local_block
from bundlekit.isolation.watching import WatchedProcess
from bundlekit.read.elf import ElfSection

__all__ = ["NativeSnapshot", "Region", "snapshot_of"]

_LARGEST_SECTION, _MOST_BYTES = 1 << 26, 1 << 28
"""What one section has beyond, and all of them together, is not compared."""

_SEARCHED_BYTES = 1 << 23


class Region(NamedTuple):
    """A section of a loaded library: where it begins in the process, and what is in it."""

    library: Library
    section: ElfSection
    address: int
    data: bytes
    is_thread_local: bool = False


class NativeSnapshot(NamedTuple):
    """`regions` are by library and section, `blocks` what the bundle's own libraries reach on the heap, by address.

    `objects` are the Python objects that are variables of its own libraries, by address, with their sizes. `unseen`
    says in clauses what could not be looked at.
    """

    regions: Mapping[tuple[str, str], Region]
    blocks: Mapping[int, Block]
    objects: Mapping[int, int] = {}
    unseen: tuple[str, ...] = ()


def snapshot_of(process: WatchedProcess, before: NativeSnapshot | None = None) -> NativeSnapshot:
    """Return what there is now; equal parts of `before` are shared, so that many snapshots need little memory.

    Raises:
        OSError: the process is gone, or is not ours to look at.
    """
    with ProcessMemory(process.pid) as memory:
        mappings = memory.mappings()
        libraries = loaded_libraries(process.pid, mappings, (process.code, process.tree))
        unseen: list[str] = []
        regions = _sections(sorted(libraries, key=lambda each: not each.is_own), memory, unseen)
        with_own = [library for library in libraries if library.image.tls is not None]
        thread = main_thread(memory, mappings) if with_own else None
        if thread is not None:
            regions += _thread_local(with_own, thread, memory)
        if any(library.is_own and (thread is None or not library.image.tls_slots) for library in with_own):
            unseen.append("thread-local variables of C and C++ that are not as on x86-64 with glibc")
        found = PythonObjects(memory, mappings)
        heap = Heap(memory, mappings, found)
        objects: dict[int, int] = {}
        for region in (each for each in regions if each.library.is_own):
            searched = region.data[:_SEARCHED_BYTES]
            heap.reach(searched)
            objects |= found.within(region.address, searched)
            if len(searched) < len(region.data):
                unseen.append(
                    f"what pointers behind the beginning of {region.section.name} of {region.library.name} hold"
                )
        if not heap.is_complete:
            unseen.append(f"of the memory that static variables point to, only the first {len(heap.blocks):,} blocks")
    return NativeSnapshot(
        {(each.library.name, each.section.name): _shared(each, before) for each in regions},
        {address: _shared_block(address, block, before) for address, block in heap.blocks.items()},
        objects,
        tuple(unseen),
    )


def _sections(libraries: Iterable[Library], memory: ProcessMemory, unseen: list[str]) -> list[Region]:
    regions = []
    left = _MOST_BYTES
    for library in libraries:
        for section in library.image.sections:
            address, size = library.bias + section.address, min(section.size, _LARGEST_SECTION, left)
            regions.append(Region(library, section, address, memory.read(address, size)))
            left -= size
            if size < section.size:
                unseen.append(f"of {section.name} of {library.name}, which is large, all but its beginning")
    return regions


def _thread_local(libraries: Iterable[Library], thread: int, memory: ProcessMemory) -> Iterable[Region]:
    for library in libraries:
        tls = library.image.tls
        if tls is None or not library.image.tls_slots:
            continue
        address = thread_local_block(library, thread, memory)
        size = min(tls.size, _LARGEST_SECTION)
        # A thread gets its block when it first asks for it, filled like this.
        initial = library.image.tls_initial[:size].ljust(size, b"\0")
        data = initial if address is None else memory.read(address, size)
        yield Region(library, tls, address or 0, data, is_thread_local=True)


def _shared(region: Region, before: NativeSnapshot | None) -> Region:
    same = None if before is None else before.regions.get((region.library.name, region.section.name))
    return same if same is not None and same == region else region


def _shared_block(address: int, block: Block, before: NativeSnapshot | None) -> Block:
    same = None if before is None else before.blocks.get(address)
    return same if same is not None and same == block else block
