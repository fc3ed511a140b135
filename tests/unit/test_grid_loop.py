"""Tasks handed out and gathered, by a crew whose answers a test decides."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future

import pytest

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.errors import InternalError, UsageError
from bundlekit.grid.loop import Loop, Numbered
from bundlekit.grid.workers import LocalCrew, Pending, Placed
from bundlekit.model.digest import Digest
from bundlekit.model.grid import GridTask
from bundlekit.model.outcome import Aggregated, Failure, Output, Prepared, Simulated, TaskRun

_BUNDLE = Digest.of(b"bundle")
_Answer = Callable[[GridTask], TaskRun]


def _tasks(count: int) -> list[Numbered]:
    tasks = [GridTask("main", {}, seed) for seed in range(count)]
    return [Numbered(number, task.task_id(_BUNDLE), task) for number, task in enumerate(tasks)]


def _success(task: GridTask) -> TaskRun:
    outputs = {"a": Output(3, "0" * 64, b"abc", None)}
    return TaskRun(Simulated(task.task_id(_BUNDLE), outputs), 7, 0.5, (), "none", 12.5)


def _failure(_task: GridTask) -> TaskRun:
    failure = Failure(ErrorCode.SIGNAL, Phase.CALL, None, "it\ndied", "SIGSEGV", retryable=False, stderr_tail="")
    return TaskRun(failure, 7, 0.5, (), "none", 12.5)


def _refusal(_task: GridTask) -> TaskRun:
    raise UsageError("the path is not UTF-8")


class _Crew:
    """Ends each task at once with `answer`; without one, only when it is abandoned: each in another way."""

    executor = "by-hand"

    def __init__(self, answer: _Answer | None, size: int = 2) -> None:
        self.size = size
        self.taken: list[tuple[GridTask, Future[Placed]]] = []
        self._answer = answer

    def prepare(self) -> Prepared | Failure:
        """Never called by the loop."""
        raise NotImplementedError

    def submit(self, task: GridTask, timeout_s: float) -> Pending:
        """Take a task."""
        assert timeout_s == 9.0
        future: Future[Placed] = Future()
        self.taken.append((task, future))
        if self._answer is not None:
            self._end(future, self._answer, task)
        return future

    def abandon(self) -> None:
        """Let the first succeed and the second fail, and take the others back."""
        for (task, future), answer in zip(self.taken, [_success, _failure], strict=False):
            self._end(future, answer, task)
        for _, future in self.taken[2:]:
            future.cancel()

    @staticmethod
    def _end(future: "Future[Placed]", answer: _Answer, task: GridTask) -> None:
        try:
            future.set_result(Placed("node-1", answer(task)))
        except UsageError as error:
            future.set_exception(error)


class _Pool:
    """Answers as it was told to, and remembers whether it was abandoned."""

    def __init__(self, answer: _Answer) -> None:
        self.is_abandoned = False
        self._answer = answer

    def prepare(self) -> Prepared | Failure:
        """Never called by these tests."""
        raise NotImplementedError

    def simulate(self, task: Mapping[str, object], timeout_s: float) -> TaskRun:
        """Answer at once."""
        assert (task["entrypoint"], timeout_s) == ("main", 9.0)
        return self._answer(GridTask("main", {}, 0))

    def abandon(self) -> None:
        """Remember it."""
        self.is_abandoned = True


def test_each_task_gets_a_row_and_no_more_are_out_than_are_needed() -> None:
    """A million tasks are not handed out at once."""
    crew = _Crew(_success)
    rows = Loop(crew, 9.0).rows(_tasks(10))
    first = next(rows)
    assert len(crew.taken) == 5
    assert [first.number, *(row.number for row in rows)] == list(range(10))
    assert (first.executor, first.host, first.pid, first.started_s, first.seconds) == (
        "by-hand",
        "node-1",
        7,
        12.5,
        0.5,
    )
    assert first.outputs == {"a": (3, "0" * 64)}
    assert first.error_code is None


def test_a_failure_is_a_row_that_says_why() -> None:
    """One line of it: the message of an exception may be pages."""
    (row,) = Loop(_Crew(_failure), 9.0).rows(_tasks(1))
    assert (row.error_code, row.phase, row.error_type, row.message, row.signal) == (
        ErrorCode.SIGNAL,
        "call",
        None,
        "it",
        "SIGSEGV",
    )


def test_no_tasks_are_no_rows() -> None:
    """Everything was done before."""
    assert list(Loop(_Crew(_success), 9.0).rows([])) == []


def test_after_a_stop_only_what_had_succeeded_counts() -> None:
    """What failed then was ended by us, and what was taken back never ran; both are run by the next command."""
    loop = Loop(_Crew(None), 9.0)
    loop.stop()
    loop.stop()
    assert [row.number for row in loop.rows(_tasks(10))] == [0]
    assert loop.is_stopped


def test_what_keeps_tasks_from_running_at_all_ends_the_loop() -> None:
    """It would be the same for each."""
    with pytest.raises(UsageError, match="not UTF-8"):
        list(Loop(_Crew(_refusal), 9.0).rows(_tasks(3)))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (
            TaskRun(Simulated("sha256:other", {}), 7, 0.5, (), "none"),
            "task 0 has the id .* and its result sha256:other",
        ),
        (TaskRun(Aggregated(0.0, {}, 1), 7, 0.5, (), "none"), "answered by an aggregation"),
    ],
)
def test_an_answer_to_something_else_is_a_bug_that_is_told(run: TaskRun, said: str) -> None:
    """Results of other tasks under a task's name would be the worst that could happen."""
    with pytest.raises(InternalError, match=said):
        list(Loop(_Crew(lambda _task: run), 9.0).rows(_tasks(1)))


def _death(_task: GridTask) -> TaskRun:
    raise InternalError("the cold runner ended with status -9")


def test_whoever_died_with_a_task_fails_that_task() -> None:
    """The crew goes on; the task may have killed it, so the row says so and the next command tries again."""
    with LocalCrew(_Pool(_death), "cold", 2) as crew:
        rows = list(Loop(crew, 9.0).rows(_tasks(3)))
    assert {(row.error_code, row.message) for row in rows} == {
        (ErrorCode.KILLED, "the cold runner ended with status -9")
    }


def test_a_crew_that_is_left_by_an_error_runs_nothing_more() -> None:
    """A full disk: nobody would keep what the tasks that still run give."""
    pool = _Pool(_success)
    with pytest.raises(UsageError), LocalCrew(pool, "cold", 1):
        raise UsageError("anything")
    assert pool.is_abandoned
