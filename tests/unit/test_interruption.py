"""Ends tasks from other threads: in time, and never those of somebody else."""

from bundlekit.executors.interruption import Interruption, interrupted_by


def test_what_runs_is_ended_and_what_ran_is_not() -> None:
    """The process may have the next task by then."""
    ended: list[str] = []
    interruption = Interruption()
    with interruption.allowed():
        with interrupted_by(lambda: ended.append("first")):
            pass
        with interrupted_by(lambda: ended.append("second")):
            interruption.interrupt()
    assert ended == ["second"]
    assert interruption.is_interrupted


def test_what_begins_after_the_interruption_is_ended_too() -> None:
    """The cancellation may come while the environment is made ready."""
    ended: list[str] = []
    interruption = Interruption()
    interruption.interrupt()
    with interruption.allowed(), interrupted_by(lambda: ended.append("late")):
        pass
    assert ended == ["late"]


def test_calls_that_may_not_be_interrupted_are_left_alone() -> None:
    """Most hosts have no use for it."""
    ended: list[str] = []
    interruption = Interruption()
    with interruption.allowed():
        pass
    with interrupted_by(lambda: ended.append("other")):
        interruption.interrupt()
    assert ended == []
