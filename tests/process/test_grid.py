"""`bundlekit grid` as a user runs it: real tasks of every kind, each with its own verdict."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from builders.bundles import make_bundle
from builders.grid_commands import WIRE, grid_document, grid_file, ran_grid

pytestmark = pytest.mark.process


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


def test_targets_of_a_job_are_said_not_to_run(bundle: Path, tmp_path: Path) -> None:
    """Whoever finds no loss among the results should have been told."""
    spec = grid_file(tmp_path, params=[{}], targets=["model.fit:loss"])
    done = ran_grid(bundle, spec)
    assert done.returncode == 0
    assert "names targets, which a grid does not run; `validate --job-spec` rehearses them" in done.stderr


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
    "scheduler": ({}, ("--scheduler", "tcp://h:1"), 2, "grids run on this machine alone in this version"),
    "executor": ({}, ("--executor", "magic"), 2, "executor 'magic' runs no grids in this version"),
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
