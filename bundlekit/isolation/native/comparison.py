"""What tasks changed in the memory of libraries, from snapshots alone."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from bundlekit.isolation.native.behaviour import judged
from bundlekit.isolation.native.extents import History, extents_of
from bundlekit.isolation.native.heap import Shape
from bundlekit.isolation.native.libraries import LibraryFile
from bundlekit.isolation.native.snapshot import NativeSnapshot, Region
from bundlekit.isolation.native.view import Blocks, first_difference, is_same
from bundlekit.model.isolation import NativeChange
from bundlekit.read.built_variables import BuiltVariable

__all__ = ["native_changes"]

_THREAD_LOCAL = "thread-local storage"

VariablesOf = Callable[[LibraryFile], Sequence[BuiltVariable]]


def native_changes(
    snapshots: Sequence[NativeSnapshot], tasks: Sequence[int], variables_of: VariablesOf
) -> tuple[NativeChange, ...]:
    """Return what tasks changed and left, by library and address; `snapshots` has the one after import first.

    A library that a task loads is compared from then on. What is initialised once, and what is no author's, is silent.
    """
    blocks = [Blocks(snapshot.blocks) for snapshot in snapshots]
    objects = {address: size for snapshot in snapshots for address, size in snapshot.objects.items()}
    are_blocks_same = all(one.blocks == other.blocks for one, other in pairwise(snapshots))
    found: list[NativeChange] = []
    for key in sorted({key for snapshot in snapshots for key in snapshot.regions}):
        regions = _throughout([snapshot.regions.get(key) for snapshot in snapshots])
        if regions is None:
            continue
        is_same_data = all(one.data == other.data for one, other in pairwise(regions))
        if not is_same_data or (regions[0].library.is_own and not are_blocks_same):
            history = History(regions, blocks, objects)
            found += _of_region(history, tasks, variables_of(regions[0].library.file))
    return tuple(found)


def _throughout(regions: Sequence[Region | None]) -> list[Region] | None:
    """Return a region for each snapshot, None if it went; before it came, it is what it was when it was seen first."""
    there = [each for each in regions if each is not None]
    first = len(regions) - len(there)
    return None if None in regions[first:] else [there[0]] * first + there


def _of_region(history: History, tasks: Sequence[int], variables: Sequence[BuiltVariable]) -> Iterator[NativeChange]:
    region = history.regions[0]
    for extent in extents_of(history, variables):
        if history.is_untouched(extent):
            continue
        views = history.views(extent)
        verdict = judged(views, tasks, is_same)
        if verdict is None:
            continue
        changed = next(view for view in views if not is_same(views[0], view))
        yield NativeChange(
            library=region.library.name,
            symbol=extent.name,
            section=region.section.name,
            offset=extent.offset,
            size=extent.size,
            task=verdict.task,
            behaviour=verdict.behaviour,
            is_own=region.library.is_own,
            reached_by=_how(first_difference(views[0], changed), region),
        )


def _how(reached: Shape | None, region: Region) -> str | None:
    if reached is not None:
        return reached.value
    return _THREAD_LOCAL if region.is_thread_local else None
