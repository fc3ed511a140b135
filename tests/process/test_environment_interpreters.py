"""Finding interpreters: by real path, without shims, without a download."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bundlekit.cold_runner.environments.interpreter import choose_interpreter, installed_interpreters, probe_interpreter
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.script_source import script_source

pytestmark = pytest.mark.process

_MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


def _base() -> str:
    return probe_interpreter(sys.executable, "/nonexistent").executable


def test_a_virtual_environments_python_counts_as_its_base(tmp_path: Path) -> None:
    """Building a link to a link to a virtual environment breaks when that one goes."""
    running = probe_interpreter(sys.executable, str(tmp_path))
    assert Path(running.executable).samefile(Path(sys.base_prefix) / "bin" / f"python{_MINOR}")
    assert running.release == sys.version_info[:3]
    assert choose_interpreter(None, None, str(tmp_path), {}) == running


def test_an_interpreter_answers_the_same_from_inside_and_outside(tmp_path: Path) -> None:
    """The key of an environment must not depend on who runs the runner."""
    copy = tmp_path / "python-by-another-name"
    copy.symlink_to(sys.executable)
    inside = probe_interpreter(sys.executable, str(tmp_path))
    command = [str(copy), "-I", "-c", script_source("environments/interpreter_facts.py")]
    assert json.loads(subprocess.run(command, capture_output=True, check=True).stdout) == inside._asdict()


def test_shims_links_and_broken_ones_are_passed_over(tmp_path: Path) -> None:
    """A version manager's shim is a script that starts whatever a file in some directory says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python3.12").write_text("#!/bin/sh\necho started > started\n")
    (folder / "python3.13").write_bytes(b"\x7fELF broken")
    (folder / "python3.14").symlink_to("nowhere")
    for name in ("python3.12", "python3.13"):
        (folder / name).chmod(0o755)
    (folder / f"python{_MINOR}x").symlink_to(_base())
    (folder / "python3.99").symlink_to(_base())
    found = installed_interpreters(str(tmp_path / "cache"), {"PATH": str(folder)})
    real = [one.executable for one in found]
    assert _base() in real
    assert len(real) == len(set(real))
    assert not any(path.startswith(str(tmp_path)) for path in real)
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("variable", ["PYENV_ROOT", "UV_PYTHON_INSTALL_DIR"])
def test_versions_of_version_managers_are_found(tmp_path: Path, variable: str) -> None:
    """Scientists have theirs there."""
    where = tmp_path / ("versions" if variable == "PYENV_ROOT" else "")
    (where / f"cpython-{_MINOR}.1-linux" / "bin").mkdir(parents=True)
    (where / f"cpython-{_MINOR}.1-linux" / "bin" / "python3").symlink_to(_base())
    found = installed_interpreters(str(tmp_path / "cache"), {variable: str(tmp_path)})
    assert _base() in [one.executable for one in found]


def test_what_is_no_python_is_refused_with_its_words(tmp_path: Path) -> None:
    """A wrong --python is the user's to mend."""
    fake = tmp_path / "fake"
    fake.write_text("#!/bin/sh\necho not me >&2\nexit 3\n")
    fake.chmod(0o755)
    for path in (str(fake), str(tmp_path / "absent"), "no-such-python-anywhere"):
        with pytest.raises(RunnerError, match="cannot be used as a Python interpreter") as failure:
            choose_interpreter(path, None, str(tmp_path / "cache"), dict(os.environ))
        assert (failure.value.code, failure.value.type_name) == ("E_VENV", "InterpreterError")


def test_an_interpreter_is_asked_once_until_its_file_changes(tmp_path: Path) -> None:
    """Starting one costs more than a whole ready task."""
    counted, counter = tmp_path / "counted", tmp_path / "counter"
    counted.write_text(f'#!/bin/sh\necho x >> "{counter}"\nexec "{_base()}" "$@"\n')
    counted.chmod(0o755)
    cache = str(tmp_path / "cache")
    first = probe_interpreter(str(counted), cache)
    assert probe_interpreter(str(counted), cache) == first
    assert counter.read_text() == "x\n"
    counted.write_text(counted.read_text() + "\n")
    assert probe_interpreter(str(counted), cache) == first
    assert counter.read_text() == "x\nx\n"
    shutil.rmtree(cache)
    Path(cache).write_text("in the way")
    assert probe_interpreter(str(counted), cache) == first
