"""Standard streams that are closed or full: the right status, a sentence where one can be read, never a traceback."""

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from builders.cold_runs import MODULE, SIMULATION, runner_environment, wire_bundle

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("start")]

FULL = "E_IO: the answer cannot be written to the standard output: No space left on device"
WORK = "def wire(e, p, s): return {'raw': b'x' * p['size']}\n"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


def in_shell(
    command: str, cache: Path, task: dict[str, object] | None = None, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """Run `command` in a shell, where RUN stands for the runner."""
    line = command.replace("RUN", shlex.join(MODULE))
    return subprocess.run(
        ["/bin/sh", "-c", line],
        input=json.dumps(task or {**SIMULATION, "params": {"size": 1}}).encode(),
        capture_output=True,
        check=False,
        timeout=60,
        env={**runner_environment(cache), **env},
    )


@pytest.mark.parametrize("arguments", ["--help", "--no-such", "--bundle-path /no/such", "--bundle-path $BUNDLE"])
def test_a_full_disk_behind_stdout_is_told_in_one_sentence(arguments: str, tmp_path: Path, cache: Path) -> None:
    """The caller has no answer, whatever the task came to; it must learn so from the status."""
    bundle = wire_bundle(tmp_path, WORK)
    done = in_shell(f"RUN {arguments} > /dev/full", cache, BUNDLE=str(bundle))
    said = done.stderr.decode()
    assert done.returncode == 7
    assert said.count(FULL) == 1
    assert "Traceback" not in said
    assert "Exception" not in said


def test_a_server_whose_stdout_is_a_full_disk_ends_with_one_sentence(cache: Path) -> None:
    """A host that cannot be answered would wait for ever."""
    done = in_shell("(echo '{}'; sleep 2) | RUN --serve > /dev/full", cache)
    said = done.stderr.decode()
    assert done.returncode == 7
    assert said.count(FULL) == 1
    assert "Traceback" not in said


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize(
    ("arguments", "status"),
    [("--help", 0), ("--no-such", 2), ("--bundle-path $BUNDLE", 0), ("--bundle-path $BUNDLE --aggregation", 6)],
)
def test_a_closed_stream_changes_no_status(
    closed: str, arguments: str, status: int, tmp_path: Path, cache: Path
) -> None:
    """Who closes a stream does not want what it carries; the status still tells."""
    bundle = wire_bundle(tmp_path, WORK)
    done = in_shell(f"RUN {arguments} {closed}", cache, BUNDLE=str(bundle))
    assert done.returncode == status
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr
    assert bool(done.stdout) == (closed == "2>&-")


def test_a_reader_that_is_slow_gets_all_of_it_from_a_pipe_that_does_not_block(tmp_path: Path, cache: Path) -> None:
    """Event loops hand out such pipes; a full one is no failure."""
    bundle = wire_bundle(tmp_path, WORK)
    opened = "import os, sys; os.set_blocking(1, False); os.execvp(sys.argv[1], sys.argv[1:])"
    command = f"{shlex.join([MODULE[0], '-c', opened])} RUN --bundle-path $BUNDLE | (sleep 1; wc -l)"
    done = in_shell(command, cache, {**SIMULATION, "params": {"size": 400_000}}, BUNDLE=str(bundle))
    assert done.stdout.strip() == b"1"
    assert b"Failed" not in done.stderr


def test_a_stderr_that_nobody_reads_does_not_stop_the_clock(tmp_path: Path, cache: Path) -> None:
    """A host that forgot to drain our stderr must still get its answer at the deadline."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s):\n    while True: print('x' * 10_000)\n")
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            [*MODULE, "--bundle-path", str(bundle), "--timeout-s", "2"],
            input=b'{"entrypoint":"main","params":{},"seed":1}',
            stdout=subprocess.PIPE,
            stderr=writing,
            env=runner_environment(cache),
            check=False,
            timeout=20,
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert done.returncode == 124
    assert b"E_TIMEOUT" in done.stdout
