"""Tasks handed out and gathered, by a crew whose answers a test decides."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

import pytest

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.errors import InternalError, UsageError
from bundlekit.grid.loop import Loop
from bundlekit.grid.rows import Numbered
from bundlekit.grid.workers import LocalCrew, Pending
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Obstacle
from bundlekit.model.grid import GridRow, GridTask, Placed
from bundlekit.model.losses import LossRow, Replicates
from bundlekit.model.outcome import Aggregated, Failure, Output, Prepared, Simulated, TaskRun

_BUNDLE = Digest.of(b"bundle")
_Answer = Callable[[GridTask], TaskRun]


def _tasks(count: int) -> list[Numbered]:
    tasks = [GridTask("main", {}, seed) for seed in range(count)]
    return [Numbered(number, task.task_id(_BUNDLE), task) for number, task in enumerate(tasks)]


def _row(found: GridRow | LossRow) -> GridRow:
    assert isinstance(found, GridRow)
    return found


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
        self.evaluated: list[tuple[str, list[int]]] = []
        self.keeps_outputs, self.messages = False, 0
        self._answer = answer

    def prepare(self) -> Obstacle | None:
        """Never called by the loop."""
        raise NotImplementedError

    def submit(self, tasks: Sequence[GridTask], *, for_targets: bool) -> Sequence[Pending]:
        """Take tasks."""
        self.keeps_outputs = for_targets
        self.messages += 1
        return [self._taken(task) for task in tasks]

    def aggregate(self, target: str, replicates: Sequence[Pending]) -> Pending:
        """Answer with the sum of the seeds, or a failure for a target of that name."""
        seeds = [next(task.seed for task, future in self.taken if future is each) for each in replicates]
        self.evaluated.append((target, seeds))
        future: Future[Placed] = Future()
        run = _failure(GridTask("main", {}, 0))
        if target != "failing":
            run = run._replace(outcome=Aggregated(float(sum(seeds)), {"n": 1}, len(seeds)))
        future.set_result(Placed("node-2", "by-hand", 9.0, run))
        return future

    def _taken(self, task: GridTask) -> Pending:
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
            future.set_result(Placed("node-1", "by-hand", 9.0, answer(task)))
        except UsageError as error:
            future.set_exception(error)


class _Pool:
    """Answers as it was told to, and remembers whether it was abandoned."""

    def __init__(self, answer: _Answer) -> None:
        self.is_abandoned = False
        self._answer = answer

    def prepare(self) -> Prepared | Failure | None:
        """Never called by these tests."""
        raise NotImplementedError

    def simulate(self, task: Mapping[str, object], timeout_s: float) -> TaskRun:
        """Answer at once."""
        assert (task["entrypoint"], timeout_s) == ("main", 9.0)
        return self._answer(GridTask("main", {}, 0))

    def aggregate(self, target: str, sim_returns: Sequence[Mapping[str, object]], timeout_s: float) -> TaskRun:
        """Never called by these tests."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Remember it."""
        self.is_abandoned = True


def test_each_task_gets_a_row_and_no_more_are_out_than_are_needed() -> None:
    """A million tasks are not handed out at once."""
    crew = _Crew(_success)
    rows = Loop(crew).rows(_tasks(10))
    first = _row(next(rows))
    assert len(crew.taken) == 4
    assert [first.number, *(row.number for row in rows)] == list(range(10))
    assert not crew.keeps_outputs
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
    (found,) = Loop(_Crew(_failure)).rows(_tasks(1))
    row = _row(found)
    assert (row.error_code, row.phase, row.error_type, row.message, row.signal) == (
        ErrorCode.SIGNAL,
        "call",
        None,
        "it",
        "SIGSEGV",
    )


def test_tasks_are_handed_out_many_at_once() -> None:
    """A message for each of a million tasks is what a scheduler would spend its time on."""
    crew = _Crew(_success, size=100)
    assert len(list(Loop(crew).rows(_tasks(1000)))) == 1000
    assert crew.messages <= 2 + 800 / 25


_REPLICATES = (Replicates(0, (0, 2), ("a:f", "failing")), Replicates(1, (1,), ("a:f",)))


def test_targets_run_once_all_replicates_have_ended() -> None:
    """On the results in the order of the tasks, whatever the order of their ends."""
    crew = _Crew(_success)
    rows = list(Loop(crew).rows(_tasks(3), _REPLICATES))
    assert sorted(row.number for row in rows if isinstance(row, GridRow)) == [0, 1, 2]
    losses = {(row.number, row.target): row for row in rows if isinstance(row, LossRow)}
    assert crew.keeps_outputs
    assert sorted(crew.evaluated) == [("a:f", [0, 2]), ("a:f", [1]), ("failing", [0, 2])]
    first, second = losses[0, "a:f"], losses[1, "a:f"]
    assert (first.loss, first.tasks, first.n_replicates, first.host, first.pid) == (2.0, (0, 2), 2, "node-2", 7)
    assert (second.loss, dict(second.diagnostics), second.error_code) == (1.0, {"n": 1}, None)
    failed = losses[0, "failing"]
    assert (failed.loss, failed.error_code, failed.signal) == (None, ErrorCode.SIGNAL, "SIGSEGV")


def test_a_replicate_that_failed_leaves_no_loss() -> None:
    """A mean over those that succeeded would look like one over all."""
    crew = _Crew(lambda task: _failure(task) if task.seed == 2 else _success(task))
    losses = [row for row in Loop(crew).rows(_tasks(3), _REPLICATES) if isinstance(row, LossRow)]
    assert crew.evaluated == [("a:f", [1])]
    assert {(row.number, row.target, row.error_code) for row in losses if row.loss is None} == {
        (0, "a:f", ErrorCode.TASK),
        (0, "failing", ErrorCode.TASK),
    }
    told = "simulations failed: task 2 of the 2 replicates; a loss over the others would be another loss"
    assert {row.message for row in losses if row.loss is None} == {told}


def test_no_tasks_are_no_rows() -> None:
    """Everything was done before."""
    assert list(Loop(_Crew(_success)).rows([])) == []


def test_after_a_stop_only_what_had_succeeded_counts() -> None:
    """What failed then was ended by us, and what was taken back never ran; both are run by the next command."""
    loop = Loop(_Crew(None))
    loop.stop()
    loop.stop()
    assert [row.number for row in loop.rows(_tasks(10))] == [0]
    assert loop.is_stopped


def test_what_keeps_tasks_from_running_at_all_ends_the_loop() -> None:
    """It would be the same for each."""
    with pytest.raises(UsageError, match="not UTF-8"):
        list(Loop(_Crew(_refusal)).rows(_tasks(3)))


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
        list(Loop(_Crew(lambda _task: run)).rows(_tasks(1)))


def _death(_task: GridTask) -> TaskRun:
    raise InternalError("the cold runner ended with status -9")


def test_whoever_died_with_a_task_fails_that_task() -> None:
    """The crew goes on; the task may have killed it, so the row says so and the next command tries again."""
    with LocalCrew(_Pool(_death), "cold", 2, 9.0) as crew:
        rows = list(Loop(crew).rows(_tasks(3)))
    assert {(row.error_code, row.message) for row in rows} == {
        (ErrorCode.KILLED, "the cold runner ended with status -9")
    }


def test_a_crew_that_is_left_by_an_error_runs_nothing_more() -> None:
    """A full disk: nobody would keep what the tasks that still run give."""
    pool = _Pool(_success)
    with pytest.raises(UsageError), LocalCrew(pool, "cold", 1, 9.0):
        raise UsageError("anything")
    assert pool.is_abandoned
