"""Outcomes of the isolation experiment, for the tests of what tells of them."""

import random

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.model.digest import Digest
from bundlekit.model.finding import Obstacle
from bundlekit.model.grid import GridTask
from bundlekit.model.isolation import (
    Behaviour,
    Budget,
    Cell,
    Divergence,
    IsolationOutcome,
    NativeChange,
    Order,
    PythonChange,
    Run,
    Verdict,
    Victim,
)

__all__ = ["blocked", "isolated", "leaking", "outcome"]

_COMMAND = "bundlekit isolation examples/leaky-cpp --grid-spec grid.json --sequence 0,2,3"


def outcome(verdict: Verdict | None, tasks: int = 4) -> IsolationOutcome:
    """Return an outcome on a grid of so many tasks in which nothing was seen."""
    return IsolationOutcome(
        label="examples/leaky-cpp",
        name="leaky-cpp",
        version="1.0.0",
        digest=Digest.of(b"leaky"),
        spec="grid.json",
        verdict=verdict,
        tasks=tuple(GridTask("sir", {"beta": round(0.2 + 0.05 * number, 2)}, number % 3) for number in range(tasks)),
        runs=(),
        victims=(),
        native_state=(),
        python_state=(),
        failed_cold=(),
        notes=(),
        not_shown=("Sequences of more than three tasks were tried in these orders alone.",),
        seed=0,
        budget=Budget(400, 300.0, 3 * tasks, 1.5),
        requires_fresh_process=False,
        sandbox="landlock",
    )


def isolated(tasks: int = 8) -> IsolationOutcome:
    """Return an outcome in which every task gave the same in every order."""
    numbers = tuple(range(tasks))
    runs = tuple(_run(name, order, {}) for name, order in _orders(numbers))
    return outcome(Verdict.ISOLATED, tasks)._replace(runs=runs, notes=("seed_ignored",))


def leaking(tasks: int = 16) -> IsolationOutcome:
    """Return an outcome with victims, one of which crashes, the state behind them, and a budget that did not last."""
    numbers = tuple(range(tasks - 1))
    cells = dict.fromkeys(numbers[3::4], Cell.DIFFERENT) | {tasks - 2: Cell.CRASHED, 1: Cell.SKIPPED}
    runs = tuple(_run(name, order, cells if name != "repeated" else {}) for name, order in _orders(numbers))
    divergence = Divergence("curve", "column 'infected', row 17", "103.25", "98.5", 42)
    victims = (
        Victim(
            3, "grid", Cell.DIFFERENT, (0, 2, 3), is_minimal=True, divergence=divergence, message=None, command=_COMMAND
        ),
        Victim(
            tasks - 2,
            "shuffled",
            Cell.CRASHED,
            (0, 2, tasks - 2),
            is_minimal=False,
            divergence=None,
            message="SIGSEGV in phase call",
            command=_COMMAND,
        ),
    )
    return outcome(Verdict.LEAKS, tasks)._replace(
        runs=runs,
        victims=victims,
        native_state=_NATIVE,
        python_state=_PYTHON,
        failed_cold=(tasks - 1,),
        budget=Budget(400, 300.0, 400, 212.5, is_used_up=True),
    )


def blocked() -> IsolationOutcome:
    """Return an outcome without a verdict."""
    obstacle = Obstacle(ErrorCode.LIMIT, "the budget of 3 executions is used up", "allow more with --max-tasks")
    return outcome(None)._replace(obstacle=obstacle)


def _orders(numbers: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
    shuffled = list(numbers)
    random.Random(0).shuffle(shuffled)  # noqa: S311 - an order, no secret
    return [
        ("repeated", tuple(number for number in numbers[:2] for _ in range(2))),
        ("grid", numbers),
        ("reversed", numbers[::-1]),
        ("shuffled", tuple(shuffled)),
    ]


def _run(name: str, order: tuple[int, ...], cells: dict[int, Cell]) -> Run:
    given = tuple(cells.get(number, Cell.SAME) for number in order)
    pids = tuple(None if cell is Cell.SKIPPED else 4711 for cell in given)
    return Run(Order(name, order), given, pids, 0.25 * len(order))


_NATIVE = (
    NativeChange("numpy/random/mtrand.so", None, ".bss", 0x1C40, 16, 0, Behaviour.CHANGED, is_own=False),
    NativeChange(
        "leaky/_core.so",
        "leaky::Model::simulate(double, unsigned long)::memo",
        ".bss",
        0x40,
        24,
        0,
        Behaviour.PATH_DEPENDENT,
        is_own=True,
        reached_by="the vector that it holds (3,200 bytes)",
        is_cause=True,
    ),
    NativeChange("leaky/_core.so", "calls", ".data", 8, 8, 0, Behaviour.ACCUMULATES, is_own=True, is_cause=False),
)
_PYTHON = (
    PythonChange("numpy", "numpy.geterr()", "warn", "ignore", 2, Behaviour.LAST_TASK, is_own=False),
    PythonChange("module-global", "leaky.model._cache", "{}", "{0.2: <object>}", 0, Behaviour.ACCUMULATES, is_own=True),
)
