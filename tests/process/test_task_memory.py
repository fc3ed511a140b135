"""The memory of a task's whole process tree, measured by the runner and never told by the task."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.cold_runs import SIMULATION, wire_bundle
from builders.cold_servers import Server

pytestmark = pytest.mark.process

_MB = 1_000_000
_SLACK_MB = 60
"""An interpreter takes a sixth of it."""

BUNDLE = """
    import subprocess, sys, time
    HOLD = "import sys, time; kept = b'x' * int(sys.argv[1]); print(flush=True); sys.stdin.read()"
    def wire(entrypoint, params, seed):
        size = params["megabytes"] * 1_000_000
        if entrypoint == "moment":
            kept = b"x" * size
            del kept
        if entrypoint == "together":
            command = [sys.executable, "-c", HOLD, str(size)]
            helpers = [subprocess.Popen(command, stdin=-1, stdout=-1) for _ in range(3)]
            for helper in helpers:
                helper.stdout.readline()
            time.sleep(0.3)
            for helper in helpers:
                helper.communicate()
        if entrypoint == "returns":
            return {"raw": b"x" * size}
        return {"raw": b"ok"}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server; measuring one task must say nothing of the one before."""
    top = tmp_path_factory.mktemp("memory")
    (top / "scratch").mkdir()
    server = Server(top / "cache", top / "scratch")
    yield server
    server.close()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds memory for a moment, in processes of its own, or in what it returns."""
    return wire_bundle(tmp_path_factory.mktemp("bundle"), BUNDLE)


@pytest.mark.parametrize(
    ("start", "entrypoint", "megabytes", "expected_mb", "processes"),
    [
        ("exec", "small", 0, 0, 1),
        ("exec", "moment", 300, 300, 1),
        ("exec", "together", 100, 300, 4),
        ("fork", "moment", 300, 300, 1),
        ("fork", "together", 100, 300, 4),
    ],
)
def test_the_peak_is_that_of_the_whole_tree(  # noqa: PLR0917 - the columns of the table
    server: Server, bundle: Path, start: str, entrypoint: str, megabytes: int, expected_mb: int, processes: int
) -> None:
    """A worker is killed for all of them, and a task that starts helpers takes many times its own."""
    memory = _memory(server, bundle, entrypoint, megabytes, start=start)
    assert memory["processes"] == processes
    assert expected_mb * _MB <= memory["peak"] < (expected_mb + _SLACK_MB) * _MB


def test_what_the_runner_held_is_no_memory_of_the_next_task(server: Server, bundle: Path) -> None:
    """A program inherits the high-water mark of the process that starts it, and the runner held an output."""
    assert _memory(server, bundle, "returns", 100)["peak"] > 100 * _MB
    assert _memory(server, bundle, "small", 0)["peak"] < _SLACK_MB * _MB


def _memory(server: Server, bundle: Path, entrypoint: str, megabytes: int, *, start: str = "exec") -> dict[str, int]:
    task = {**SIMULATION, "entrypoint": entrypoint, "params": {"megabytes": megabytes}}
    answer = server.ask(bundle, "simulate", task=task, start=start, measured=True)
    assert "_fatal_error" not in answer["result"], answer["result"]
    memory: dict[str, int] = answer["memory"]
    return memory


def test_nothing_is_measured_unasked(server: Server, bundle: Path) -> None:
    """A grid of a million tasks pays for no look at any of them."""
    task = {**SIMULATION, "params": {"megabytes": 0}}
    assert server.ask(bundle, "simulate", task=task)["memory"] is None


def test_a_task_that_fails_is_measured_too(server: Server, bundle: Path) -> None:
    """How much it took is worth knowing most of all when it was killed."""
    answer = server.ask(bundle, "simulate", task={**SIMULATION, "params": {}}, measured=True)
    assert "_fatal_error" in answer["result"]
    assert 0 < answer["memory"]["peak"] < _SLACK_MB * _MB
