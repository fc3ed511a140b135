"""`bundlekit grid` as a user runs it: real tasks of every kind, each with its own verdict."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from builders.bundles import make_bundle, pyproject
from builders.grid_commands import WIRE, grid_document, grid_file, ran_grid

from bundlekit.api.grid_runs import GridWatcher
from bundlekit.api.grids import GridOptions, run_grid
from bundlekit.api.running import RunOptions, Task, run_task
from bundlekit.errors import UsageError
from bundlekit.model.grid import GridOutcome, processes_of

pytestmark = pytest.mark.process


_EXECUTORS = [("cold", "cold"), ("isolated_warm", "isolated_warm"), ("direct", "direct"), ("auto", "isolated_warm")]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return the directory of a bundle whose tasks do as they are told."""
    return make_bundle(tmp_path / "bundle", {"model/wire.py": WIRE})


def test_every_task_runs_alone(bundle: Path, tmp_path: Path) -> None:
    """The question of the guide, how many different processes ran, answered without grep."""
    spec = grid_file(tmp_path, grid={"x": [1, 1.0, True], "y": ["a", "b"]}, seeds=[1, 2])
    document = grid_document(bundle, spec, "--expect-fresh-pids", "--jobs", 2)
    assert (document["succeeded"], document["failed"], document["not_run"]) == (12, 0, 0)
    assert (document["processes"], document["fresh_pids"], document["passed"]) == (12, True, True)
    assert [row["number"] for row in document["tasks"]] == list(range(12))
    assert len({row["task_id"] for row in document["tasks"]}) == 12
    # Each met a fresh interpreter: its counter is 1.
    assert len({row["outputs"]["seen"]["checksum"] for row in document["tasks"]}) == 2
    assert len({row["host"] for row in document["tasks"]}) == 1
    assert {row["sandbox"] for row in document["tasks"]} == {"off"}


def test_each_failure_is_its_own_tasks_verdict(bundle: Path, tmp_path: Path) -> None:
    """A crash, an exception, an exit, a timeout and a killed supervisor, side by side with tasks that are well."""
    kinds = ["good", "raise", "crash", "exit", "nothing", "sleep", "murder", "good"]
    sets = [{"kind": kind, "sleep": 60 if kind == "sleep" else 0} for kind in kinds]
    results = tmp_path / "r.json"
    options = ("--results", results, "--timeout-s", 4, "--jobs", 3, "--expect-fresh-pids")
    document = grid_document(bundle, grid_file(tmp_path, params=sets), *options, status=8)
    codes = [row["error_code"] for row in document["tasks"]]
    expected = [None, "E_WIRE_RAISED", "E_SIGNAL", "E_WIRE_EXIT", "E_WIRE_RESULT", "E_TIMEOUT", "E_KILLED", None]
    assert codes == expected, [row["message"] for row in document["tasks"]]
    raised, crashed = document["tasks"][1:3]
    assert (raised["error_type"], raised["message"], raised["phase"]) == ("ValueError", "no such beta", "call")
    assert crashed["signal"] == "SIGSEGV"
    # Whoever saw the process of the seventh was killed with it.
    assert document["fresh_pids"] is False
    text = ran_grid(bundle, grid_file(tmp_path, params=sets), *options)
    assert text.returncode == 8
    assert "E_WIRE_RAISED ValueError: no such beta" in text.stdout
    assert "failed: 2 of 8 tasks succeeded, 6 failed, 7 done before" in text.stdout
    assert "not fresh: expected as many processes as tasks, 8, found 7" in text.stdout


@pytest.mark.parametrize(("kind", "status"), [("raise", 8), ("crash", 9), ("sleep", 124)])
def test_the_exit_status_is_that_of_the_first_failure(kind: str, status: int, bundle: Path, tmp_path: Path) -> None:
    """As `run` would have ended on that task (DESIGN decision 9)."""
    sets = [{"kind": "good"}, {"kind": kind, "sleep": 60}, {"kind": "exit"}]
    assert ran_grid(bundle, grid_file(tmp_path, params=sets), "--timeout-s", 3).returncode == status


def test_an_archive_runs_as_its_directory_does(bundle: Path, tmp_path: Path) -> None:
    """The same digest, so the same ids: results begun with one are continued with the other."""
    archive, results = tmp_path / "model.tar.zst", tmp_path / "r.json"
    command = [sys.executable, "-m", "bundlekit", "pack", str(bundle), "-o", str(archive), "--no-validate"]
    subprocess.run(command, check=True, capture_output=True)
    spec = grid_file(tmp_path, params=[{"x": 1}], seeds=[1, 2])
    first = grid_document(bundle, spec, "--results", results)
    again = grid_document(archive, spec, "--results", results)
    assert again["tasks"] == first["tasks"]
    assert [row["task_id"] for row in grid_document(archive, spec)["tasks"]] == [
        row["task_id"] for row in first["tasks"]
    ]


def test_a_job_and_a_study_run_the_same_way(bundle: Path, tmp_path: Path) -> None:
    """The platform's own documents need no rewriting to be tried here."""
    task = {"entrypoint": "model.wire/x", "params": {"param_id": "1", "params": {"x": 1}}, "seed": 3}
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"tasks": [task, {**task, "seed": 4}]}), encoding="utf-8")
    assert [row["seed"] for row in grid_document(bundle, job)["tasks"]] == [3, 4]
    study = {"model": "model.wire", "scenario": "x", "parameter_sets": [{"params": {"x": 1}, "seed": 3}]}
    job.write_text(json.dumps({**study, "n_replicates": 2}), encoding="utf-8")
    rows = grid_document(bundle, job)["tasks"]
    assert [(row["entrypoint"], row["seed"]) for row in rows] == [("model.wire/x", 3), ("model.wire/x", 4)]


def _outcome(bundle: Path, spec: Path, **options: object) -> GridOutcome:
    watcher = GridWatcher(lambda _step: None, lambda _tally: None, lambda _warning: None)
    return run_grid(bundle, GridOptions(spec)._replace(**options), watcher)  # type: ignore[arg-type]  # each test's own


@pytest.mark.parametrize(("executor", "real"), _EXECUTORS)
def test_every_executor_gives_the_same_results(executor: str, real: str, bundle: Path, tmp_path: Path) -> None:
    """But for the processes, of which only cold has one for each task: the state that this model keeps shows that."""
    sets = [{"kind": "good"}, {"kind": "raise"}, {"kind": "exit"}, {"kind": "nothing"}, {"kind": "good", "x": 2}]
    spec = grid_file(tmp_path, params=sets)
    found = _outcome(bundle, spec, executor=executor, expect_fresh_pids=True, jobs=1)
    codes = [row.error_code for row in found.rows]
    assert codes == [None, "E_WIRE_RAISED", "E_WIRE_EXIT", "E_WIRE_RESULT", None]
    assert ({row.executor for row in found.rows}, found.executor) == ({real}, real)
    assert found.fresh_pids is (real == "cold")
    # After an exit a warm process is not used again.
    assert processes_of(found.rows) == {"cold": 5, "isolated_warm": 2, "direct": 1}[real]
    first, last = found.rows[0].outputs["seen"], found.rows[-1].outputs["seen"]
    assert (first == last) is (real == "cold")


def test_a_bundle_that_requires_fresh_processes_gets_them_or_is_refused(tmp_path: Path) -> None:
    """Its state would spoil the next task's result, and no row would say so."""
    own = pyproject(after="[tool.bundlekit]\nrequires-fresh-process = true")
    bundle = make_bundle(tmp_path / "bundle", {"pyproject.toml": own, "model/wire.py": WIRE})
    spec = grid_file(tmp_path, params=[{}], seeds=[1, 2])
    for executor in ("isolated_warm", "direct"):
        with pytest.raises(UsageError, match=f"requires-fresh-process: .*{executor} runs many in one"):
            _outcome(bundle, spec, executor=executor)
        with pytest.raises(UsageError, match="the bundle says requires-fresh-process"):
            run_task(bundle, Task("main", "{}", 0, 60.0), RunOptions(executor=executor), print)
    found = _outcome(bundle, spec, executor="auto", expect_fresh_pids=True)
    assert ({row.executor for row in found.rows}, found.fresh_pids) == ({"cold"}, True)


@pytest.mark.parametrize("executor", ["cold", "isolated_warm", "direct"])
def test_run_gives_one_document_whoever_runs(executor: str, bundle: Path, tmp_path: Path) -> None:
    """Scripts read it: a task has the same id, outputs and error in all executors, large outputs in their files."""
    wire = "def wire(entrypoint, params, seed):\n    return {'large': bytes(1 << 20), 'small': str(seed).encode()}\n"
    other = make_bundle(tmp_path / "other", {"model/wire.py": wire})
    options = RunOptions(executor=executor)
    document = run_task(other, Task("main", "{}", 7, 60.0, tmp_path / "out"), options, print)
    outputs = document["outputs"]
    assert isinstance(outputs, dict)
    assert outputs["small"]["inline"] == "Nw=="
    assert Path(outputs["large"]["ref"]).stat().st_size == outputs["large"]["size"] == 1 << 20
    error = run_task(bundle, Task("main", '{"kind": "raise"}', 0, 60.0), options, print)["_fatal_error"]
    assert isinstance(error, dict)
    assert (error["error_code"], error["type"], error["phase"], error["code"]) == (
        "E_WIRE_RAISED",
        "ValueError",
        "call",
        8,
    )


_TARGETS = """\
def mean(sim_returns, target_data=None):
    seeds = [int(each["outputs"]["seen"]["inline"].split()[1]) for each in sim_returns]
    return {"loss": sum(seeds) / len(seeds), "diagnostics": {"seeds": seeds}}


def worst(sim_returns):
    raise KeyError("no such table")
"""
_REGISTRY = """\
version: "1.0"
targets:
  mean: {path: model/fit.py, entrypoint: "model.fit:mean", model_output: seen}
  worst: {path: model/fit.py, entrypoint: "model.fit:worst", model_output: seen}
target_sets:
  all: {targets: [mean, worst]}
  fine: {targets: [mean]}
"""


def test_targets_of_a_study_are_evaluated_over_its_replicates(tmp_path: Path) -> None:
    """What a study is run for; a set without one of its losses has none itself."""
    files = {"model/wire.py": WIRE, "model/fit.py": _TARGETS, ".modelops-bundle/registry.yaml": _REGISTRY}
    bundle = make_bundle(tmp_path / "bundle", files)
    study = {"model": "model.wire", "scenario": "x", "n_replicates": 2, "target_sets": ["fine", "all"]}
    sets = [{"params": {"x": 1}, "seed": 3}, {"params": {"x": 2}, "seed": 10}]
    sets += [{"params": {"x": 3, "kind": "raise"}, "seed": 1}]
    spec = tmp_path / "study.json"
    spec.write_text(json.dumps({**study, "parameter_sets": sets}), encoding="utf-8")
    results = tmp_path / "r.json"
    document = grid_document(bundle, spec, "--results", results, status=8)
    found = {(row["number"], row["target"]): row for row in document["losses"]}
    assert [found[number, "model.fit:mean"]["loss"] for number in range(3)] == [3.5, 10.5, None]
    assert found[1, "model.fit:mean"]["diagnostics"] == {"seeds": [10, 11]}
    assert [found[number, "model.fit:worst"]["error_code"] for number in range(3)] == ["E_WIRE_RAISED"] * 2 + ["E_TASK"]
    assert "simulations failed: tasks [4, 5]" in found[2, "model.fit:mean"]["message"]
    means = {(row["number"], row["target_set"]): row["loss"] for row in document["set_losses"]}
    assert means == {
        (0, "fine"): 3.5,
        (0, "all"): None,
        (1, "fine"): 10.5,
        (1, "all"): None,
        (2, "fine"): None,
        (2, "all"): None,
    }
    text = ran_grid(bundle, spec, "--results", results)
    assert "6 done before, 2 of 6 losses found" in text.stdout
    assert "0    model.fit:mean   2" in text.stdout
    spec.write_text(json.dumps({**study, "parameter_sets": sets, "target_sets": ["fin"]}), encoding="utf-8")
    refused = ran_grid(bundle, spec)
    assert refused.returncode == 6
    assert "names the target set 'fin', which is not registered" in refused.stderr


def test_an_environment_that_cannot_be_built_is_told_once(tmp_path: Path) -> None:
    """No task was tried, and no results are left that say anything else."""
    build = '[build-system]\nrequires = []\nbuild-backend = "none"\n[project]\nname = "model"\nversion = "1.0"\n'
    wire = '[project.entry-points."modelops.wire"]\nexecute = "model.wire:wire"\n'
    bundle = make_bundle(tmp_path / "bundle", {"pyproject.toml": build + wire})
    document = grid_document(bundle, grid_file(tmp_path), "--results", tmp_path / "r.json", status=7)
    assert document["error"]["error_code"] == "E_VENV"
    assert (document["tasks"], document["not_run"], document["complete"]) == ([], 1, False)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bundle", "grid.json"]


# ruff: noqa: PLR0917 - one parameter a column
_REFUSED: dict[str, tuple[dict[str, object], tuple[str, ...], int, str]] = {
    "scheduler": ({}, ("--scheduler", "tcp:/h"), 2, "no Dask scheduler answers at tcp:/h"),
    "executor": ({}, ("--executor", "magic"), 2, "found 'magic'"),
    "direct-sandbox": ({}, ("--executor", "direct", "--sandbox", "auto"), 2, "direct runs tasks in bundlekit's own"),
    "direct-python": ({}, ("--executor", "direct", "--python", "3.11"), 2, "direct runs tasks in bundlekit's own"),
    "target": ({"targets": ["mean"]}, (), 6, "names the target 'mean', which is not registered"),
    "jobs": ({}, ("--jobs", "0"), 2, "--jobs 0: expected at least 1"),
    "timeout": ({}, ("--timeout-s", "nan"), 2, "--timeout-s nan: expected a number of seconds above 0"),
    "format": ({}, ("--output", "sarif"), 2, "a grid is written as text or json"),
    "results": ({}, ("--results", "r.csv"), 2, "ends in .json or .parquet"),
    "spec": ({"seeds": [-1]}, (), 6, "seed must be an integer from 0 to 2**64 - 1"),
}


@pytest.mark.parametrize(("spec", "options", "status", "said"), _REFUSED.values(), ids=_REFUSED)
def test_what_cannot_be_run_is_refused_at_once(
    spec: dict[str, object], options: tuple[str, ...], status: int, said: str, bundle: Path, tmp_path: Path
) -> None:
    """With the status that scripts know, before anything is built."""
    done = ran_grid(bundle, grid_file(tmp_path, **spec), *options)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr


def test_a_bundle_without_a_wire_is_refused(tmp_path: Path) -> None:
    """No task of it could succeed, so none is tried."""
    bundle = make_bundle(tmp_path / "bundle", {"pyproject.toml": '[project]\nname = "model"\nversion = "1"\n'})
    done = ran_grid(bundle, grid_file(tmp_path), "--output", "json")
    assert done.returncode == 5
