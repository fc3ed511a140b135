"""How a program is started in the sandbox: confined first, and not at all if that fails."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.sandbox.held_start import start_held

pytestmark = [pytest.mark.process, pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")]


def _refuses() -> None:
    raise OSError(1, "mount /x: Operation not permitted")


def _confused() -> None:
    raise RuntimeError("our own mistake")


def _children() -> set[int]:
    """Return the children of this process; other tests may have left some that wait for its end."""
    texts = [path.read_text(encoding="ascii") for path in Path("/proc/self/task").glob("*/children")]
    return {int(pid) for text in texts for pid in text.split()}


FAILURES: dict[str, tuple[str, Callable[[], None], str, str]] = {
    "refused": (sys.executable, _refuses, "E_IO", "cannot be set up for this task: [Errno 1] mount /x"),
    "a mistake of ours": (sys.executable, _confused, "E_IO", "our own mistake"),
    "no such program": ("/nowhere/python", lambda: None, "E_VENV", "cannot be started: /nowhere/python"),
}


@pytest.mark.parametrize(("program", "hold", "code", "words"), FAILURES.values(), ids=FAILURES)
def test_a_program_that_cannot_be_held_is_not_started(
    program: str, hold: Callable[[], None], code: str, words: str, tmp_path: Path
) -> None:
    """Fail closed: never half confined, never without."""
    marker, before = tmp_path / "ran", _children()
    with pytest.raises(RunnerError) as failure:
        start_held([program, "-c", f"open({str(marker)!r}, 'w')"], {}, [], hold)
    assert failure.value.code == code
    assert words in failure.value.message
    assert not marker.exists()
    assert _children() <= before


def test_a_held_program_has_the_descriptors_and_the_session_that_posix_spawn_would_give(tmp_path: Path) -> None:
    """The two ways of starting differ in nothing else."""
    file = tmp_path / "out"
    writing = os.open(file, os.O_WRONLY | os.O_CREAT)
    code = "import os; print(os.read(0, 9), os.getsid(0) == os.getpid(), os.environ['A'])"
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, writing, 1)]
    pid = start_held([sys.executable, "-c", code], {"A": "b"}, actions, lambda: None)
    os.close(writing)
    assert os.waitpid(pid, 0) == (pid, 0)
    assert file.read_text(encoding="ascii") == "b'' True b\n"
