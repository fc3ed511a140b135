"""How a value behaves over the tasks of a process."""

from operator import eq

import pytest

from bundlekit.isolation.native.behaviour import Judged, judged
from bundlekit.model.isolation import Behaviour

_AABA = (0, 0, 1, 0)


@pytest.mark.parametrize(
    ("values", "tasks", "verdict"),
    [
        pytest.param("01234", _AABA, Judged(Behaviour.ACCUMULATES, 0), id="each-task-adds"),
        pytest.param("00012", (0, 0, 1, 1), Judged(Behaviour.ACCUMULATES, 1), id="only-B-adds"),
        pytest.param("01122", _AABA, Judged(Behaviour.PATH_DEPENDENT, 0), id="B-adds-for-good"),
        pytest.param("00011", _AABA, Judged(Behaviour.PATH_DEPENDENT, 1), id="A-never-touches-what-B-sets"),
        pytest.param("01121", _AABA, Judged(Behaviour.LAST_TASK, 0), id="each-leaves-its-own"),
        pytest.param("00010", _AABA, Judged(Behaviour.LAST_TASK, 1), id="A-puts-it-back"),
        pytest.param("01", (4,), Judged(Behaviour.CHANGED, 4), id="one-task"),
        pytest.param("011", (4, 7), Judged(Behaviour.CHANGED, 4), id="two-tasks"),
        pytest.param("0012", (4, 7, 2), Judged(Behaviour.CHANGED, 7), id="no-task-twice"),
        pytest.param("012345", range(5), Judged(Behaviour.CHANGED, 0), id="a-grid"),
    ],
)
def test_what_changes_is_told_by_how(values: str, tasks: tuple[int, ...], verdict: Judged) -> None:
    """What accumulates leaks for certain; what only the last task left leaks where somebody reads it."""
    assert judged(values, tasks, eq) == verdict


@pytest.mark.parametrize(
    ("values", "tasks"),
    [
        pytest.param("00000", _AABA, id="never-changed"),
        pytest.param("01111", _AABA, id="filled-by-the-first-task"),
        pytest.param("011", (4, 4), id="filled-by-the-first-of-two"),
        pytest.param("0111", (4, 7, 2), id="filled-by-the-first-of-a-grid"),
        pytest.param("0", (), id="no-task"),
    ],
)
def test_what_is_filled_once_is_silent(values: str, tasks: tuple[int, ...]) -> None:
    """Caches of constants and objects that are made when they are first used are in every second bundle."""
    assert judged(values, tasks, eq) is None
