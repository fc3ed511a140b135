"""Job specifications, studies and grid files: what they name is judged at its line, as everything else is."""

# ruff: noqa: E501, PLR0917 - a row of a table is one line, and one parameter a column

import json
from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle

from bundlekit.model.edit import ReplaceText
from bundlekit.model.finding import Finding, Severity
from bundlekit.read.project import read_project

_LOSS = 'def loss(sim_returns, target_data=None):\n    return {"loss": 1.0}\n'
_DIGEST = "sha256:" + "0" * 64
_REGISTRY = f"""\
version: "1.0"
models:
  sir:
    entrypoint: model.sir:Sir
    path: model/sir.py
    class_name: Sir
    outputs: [x]
    model_digest: {_DIGEST}
targets:
  fit:
    entrypoint: model.fit:loss
    path: model/fit.py
    model_output: x
    target_digest: {_DIGEST}
target_sets:
  all: {{targets: [fit]}}
"""


def _found(root: Path, spec: object, registry: str = "") -> list[Finding]:
    bundle = root / "bundle"
    files = {"model/fit.py": _LOSS, "model/sir.py": "class Sir:\n    pass\n"}
    make_bundle(bundle, {**files, **({".modelops-bundle/registry.yaml": registry} if registry else {})})
    job = root / "job.json"
    job.write_text(spec if isinstance(spec, str) else json.dumps(spec, indent=1))
    return [finding for finding in findings_of(bundle, job_spec=job) if finding.path == "../job.json"]


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_FOUND: dict[str, tuple[object, str, Severity, int, str]] = {
    "task-main": ({"tasks": [{"entrypoint": "main", "params": {}}]}, "BK144", _WARNING, 4, "write it as 'package.module/scenario' or 'package.module:object'; registered: 'model.sir:Sir'"),
    "single-task-main": ({"entrypoint": "main", "params": {}, "seed": 1}, "BK144", _WARNING, 2, "write it as"),
    "task-undotted": ({"tasks": [{"entrypoint": "model.sir/baseline"}, {"entrypoint": "sir/baseline"}]}, "BK144", _ERROR, 7, "write it as"),
    "task-scenario": ({"tasks": [{"entrypoint": "model.sir/Baseline"}]}, "BK144", _ERROR, 4, "write 'model.sir/baseline'"),
    "task-model-id": ({"tasks": [{"entrypoint": "sir"}]}, "BK144", _ERROR, 4, "'sir' is the id of a registered model; write its entrypoint 'model.sir:Sir'"),
    "grid-undotted": ({"entrypoint": "sir", "grid": {"b": [1]}, "seeds": [1]}, "BK144", _WARNING, 2, "'sir' is the id"),
    "task-of-no-module": ({"tasks": [{"entrypoint": "model.sirs:Sir"}]}, "BK147", _ERROR, 4, "nearest name: 'sir'"),
    "task-of-no-package": ({"tasks": [{"entrypoint": "does.not.exist:fn"}]}, "BK147", _ERROR, 4, "correct the entrypoint"),
    "study": ({"model": "sir", "scenario": "baseline", "parameter_sets": [{"b": 1}]}, "BK144", _ERROR, 2, "write it as"),
    "calibration": ({"model": "model.sir", "scenario": "No masks", "algorithm": "optuna", "max_iterations": 3}, "BK144", _ERROR, 2, "write 'model.sir/no-masks'"),
    "target-set": ({"entrypoint": "model.sir/x", "target_set": "al"}, "BK145", _WARNING, 3, "nearest name: 'all'"),
    "target-set-of-a-study": ({"model": "model.sir", "scenario": "x", "metadata": {"target_sets": ["every"]}}, "BK145", _WARNING, 6, "it has: all"),
    "target-id": ({"entrypoint": "model.sir/x", "target_spec": {"metadata": {"target_ids": ["fits", 3]}}}, "BK145", _WARNING, 6, "nearest name: 'fit'"),
    "target": ({"target_entrypoint": "model.fit:los"}, "BK405", _ERROR, 2, "nearest name: 'loss'"),
    "target-of-a-task": ({"tasks": [{"target_entrypoint": "model.fits:loss"}]}, "BK404", _ERROR, 4, "name 'model.fit:loss'"),
    "target-in-a-list": ({"targets": ["model.fit:loss", "fits"]}, "BK401", _ERROR, 4, "write it as"),
    "target-of-a-target-spec": ({"job": {"target_spec": {"data": {"target_entrypoints": ["model.fit:no"]}}}}, "BK405", _ERROR, 6, "model/fit.py defines: loss"),
    "loss-function": ({"target_spec": {"loss_function": "model.fit:los"}}, "BK405", _ERROR, 3, "nearest name"),
    "slash-target": ({"target_entrypoint": "model.fit/loss"}, "BK146", _WARNING, 2, "write 'model.fit:loss'"),
    "slash-target-as-the-warm-runner-has-it": ({"target_entrypoint": "model.fit.loss/anything"}, "BK146", _WARNING, 2, "write 'model.fit:loss'"),
    "slash-target-to-nothing": ({"target_entrypoint": "model.fit/los"}, "BK405", _ERROR, 2, "nearest name: 'loss'"),
    "slash-target-undotted": ({"target_entrypoint": "fit/loss"}, "BK401", _ERROR, 2, "write it as"),
    "method-form-that-never-works": ({"target_entrypoint": "model.sir.Sir:evaluate"}, "BK404", _ERROR, 2, ""),
    "dummy": ({"target_entrypoint": "dummy.model.fit:loss"}, "BK404", _ERROR, 2, "name 'model.fit:loss'"),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "code", "severity", "line", "hint"), _FOUND.values(), ids=_FOUND)
def test_what_a_job_names_wrongly_is_found_at_its_line(
    spec: object, code: str, severity: Severity, line: int, hint: str, tmp_path: Path
) -> None:
    """The job is accepted today, and fails when its simulations have run, or is refused with no line at all."""
    found = [finding for finding in _found(tmp_path, spec, _REGISTRY) if finding.code == code]
    assert [(finding.severity, finding.line) for finding in found] == [(severity, line)]
    assert found[0].column is not None
    assert (found[0].hint or "").startswith(hint)


_LEFT_ALONE: dict[str, object] = {
    "job": {"job_id": "1", "bundle_ref": _DIGEST, "tasks": [{"entrypoint": "model.sir/baseline", "params": {"param_id": "1", "params": {"b": 1}}, "seed": 3}]},
    "object": {"tasks": [{"entrypoint": "model.sir:Sir"}]},
    "scenario-of-no-module": {"tasks": [{"entrypoint": "nowhere.at_all/baseline"}]},
    "keyword-object": {"tasks": [{"entrypoint": "model.sir:class"}]},
    "grid-main": {"entrypoint": "main", "params": [{"b": 1}], "seeds": [1]},
    "study": {"model": "model.sir", "scenario": "baseline", "parameter_sets": [{"params": {"b": 1}, "seed": 3}], "sampling_method": "sobol", "targets": ["model.fit:loss"], "metadata": {"target_ids": ["fit"], "target_set": "all"}},
    "calibration": {"model": "model.sir", "scenario": "x", "algorithm": "optuna", "target_data": {"target": "x:y"}, "max_iterations": 3, "parameter_sets": 3},
    "target-spec": {"target_spec": {"data": {"target_entrypoints": ["model.fit:loss"], "target_set": None}, "loss_function": "default", "weights": {"fit": 1}}},
    "target-by-its-id": {"targets": ["fit"], "target_sets": ["all"]},
    "observed-data": {"target_entrypoint": "model.fit:loss", "data": {"target_entrypoint": "no.such:thing"}},
}  # fmt: skip


@pytest.mark.parametrize("spec", _LEFT_ALONE.values(), ids=_LEFT_ALONE)
def test_jobs_as_the_ecosystem_writes_them_are_left_alone(spec: object, tmp_path: Path) -> None:
    """SimJob, SimulationStudy, CalibrationJob and TargetSpec, and bundlekit's own grid files."""
    assert _found(tmp_path, spec, _REGISTRY) == []


def test_names_of_a_job_need_a_registry(tmp_path: Path) -> None:
    """Without one, no name is registered; a target id in a list is no reference then."""
    spec = {"entrypoint": "model.sir/x", "target_set": "all", "target_id": "fit"}
    assert [(finding.code, finding.hint) for finding in _found(tmp_path, spec)] == [
        ("BK145", "it has no target set at all"),
        ("BK145", "it has no target at all"),
    ]


def test_the_nearest_name_is_an_edit(tmp_path: Path) -> None:
    """`--fix` takes it from there."""
    (found,) = _found(tmp_path, {"target_entrypoint": "model.fit/loss"})
    assert isinstance(found.edit, ReplaceText)
    assert (found.edit.old, found.edit.new, found.edit.place.line) == ("model.fit/loss", "model.fit:loss", 2)


def test_a_study_gives_a_smoke_task(tmp_path: Path) -> None:
    """Its first parameter set is as good as any; a set may be plain or beside its seed."""
    for sets, params in (([{"params": {"b": 1}, "seed": 3}], {"b": 1}), ([{"b": 2}], {"b": 2}), ([], {})):
        make_bundle(tmp_path, {})
        job = tmp_path / "job.json"
        job.write_text(json.dumps({"model": "model.sir", "scenario": "low", "parameter_sets": sets}))
        (task,) = read_project(tmp_path, job_spec=job).smoke
        assert (task.entrypoint, task.params, task.seed) == ("model.sir/low", params, 0)
        assert task.place is not None
        assert task.place.line == 1
