"""Which files a task in the sandbox may reach."""

from pathlib import Path

import pytest

from bundlekit.cold_runner.sandbox.grounds import task_grounds
from bundlekit.cold_runner.sandbox.layers import Layers


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home, with an interpreter, a cache and a directory of tools in it."""
    home = tmp_path / "home"
    for name in (".cache/code/k/d/venv/bin", ".cache/environments/k/lib/python3.12/site-packages", "py/bin", "tools"):
        (home / name).mkdir(parents=True)
    (home / "py" / "bin" / "python3.12").touch()
    (home / ".cache/code/k/d/venv/bin/python").symlink_to(home / "py" / "bin" / "python3.12")
    monkeypatch.setenv("HOME", str(home))
    return home


def _readable(home: Path, **environment: str) -> set[str]:
    python = home / ".cache/code/k/d/venv/bin/python"
    site = home / ".cache/environments/k/lib/python3.12/site-packages"
    grounds = task_grounds(str(python), str(site), environment, own=["/own"], hides=True)
    return {path.removeprefix(f"{home}/") for path in grounds.readable if path.startswith(str(home.parent))}


RUNS_FROM = {".cache/code/k/d", ".cache/environments/k", "py"}


def test_of_the_home_only_what_a_task_runs_from_is_readable(home: Path) -> None:
    """The bundle's code, its environment and its interpreter, each as a whole, and nothing beside them."""
    assert _readable(home) == RUNS_FROM


@pytest.mark.parametrize(
    ("value", "readable"),
    [
        ("{home}/tools", {"tools"}),
        ("/usr/bin:{home}/tools:/absent", {"tools"}),
        ("{home}", set()),
        ("{home}/..", set()),
        ("/", set()),
        ("tools", set()),
        ("", set()),
        ("{home}/absent", set()),
    ],
)
def test_what_variables_name_is_readable_unless_it_is_the_home_itself(
    value: str, readable: set[str], home: Path
) -> None:
    """PATH, LD_LIBRARY_PATH and passed variables say where things are; a whole home is never meant."""
    assert _readable(home, PATH=value.format(home=home)) == RUNS_FROM | readable


def test_an_interpreter_right_in_the_home_does_not_open_the_home(home: Path) -> None:
    """Its prefix would be all that the user has."""
    (home / "bin").mkdir()
    (home / "bin" / "python3.12").touch()
    python = home / ".cache/code/k/d/venv/bin/python"
    python.unlink()
    python.symlink_to(home / "bin" / "python3.12")
    assert _readable(home) == {".cache/code/k/d", ".cache/environments/k", "bin", "lib"}


@pytest.mark.parametrize("hides", [True, False])
def test_common_temporary_directories_are_writable_only_where_they_are_the_tasks_own(hides: bool, home: Path) -> None:  # noqa: FBT001 - named by its id
    """Elsewhere others' files are in them; locks between processes live in /dev/shm and have no other place."""
    grounds = task_grounds(str(home / "py/bin/python3.12"), str(home), {}, own=["/own"], hides=hides)
    assert set(grounds.writable) == {"/own", "/dev/shm"} | ({"/tmp", "/var/tmp"} if hides else set())  # noqa: S108
    assert str(home) in grounds.empty


@pytest.mark.parametrize(
    ("layers", "level", "network"),
    [
        (
            Layers(7, filter=True, mounts=True, network=True, network_open=False),
            "landlock+seccomp+mountns+netns",
            "closed",
        ),
        (Layers(7, filter=True, mounts=False, network=False, network_open=False), "landlock+seccomp", "closed"),
        (Layers(7, filter=False, mounts=False, network=False, network_open=False), "landlock", "no-tcp"),
        (Layers(3, filter=False, mounts=False, network=False, network_open=False), "landlock", "open"),
        (Layers(7, filter=True, mounts=True, network=False, network_open=True), "landlock+seccomp+mountns", "open"),
        (Layers(0, filter=False, mounts=False, network=False, network_open=False), "process", "open"),
    ],
)
def test_a_level_names_what_holds_and_nothing_else(layers: Layers, level: str, network: str) -> None:
    """These words are in reports and answers."""
    assert (layers.level, layers.network_state) == (level, network)
