"""All tasks of grid files, jobs and studies: what they ask for, and what is refused before anything runs."""

import json
from pathlib import Path

import pytest

from bundlekit.model.finding import Finding, Severity
from bundlekit.read import grid as grid_module
from bundlekit.read.grid import read_grid
from bundlekit.read.job_spec import read_job_spec

_B1_SEEDS = [1945770405, 2548442167]
_ASKED: dict[str, tuple[object, list[tuple[object, int]]]] = {
    "sets": (
        {"entrypoint": "m", "params": [{"b": 1}, {"b": 2}], "seeds": [1, 2]},
        [({"b": 1}, 1), ({"b": 1}, 2), ({"b": 2}, 1), ({"b": 2}, 2)],
    ),
    "grid": (
        {"entrypoint": "m", "grid": {"a": [1, 2], "b": ["x", "y"]}},
        [({"a": 1, "b": "x"}, 0), ({"a": 1, "b": "y"}, 0), ({"a": 2, "b": "x"}, 0), ({"a": 2, "b": "y"}, 0)],
    ),
    "types-stay": (
        {"entrypoint": "m", "grid": {"a": [1, 1.0, True, None, [1], {"c": [2]}]}},
        [({"a": a}, 0) for a in (1, 1.0, True, None, [1], {"c": [2]})],
    ),
    "one-set": ({"entrypoint": "m", "params": {"b": 1}, "seed": 4}, [({"b": 1}, 4)]),
    "nothing-varied": ({"entrypoint": "m"}, [({}, 0)]),
    "empty-grid": ({"entrypoint": "m", "grid": {}, "seeds": [3]}, [({}, 3)]),
    "the-same-twice": ({"entrypoint": "m", "seeds": [1, 1]}, [({}, 1), ({}, 1)]),
    "wrapped-sets": ({"entrypoint": "m", "params": [{"param_id": "1", "params": {"b": 1}}]}, [({"b": 1}, 0)]),
    "job": (
        {
            "tasks": [
                {"entrypoint": "m", "params": {"param_id": "1", "params": {"b": 1}}, "seed": 3},
                {"entrypoint": "m", "params": {"b": 2}},
            ]
        },
        [({"b": 1}, 3), ({"b": 2}, 0)],
    ),
    "study": (
        {"model": "m", "scenario": "s", "parameter_sets": [{"b": 1}], "n_replicates": 2},
        [({"b": 1}, seed) for seed in _B1_SEEDS],
    ),
    "study-of-seeds": (
        {"model": "m", "scenario": "s", "parameter_sets": [{"params": {"b": 1}, "seed": 7}], "n_replicates": 2},
        [({"b": 1}, 7), ({"b": 1}, 8)],
    ),
    "study-of-one": (
        {"model": "m", "scenario": "s", "parameter_sets": [{"params": {"b": 1}}]},
        [({"b": 1}, _B1_SEEDS[0])],
    ),
}


def _read(root: Path, spec: object) -> tuple[grid_module.Grid | None, list[Finding]]:
    path = root / "grid.json"
    path.write_text(json.dumps(spec), encoding="utf-8")
    problems: list[Finding] = []
    return read_grid(path, problems), problems


@pytest.mark.parametrize(("spec", "asked"), _ASKED.values(), ids=_ASKED)
def test_a_file_asks_for_these_tasks_in_this_order(spec: object, asked: object, tmp_path: Path) -> None:
    """A task's number is its place in this order, so that results can be continued."""
    grid, problems = _read(tmp_path, spec)
    assert problems == []
    assert grid is not None
    assert json.dumps([(task.params, task.seed) for task in grid.tasks]) == json.dumps(asked)


@pytest.mark.parametrize("spec", [spec for spec, _ in _ASKED.values()], ids=_ASKED)
def test_the_smoke_task_is_the_first_of_the_grid(spec: object, tmp_path: Path) -> None:
    """What `validate --grid-spec` proves is what `grid` runs; only a study's derived seeds are not what proves it."""
    grid, _ = _read(tmp_path, spec)
    (smoke,) = read_job_spec(tmp_path / "grid.json", tmp_path, []).smoke
    assert grid is not None
    first = grid.tasks[0]
    assert (smoke.entrypoint, smoke.params) == (first.entrypoint, first.params)
    if first.entrypoint == "m":
        assert smoke.seed == first.seed


def test_a_study_joins_model_and_scenario(tmp_path: Path) -> None:
    """The platform makes the entrypoint of a task of them."""
    grid, _ = _read(tmp_path, {"model": "pkg.sir", "scenario": "base", "parameter_sets": [{}]})
    assert grid is not None
    assert [task.entrypoint for task in grid.tasks] == ["pkg.sir/base"]


def test_outputs_and_variables_of_a_task_go_with_it(tmp_path: Path) -> None:
    """Outputs are part of a task's identity, variables are not."""
    task = {"entrypoint": "m", "params": {}, "outputs": ["b", "a"], "env": {"N": "1"}}
    grid, problems = _read(tmp_path, {"tasks": [task, {"entrypoint": "m"}]})
    assert grid is not None, problems
    assert grid.tasks[0].document == {
        "entrypoint": "m",
        "params": {},
        "seed": 0,
        "outputs": ["a", "b"],
        "env": {"N": "1"},
    }
    assert grid.tasks[1].document == {"entrypoint": "m", "params": {}, "seed": 0}


_REFUSED: dict[str, tuple[object, str]] = {
    "nothing": ({"loss_function": "rmse"}, "asks for no task: expected 'entrypoint'"),
    "calibration": (
        {"algorithm": "optuna", "max_iterations": 5, "target_spec": {}},
        "asks for no task: a calibration has tasks only once its algorithm asks for them; `validate --job-spec`",
    ),
    "no-sets": ({"entrypoint": "m", "params": []}, "asks for no task"),
    "no-seeds": ({"entrypoint": "m", "seeds": []}, "asks for no task"),
    "no-tasks": ({"tasks": []}, "asks for no task"),
    "empty-axis": ({"entrypoint": "m", "grid": {"b": []}}, "grid.b must be an array of at least one value"),
    "scalar-axis": (
        {"entrypoint": "m", "grid": {"b": 3}},
        "grid.b must be an array of at least one value, found an integer (3)",
    ),
    "both": ({"entrypoint": "m", "params": [{}], "grid": {"b": [1]}}, "params must be absent beside 'grid'"),
    "seed-below-zero": ({"entrypoint": "m", "seeds": [1, -1]}, "seed must be an integer from 0 to 2**64 - 1"),
    "seed-of-a-study-above": (
        {"model": "m", "scenario": "s", "parameter_sets": [{"params": {}, "seed": 2**64 - 1}], "n_replicates": 2},
        "seed must be an integer from 0 to 2**64 - 1",
    ),
    "seed-of-a-study-wrong": (
        {"model": "m", "scenario": "s", "parameter_sets": [{"params": {}, "seed": "1"}]},
        "seed must be an integer",
    ),
    "seeds-scalar": ({"entrypoint": "m", "seeds": 3}, "seeds must be an array of integers"),
    "set-no-table": ({"entrypoint": "m", "params": [3]}, "must be a table"),
    "entrypoint": ({"entrypoint": 3, "seeds": [1]}, "entrypoint must be a text that is not empty"),
    "entrypoint-of-a-task": ({"tasks": [{"params": {}}]}, "entrypoint must be a text that is not empty"),
    "replicates": (
        {"model": "m", "scenario": "s", "parameter_sets": [{}], "n_replicates": 0},
        "n_replicates must be an integer of at least 1",
    ),
    "replicates-text": (
        {"model": "m", "scenario": "s", "parameter_sets": [{}], "n_replicates": "2"},
        "n_replicates must be an integer of at least 1",
    ),
    "model": ({"model": 3, "scenario": "s"}, "model must be a string"),
    "too-many": (
        {"entrypoint": "m", "grid": {name: list(range(10)) for name in "abcdefg"}},
        "asks for 10,000,000 tasks, more than the 1,000,000",
    ),
    "too-many-replicates": (
        {"model": "m", "scenario": "s", "parameter_sets": [{}], "n_replicates": 10**9},
        "asks for 1,000,000,000 tasks",
    ),
    "list": ([], "must hold a table at its top level"),
}


@pytest.mark.parametrize(("spec", "said"), _REFUSED.values(), ids=_REFUSED)
def test_a_file_that_no_grid_can_be_made_of_is_refused(spec: object, said: str, tmp_path: Path) -> None:
    """In one breath and before anything is built or run."""
    grid, problems = _read(tmp_path, spec)
    assert grid is None
    assert any(said in problem.message for problem in problems), problems
    assert {problem.code for problem in problems} == {"BK106"}


def test_text_that_is_no_json_is_refused(tmp_path: Path) -> None:
    """With the place of the mistake."""
    (tmp_path / "grid.json").write_text("{", encoding="utf-8")
    problems: list[Finding] = []
    assert read_grid(tmp_path / "grid.json", problems) is None
    assert [problem.line for problem in problems] == [1]


def test_a_misspelt_key_is_told(tmp_path: Path) -> None:
    """The grid would be another one than was meant, and nobody would see it before the results."""
    grid, (problem,) = _read(tmp_path, {"entrypoint": "m", "params": [{}], "seds": [1, 2]})
    assert grid is not None
    assert (problem.severity, problem.hint) == (Severity.WARNING, "did you mean 'seeds'?")
    _, (problem,) = _read(tmp_path, {"entrypoint": "m", "seeds": [1], "qqq": 1})
    assert (problem.hint or "").startswith("its keys are: entrypoint")


def test_what_a_job_of_the_platform_has_besides_is_not_told(tmp_path: Path) -> None:
    """A document of theirs has keys that are none of our business."""
    for spec in ({"entrypoint": "m", "bundle_ref": "x"}, {"tasks": [{"entrypoint": "m"}], "priority": 1}):
        assert _read(tmp_path, spec)[1] == []
