"""What a person at a terminal sees, and what a pipe does not."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bundlekit.probe.example_bundle import varied

pytestmark = pytest.mark.process

SLOW = varied(("import base64", "import base64\nimport time\n\ntime.sleep(2)"))


@pytest.fixture
def slow_bundle(tmp_path: Path) -> Path:
    """Return the directory of a bundle whose import takes two seconds."""
    for path, text in SLOW.items():
        (tmp_path / "slow" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "slow" / path).write_text(text, encoding="utf-8")
    return tmp_path / "slow"


def validate(bundle: Path, stderr: int) -> "subprocess.Popen[bytes]":
    """Start the import level of validation with standard error going to `stderr`."""
    command = [sys.executable, "-m", "bundlekit", "validate", str(bundle), "--level", "import", "--no-cache"]
    # Layers are made in TMPDIR, so that a child that is left over can be told by where it works.
    environment = {**os.environ, "TERM": "xterm", "TMPDIR": str(bundle.parent)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=environment)


def everything_read(descriptor: int) -> str:
    """Return what is written to the terminal until nobody holds its other end."""
    data = b""
    while True:
        try:
            chunk = os.read(descriptor, 4096)
        except OSError:
            break
        if not chunk:
            break
        data += chunk
    return data.decode("utf-8", "replace")


def test_work_over_a_second_shows_on_a_terminal_what_goes_on(slow_bundle: Path) -> None:
    """Somebody who sees nothing for a minute presses Ctrl-C and learns nothing."""
    ours, theirs = pty.openpty()
    process = validate(slow_bundle, theirs)
    os.close(theirs)
    shown = everything_read(ours)
    os.close(ours)
    assert process.communicate(timeout=60)[0].startswith(b"passed: tiny 1")
    assert "importing wire tiny.model:wire" in shown


def test_a_diff_moves_no_cursor(tmp_path: Path) -> None:
    """A file of a bundle may hold what hides the lines after it; line ends of the other kind are no such thing."""
    for path, text in varied(("def loss(sim_returns, target_data=None)", "def loss(sim_returns)")).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        hostile = text.replace("import base64", "# \x1b[2J\nimport base64")
        (tmp_path / path).write_bytes(hostile.replace("\n", "\r\n").encode())
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bundlekit", "validate", str(tmp_path), "--level", "static", "--diff"]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        shown = everything_read(ours)
    os.close(ours)
    assert process.returncode == 1
    assert "+def loss(sim_returns, target_data=None):\r\n" in shown
    assert "\x1b" not in shown
    assert "\\r" not in shown


def test_a_pipe_gets_no_progress(slow_bundle: Path) -> None:
    """A log of a CI run is read line by line; a spinner would fill it."""
    process = validate(slow_bundle, subprocess.PIPE)
    stdout, stderr = process.communicate(timeout=60)
    assert stdout.startswith(b"passed: tiny 1")
    assert stderr == b""


def test_ctrl_c_ends_everything_and_says_so(slow_bundle: Path) -> None:
    """The supervisor and its children must be gone when the prompt is back (DESIGN decision 9: status 130)."""
    process = validate(slow_bundle, subprocess.PIPE)
    deadline = time.monotonic() + 20
    while not running_below(slow_bundle.parent) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "interrupted" in stderr.decode()
    assert "Traceback" not in stderr.decode()
    assert not running_below(slow_bundle.parent)
    assert sorted(each.name for each in slow_bundle.parent.iterdir()) == ["slow"]


def running_below(directory: Path) -> list[str]:
    """Return the working directories of processes that are in `directory`: each child works in its own layer there."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                cwd = (each / "cwd").readlink()
            except OSError:
                continue
            if cwd.is_relative_to(directory):
                found.append(str(cwd))
    return found
