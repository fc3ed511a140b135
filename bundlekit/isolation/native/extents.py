"""The parts of a section that are looked at as one: variables, and what has no name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bundlekit.isolation.native.snapshot import Region
from bundlekit.isolation.native.view import Blocks, View, is_same
from bundlekit.isolation.native.words import words_of
from bundlekit.read.built_variables import BuiltVariable

__all__ = ["Extent", "History", "extents_of"]

_WORD, _PAGE = 8, 4096


class Extent(NamedTuple):
    """A part of a section that is one variable, or what is known of one; from the section's start, in bytes."""

    offset: int
    size: int
    name: str | None


class History(NamedTuple):
    """One section in each snapshot, with the blocks of that; `objects` are addresses and sizes of Python objects."""

    regions: Sequence[Region]
    blocks: Sequence[Blocks]
    objects: Mapping[int, int]

    def views(self, extent: Extent) -> list[View]:
        """Return what there was in each snapshot."""
        start, end = extent.offset, extent.offset + extent.size
        seen = zip(self.regions, self.blocks, strict=True)
        return [known.view(region.address + start, region.data[start:end]) for region, known in seen]

    def is_untouched(self, extent: Extent) -> bool:
        """Whether it has the same bytes throughout, and nothing hangs on it: most variables."""
        first, *others = (each.data[extent.offset : extent.offset + extent.size] for each in self.regions)
        is_equal = all(each == first for each in others)
        return is_equal and all(next(known.pointers_in(first), None) is None for known in self.blocks)


def extents_of(history: History, variables: Iterable[BuiltVariable]) -> Iterator[Extent]:
    """Yield the variables of a section, and after them what changed where no name says what it is.

    Bookkeeping and Python objects are neither.
    """
    region = history.regions[-1]
    start = 0 if region.is_thread_local else region.section.address
    covered = bytearray(len(region.data))
    passed_over = {address - region.address for address in history.objects}
    for address, size in history.objects.items():
        _cover(covered, address - region.address, size)
    for each in variables:
        offset = each.address - start
        if each.is_thread_local is not region.is_thread_local or not 0 <= offset < len(covered):
            continue
        _cover(covered, offset, each.size)
        if not each.is_bookkeeping and offset not in passed_over:
            yield Extent(offset, each.size, each.name)
        # Several names may stand for the same memory.
        passed_over.add(offset)
    if not all(covered):
        yield from _unnamed(history, bytes(covered))


def _cover(covered: bytearray, start: int, size: int) -> None:
    end = min(start + size, len(covered))
    if 0 <= start < end:
        covered[start:end] = b"\1" * (end - start)


def _unnamed(history: History, covered: bytes) -> Iterator[Extent]:
    """Yield runs of words that differ anywhere, themselves or in what they point to, and are no variable's."""
    numbers = _differing(history.regions)
    if not history.regions[0].library.hides_bindings:
        for region, known in zip(history.regions, history.blocks, strict=True):
            numbers |= {*known.pointers_in(region.data)}
    run: list[int] = []
    for number in sorted(numbers):
        if any(covered[number * _WORD : (number + 1) * _WORD]):
            continue
        first, *others = history.views(Extent(number * _WORD, _WORD, None))
        if all(is_same(first, view) for view in others):
            continue
        if run and run[-1] != number - 1:
            yield _joined(run)
            run = []
        run.append(number)
    if run:
        yield _joined(run)


def _joined(run: Sequence[int]) -> Extent:
    return Extent(run[0] * _WORD, len(run) * _WORD, None)


def _differing(regions: Sequence[Region]) -> set[int]:
    """Return the numbers of the words that are not the same in all regions; pages that are, are passed over."""
    found = set()
    for start in range(0, len(regions[0].data), _PAGE):
        pages = [each.data[start : start + _PAGE] for each in regions]
        if any(page != pages[0] for page in pages):
            rows = zip(*map(words_of, pages), strict=False)
            found |= {start // _WORD + number for number, row in enumerate(rows) if len(set(row)) > 1}
    return found
