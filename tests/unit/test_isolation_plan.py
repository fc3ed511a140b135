"""Which tasks the experiment runs, and in which orders."""

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundlekit.isolation.plan import affordable, chosen, every_pair, orders, pair_of, reseeded, untried_pairs
from bundlekit.model.grid import GridTask


def task(b: float = 0.1, seed: int = 1, **env: str) -> GridTask:
    """Return a task."""
    return GridTask("main", {"b": b}, seed, None, env)


def grid(params: int, seeds: int) -> list[GridTask]:
    """Return all tasks of so many parameter sets with so many seeds each, in the order of a grid file."""
    return [task(b / 10, seed) for b in range(params) for seed in range(seeds)]


def test_all_tasks_of_a_small_grid_take_part() -> None:
    """What is left out cannot be cleared."""
    assert chosen(grid(4, 2), 8) == (tuple(range(8)), ())


def test_different_parameters_come_before_different_seeds() -> None:
    """Leaks show between parameter sets: a grid of replicates would otherwise be tried on one of them alone."""
    tasks = grid(6, 100)
    picked = chosen(tasks, 7)
    assert {tasks[number].params["b"] for number in picked.tasks} == {0.0, 0.1, 0.2, 0.3, 0.4, 0.5}
    assert sum(tasks[number].seed != 0 for number in picked.tasks) == 1
    assert picked.left_out == ("593 of 600 tasks of the grid were not run: see the budget",)


def test_of_too_many_parameter_sets_those_are_taken_that_lie_apart() -> None:
    """The first and the last differ most in a grid that varies one value after the other."""
    assert chosen(grid(1000, 1), 3).tasks == (0, 500, 999)
    assert chosen(grid(1000, 1), 1).tasks == (0,)


def test_replicates_alone_are_taken_where_there_is_nothing_else() -> None:
    """A grid of one parameter set has its seeds."""
    assert len(chosen(grid(1, 50), 5).tasks) == 5


def test_tasks_with_other_variables_take_no_part() -> None:
    """No executor ever runs them in the same process."""
    picked = chosen([task(0.1), task(0.2, A="1"), task(0.3)], 9)
    assert picked.tasks == (0, 2)
    assert picked.left_out == ("1 of 3 tasks bring other variables (env), and never share a process",)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 30))
def test_never_more_tasks_than_asked_for_and_each_once(params: int, seeds: int, most: int) -> None:
    """The budget is kept whatever the grid."""
    tasks = grid(params, seeds)
    picked = chosen(tasks, most).tasks
    assert len(picked) == min(most, len(tasks))
    assert list(picked) == sorted(set(picked))


def test_the_orders_are_those_that_the_report_names() -> None:
    """Each is there for a reason, and the shuffled one can be had again."""
    found = {order.name: order.tasks for order in orders((0, 1, 2, 5), (0, 2), seed=3)}
    assert found["grid"] == (0, 1, 2, 5)
    assert found["reversed"] == (5, 2, 1, 0)
    assert sorted(found["shuffled"]) == [0, 1, 2, 5]
    assert found["repeated"] == (0, 0, 2, 0)
    assert found["shuffled"] == {each.name: each.tasks for each in orders((0, 1, 2, 5), (0, 2), seed=3)}["shuffled"]
    assert len({each.tasks for seed in range(20) for each in orders((0, 1, 2, 5), (0, 2), seed)}) > 5


@pytest.mark.parametrize(("tasks", "shuffled"), [(8, 8), (12, 8), (16, 8), (40, 20)])
def test_of_many_tasks_half_are_shuffled(tasks: int, shuffled: int) -> None:
    """The whole must take less than five times as long as each task alone."""
    found = orders(range(tasks), (0, 1), seed=0)
    assert len({order.name: order.tasks for order in found}["shuffled"]) == shuffled
    runs = 2 * tasks + sum(len(order.tasks) for order in found)
    assert runs < 5 * tasks or tasks < 16


def test_no_order_is_run_twice() -> None:
    """Of one task there is but one order, besides the one that repeats it."""
    assert [order.tasks for order in orders((4,), (4, 4), seed=0)] == [(4,), (4, 4, 4, 4)]


@given(st.integers(1, 6))
def test_each_task_comes_right_after_each(count: int) -> None:
    """A leak that only one pair shows, or one task after itself, hides from the grid's own order and its reverse."""
    tasks = tuple(range(count))
    order = every_pair(tasks, ())
    assert order is not None
    assert sorted(pairwise(order.tasks)) == sorted(product(tasks, repeat=2))
    assert untried_pairs(tasks, [order]) == 0
    assert every_pair(tasks, [order]) is None


def test_many_tasks_are_not_all_put_side_by_side() -> None:
    """Ninety runs to find one pair of ten tasks is more than the whole experiment takes; what is left is counted."""
    tasks = tuple(range(10))
    done = orders(tasks, (0, 1), seed=0)
    assert every_pair(tasks, done) is None
    assert 72 <= untried_pairs(tasks, done) <= 80


PAIRS = {
    "parameters": ([task(0.1), task(0.1, 2), task(0.2)], (0, 2)),
    "seeds": ([task(0.1), task(0.1, 2)], (0, 1)),
    "alone": ([task(0.1)], (0, 0)),
}


@pytest.mark.parametrize(("tasks", "pair"), PAIRS.values(), ids=PAIRS)
def test_the_pair_differs_as_much_as_it_can(tasks: list[GridTask], pair: tuple[int, int]) -> None:
    """A A B A tells what hangs on the parameters only if A and B differ in them."""
    assert pair_of(tasks, range(len(tasks))) == pair


def test_seeds_of_our_own_are_tried_only_where_the_grid_has_one_each() -> None:
    """Whether the seed matters can be seen with two of them."""
    assert reseeded(grid(3, 1), (0, 1, 2), 2) == (task(0.0, 1), task(0.1, 1))
    assert reseeded(grid(3, 2), tuple(range(6)), 2) == ()


BUDGETS = {
    "tasks": (400, 300.0, 0.0, 2, 38),
    "seconds": (400, 300.0, 5.0, 2, 10),
    "more-at-once": (400, 300.0, 5.0, 4, 22),
    "never-less-than-two": (3, 1.0, 10.0, 1, 2),
}


@pytest.mark.parametrize(("tasks", "seconds", "each", "jobs", "most"), BUDGETS.values(), ids=BUDGETS)
def test_the_budget_says_how_many_tasks_take_part(
    tasks: int, seconds: float, each: float, jobs: int, most: int
) -> None:
    """Half of it is kept for finding the culprit: a verdict without one helps nobody."""
    assert affordable(tasks, seconds, each, jobs) == most
