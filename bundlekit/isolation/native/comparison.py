"""What tasks changed in the memory of libraries, from snapshots alone."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from bundlekit.isolation.native.behaviour import judged
from bundlekit.isolation.native.heap import Shape, words_of
from bundlekit.isolation.native.libraries import LibraryFile
from bundlekit.isolation.native.snapshot import NativeSnapshot, Region
from bundlekit.isolation.native.view import Blocks, View, first_difference, is_same
from bundlekit.model.isolation import NativeChange
from bundlekit.read.built_variables import BuiltVariable

__all__ = ["native_changes"]

_WORD, _PAGE = 8, 4096
_THREAD_LOCAL = "thread-local storage"

VariablesOf = Callable[[LibraryFile], Sequence[BuiltVariable]]


class _Extent(NamedTuple):
    """A part of a section that is one variable, or what is known of one; from the section's start, in bytes."""

    offset: int
    size: int
    name: str | None


def native_changes(
    snapshots: Sequence[NativeSnapshot], tasks: Sequence[int], variables_of: VariablesOf
) -> tuple[NativeChange, ...]:
    """Return what tasks changed and left, by library and address; `snapshots` has the one after import first.

    A library that a task loads is compared from then on. What is initialised once, and what is no author's, is silent.
    """
    blocks = [Blocks(snapshot.blocks) for snapshot in snapshots]
    keys = sorted({key for snapshot in snapshots for key in snapshot.regions})
    are_blocks_same = all(one.blocks == other.blocks for one, other in pairwise(snapshots))
    found: list[NativeChange] = []
    for key in keys:
        first = next(number for number, each in enumerate(snapshots) if key in each.regions)
        regions = [each.regions[key] for each in snapshots[first:] if key in each.regions]
        is_whole = len(regions) == len(snapshots) - first
        is_same_data = all(one.data == other.data for one, other in pairwise(regions))
        if not is_whole or (is_same_data and (are_blocks_same or not regions[0].library.is_own)):
            continue
        # What it was before it was loaded is what it was when that was first seen.
        padded = [regions[0]] * first + regions
        found += _of_region(padded, blocks, tasks, variables_of(regions[0].library.file))
    return tuple(found)


def _of_region(
    regions: Sequence[Region], blocks: Sequence[Blocks], tasks: Sequence[int], variables: Sequence[BuiltVariable]
) -> Iterator[NativeChange]:
    section, library = regions[0].section, regions[0].library
    for extent in _extents(regions, blocks, variables):
        if _is_untouched(regions, extent, blocks):
            continue
        views = [_view(region, extent, known) for region, known in zip(regions, blocks, strict=True)]
        verdict = judged(views, tasks, is_same)
        if verdict is None:
            continue
        changed = next(view for view in views if not is_same(views[0], view))
        reached = first_difference(views[0], changed)
        yield NativeChange(
            library=library.name,
            symbol=extent.name,
            section=section.name,
            offset=extent.offset,
            size=extent.size,
            task=verdict.task,
            behaviour=verdict.behaviour,
            is_own=library.is_own,
            reached_by=_how(reached, regions[0]),
        )


def _is_untouched(regions: Sequence[Region], extent: _Extent, blocks: Sequence[Blocks]) -> bool:
    """Whether a variable has the same bytes throughout, and nothing hangs on it: most of them."""
    first, *others = (each.data[extent.offset : extent.offset + extent.size] for each in regions)
    is_equal = all(each == first for each in others)
    return is_equal and all(next(known.pointers_in(first), None) is None for known in blocks)


def _how(reached: Shape | None, region: Region) -> str | None:
    if reached is not None:
        return reached.value
    return _THREAD_LOCAL if region.is_thread_local else None


def _view(region: Region, extent: _Extent, blocks: Blocks) -> View:
    data = region.data[extent.offset : extent.offset + extent.size]
    return blocks.view(region.address + extent.offset, data)


def _extents(
    regions: Sequence[Region], blocks: Sequence[Blocks], variables: Iterable[BuiltVariable]
) -> Iterator[_Extent]:
    """Yield the variables of a section, and after them what changed where no name says what it is."""
    region = regions[0]
    start = 0 if region.is_thread_local else region.section.address
    covered = bytearray(len(region.data))
    seen: set[tuple[int, int]] = set()
    for each in variables:
        offset = each.address - start
        is_here = each.is_thread_local is region.is_thread_local and 0 <= offset < len(covered)
        if not is_here or (offset, each.size) in seen:
            continue
        seen.add((offset, each.size))
        end = min(offset + each.size, len(covered))
        covered[offset:end] = b"\1" * (end - offset)
        if not each.is_bookkeeping:
            yield _Extent(offset, each.size, each.name)
    if not all(covered):
        yield from _unnamed(regions, blocks, bytes(covered))


def _unnamed(regions: Sequence[Region], blocks: Sequence[Blocks], covered: bytes) -> Iterator[_Extent]:
    """Yield runs of words that differ anywhere, themselves or in what they point to, and are no variable's."""
    followed = {
        number for region, known in zip(regions, blocks, strict=True) for number in known.pointers_in(region.data)
    }
    run: list[int] = []
    for number in sorted(_differing(regions) | followed):
        if any(covered[number * _WORD : (number + 1) * _WORD]):
            continue
        word = _Extent(number * _WORD, _WORD, None)
        views = [_view(region, word, known) for region, known in zip(regions, blocks, strict=True)]
        if all(is_same(views[0], view) for view in views):
            continue
        if run and run[-1] != number - 1:
            yield _Extent(run[0] * _WORD, len(run) * _WORD, None)
            run = []
        run.append(number)
    if run:
        yield _Extent(run[0] * _WORD, len(run) * _WORD, None)


def _differing(regions: Sequence[Region]) -> set[int]:
    """Return the numbers of the words that are not the same in all regions; pages that are, are passed over."""
    found = set()
    for start in range(0, len(regions[0].data), _PAGE):
        pages = [each.data[start : start + _PAGE] for each in regions]
        if any(page != pages[0] for page in pages):
            rows = zip(*map(words_of, pages), strict=False)
            found |= {start // _WORD + number for number, row in enumerate(rows) if len(set(row)) > 1}
    return found
