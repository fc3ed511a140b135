"""The executors that workers' variables ask for do what the variables say."""

import sys
from pathlib import Path

import pytest
from builders.clusters import BundleHome, bundle_home

from bundlekit.cluster.bundle_directory import BundleDirectory
from bundlekit.cluster.environments import make_environment, make_repository
from bundlekit.cluster.runtime_config import RuntimeConfig
from bundlekit.errors import UsageError

pytestmark = pytest.mark.process


@pytest.fixture
def home(tmp_path: Path) -> BundleHome:
    """Return a directory of bundles."""
    return bundle_home(tmp_path)


def _pids(monkeypatch: pytest.MonkeyPatch, home: BundleHome, count: int, **environ: str) -> list[bytes | None]:
    """Return the pids that tell of `count` tasks, one after the other, in the executor of these variables."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    config = RuntimeConfig.from_env()
    environment = make_environment(config, BundleDirectory(home.directory, config.bundles_cache_dir))
    try:
        results = [environment.run(home.task(number, x=number)) for number in range(count)]
    finally:
        environment.shutdown()
    assert [each.error for each in results] == [None] * count
    return [each.outputs["pid"].inline for each in results]


PROCESSES = {
    "warm": ({}, [1, 1, 1, 1]),
    "warm-reuse-1": ({"MODELOPS_MAX_PROCESS_REUSE": "1"}, [1, 2, 3, 4]),
    "warm-reuse-2": ({"MODELOPS_MAX_PROCESS_REUSE": "2"}, [1, 1, 2, 2]),
    "cold": ({"MODELOPS_EXECUTOR_TYPE": "cold"}, [1, 2, 3, 4]),
    "cold-debug": ({"MODELOPS_COLD_DEBUG": "1"}, [1, 2, 3, 4]),
    "cold-fresh": ({"MODELOPS_COLD_DEBUG": "1", "MODELOPS_FORCE_FRESH_VENV": "1"}, [1, 2, 3, 4]),
    "direct": ({"MODELOPS_EXECUTOR_TYPE": "direct"}, [1, 1, 1, 1]),
    "auto": ({"MODELOPS_EXECUTOR_TYPE": "auto"}, [1, 1, 1, 1]),
}


@pytest.mark.parametrize(("environ", "numbers"), PROCESSES.values(), ids=PROCESSES)
def test_the_variables_decide_which_tasks_share_a_process(
    monkeypatch: pytest.MonkeyPatch, home: BundleHome, environ: dict[str, str], numbers: list[int]
) -> None:
    """Whether state leaks from task to task is decided here; `MAX_PROCESS_REUSE` was read and never used before."""
    pids = _pids(monkeypatch, home, 4, **environ)
    assert [list(dict.fromkeys(pids)).index(pid) + 1 for pid in pids] == numbers


@pytest.mark.parametrize("executor", ["isolated_warm", "cold"])
def test_environments_are_kept_where_the_variable_says(
    monkeypatch: pytest.MonkeyPatch, home: BundleHome, tmp_path: Path, executor: str
) -> None:
    """A node's own disk is named there; the default may be a home directory that all nodes share."""
    monkeypatch.delenv("VENVS_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    _pids(monkeypatch, home, 1, MODELOPS_EXECUTOR_TYPE=executor, MODELOPS_VENVS_DIR=str(tmp_path / "venvs"))
    assert any((tmp_path / "venvs").iterdir())
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("executor", ["isolated_warm", "cold"])
def test_the_memory_limit_holds(monkeypatch: pytest.MonkeyPatch, home: BundleHome, executor: str) -> None:
    """It was configured, stored and never applied: one task took all the memory of its node."""
    monkeypatch.setenv("MODELOPS_EXECUTOR_TYPE", executor)
    monkeypatch.setenv("MODELOPS_MEM_LIMIT_BYTES", str(512 << 20))
    config = RuntimeConfig.from_env()
    environment = make_environment(config, BundleDirectory(home.directory, config.bundles_cache_dir))
    try:
        too_much, enough = environment.run(home.task(1, ending="memory")), environment.run(home.task(2, x=1))
    finally:
        environment.shutdown()
    assert too_much.error is not None
    assert "MemoryError" in too_much.error.message
    assert enough.error is None


def test_a_worker_without_bundles_says_so_when_it_starts() -> None:
    """A worker that finds no bundle at its first task has told nobody that it never could."""
    with pytest.raises(UsageError, match="MODELOPS_BUNDLE_REGISTRY, the registry of the bundles, is not set") as caught:
        make_repository(RuntimeConfig.from_env())
    assert caught.value.hint is not None
    assert "MODELOPS_BUNDLE_SOURCE=file" in caught.value.hint


def test_a_worker_without_the_extra_says_so_when_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told what to install, and not at the first task."""
    monkeypatch.setenv("MODELOPS_BUNDLE_REGISTRY", "registry.example/models")
    monkeypatch.setitem(sys.modules, "urllib3", None)
    with pytest.raises(UsageError, match="registries need urllib3, which is not installed") as caught:
        make_repository(RuntimeConfig.from_env())
    assert caught.value.hint == "python -m pip install 'bundlekit[oci]'"
