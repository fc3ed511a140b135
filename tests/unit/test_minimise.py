"""The fewest earlier tasks that change a later one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundlekit.isolation.minimise import minimal, reduced


class Bench:
    """Answers as a bundle would in which all `polluters`, in this order, together change the victim; counts."""

    def __init__(self, polluters: tuple[int, ...]) -> None:
        self.polluters = polluters
        self.asked: list[tuple[int, ...]] = []

    def changes(self, part: tuple[int, ...]) -> bool:
        """Return whether all polluters are in `part`, in their order."""
        self.asked.append(part)
        rest = iter(part)
        return all(each in rest for each in self.polluters)


@st.composite
def _grids(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    earlier = tuple(draw(st.permutations(range(draw(st.integers(1, 24))))))
    places = draw(st.sets(st.integers(0, len(earlier) - 1), max_size=5))
    return earlier, tuple(earlier[place] for place in sorted(places))


@given(_grids())
def test_exactly_the_polluters_are_left(grid: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """One task too many accuses the innocent, one too few reproduces nothing."""
    earlier, polluters = grid
    assert minimal(earlier, Bench(polluters).changes) == polluters


@given(_grids())
def test_what_is_needed_as_a_whole_is_left_alone(grid: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """What changes one victim mostly changes the next, and then each task of it is asked about once."""
    earlier, polluters = grid
    assert reduced(earlier, Bench(polluters).changes) == polluters
    bench = Bench(polluters)
    assert reduced(polluters, bench.changes) == polluters
    assert len(bench.asked) == len(polluters)


@given(_grids(), st.integers(1, 5))
def test_no_task_can_be_left_out_where_any_few_do(grid: tuple[tuple[int, ...], tuple[int, ...]], needed: int) -> None:
    """A cache that overflows at the fourth set does so with any four: one answer of many, and a small one."""
    earlier, _ = grid
    if needed <= len(earlier):
        found = minimal(earlier, lambda part: len(part) >= needed)
        assert len(found) == needed


@given(st.integers(2, 24), st.integers(0, 23))
def test_one_polluter_is_found_in_few_runs(size: int, place: int) -> None:
    """Each question costs a process and its tasks."""
    bench = Bench((min(place, size - 1),))
    minimal(tuple(range(size)), bench.changes)
    assert len(bench.asked) <= 2 * size.bit_length() + 2


def test_equal_tasks_are_told_apart_by_their_place() -> None:
    """A task can change its own next run: A, then A."""
    assert minimal((0, 0, 1, 0), lambda part: part.count(0) >= 2) == (0, 0)


@pytest.mark.parametrize("earlier", [(), (4,), (4, 5, 6)])
def test_a_task_that_changes_by_itself_needs_no_other(earlier: tuple[int, ...]) -> None:
    """Then the sequence is the victim alone."""
    assert minimal(earlier, lambda _part: True) == ()
    assert reduced(earlier, lambda _part: True) == ()
