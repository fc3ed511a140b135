"""BK4xx on code as people write it, in the three styles of CONTRACT section 4, and the seeds' own case."""

import json
from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle, pyproject

from bundlekit.check.engine import StaticAnswers
from bundlekit.check.rules.target import TargetStyle, target_style
from bundlekit.model.finding import Severity
from bundlekit.model.signature import Parameter, ParameterKind, Signature, Unknown
from bundlekit.read.project import read_project

_ONE, _BOTH = "(sim_returns)", "(sim_returns, target_data=None)"


def _targets(*values: str) -> str:
    return pyproject(after=f"[tool.bundlekit]\ntargets = {json.dumps(values)}\n")


_STYLES: dict[str, tuple[str, TargetStyle | None]] = {
    "no-parameters": ("()", TargetStyle.CALABARIA),
    "data-paths": ("(data_paths)", TargetStyle.CALABARIA),
    "one": (_ONE, TargetStyle.SIM_RETURNS),
    "two": ("(sim_returns, target_data)", TargetStyle.SIM_RETURNS_AND_DATA),
    "portable": (_BOTH, TargetStyle.PORTABLE),
    "star-args": ("(*args)", TargetStyle.PORTABLE),
    "optional-keyword": ("(sim_returns, *, weight=1)", TargetStyle.SIM_RETURNS),
    "three": ("(a, b, c)", None),
    "required-keyword": ("(sim_returns, *, weight)", None),
    "keywords-alone": ("(**kwargs)", None),
}


@pytest.mark.parametrize(("parameters", "style"), _STYLES.values(), ids=_STYLES)
def test_the_style_follows_from_the_signature(parameters: str, style: TargetStyle | None, tmp_path: Path) -> None:
    """Runners choose the call by the signature alone, so the checker can know it."""
    make_bundle(
        tmp_path, {"pyproject.toml": _targets("model.fit:loss"), "model/fit.py": f"def loss{parameters}: ...\n"}
    )
    project = read_project(tmp_path)
    signature = StaticAnswers(project).target_signature(project.targets[0])
    assert isinstance(signature, Signature)
    assert target_style(signature) is style


_CALIBRATED = """\
from modelops_calabaria import calibration_target

@calibration_target(model_output="incidence", data={"observed": "data/observed.csv"})
def incidence_target(data_paths):
    ...
"""


def test_calibration_targets_take_no_arguments(tmp_path: Path) -> None:
    """The decorator's wrapper has no parameters, whatever the decorated function takes."""
    text = pyproject(
        project='dependencies = ["calabaria==1.0"]',
        after='[tool.bundlekit]\ntargets = ["targets.fit:incidence_target"]\n',
    )
    make_bundle(tmp_path, {"pyproject.toml": text, "targets/fit.py": _CALIBRATED, "data/observed.csv": ""})
    assert findings_of(tmp_path) == []
    project = read_project(tmp_path)
    assert StaticAnswers(project).target_signature(project.targets[0]) == Signature(())


def test_a_calibration_target_may_be_made_of_any_object(tmp_path: Path) -> None:
    """The wrapper has no parameters even if what it wraps comes from a library that cannot be looked at."""
    source = (
        "from lab import fit\nfrom modelops_calabaria import calibration_target\n"
        "fitted = calibration_target(model_output='incidence', data={})(fit)\n"
    )
    text = pyproject(
        project='dependencies = ["lab==1.0", "calabaria==1.0"]',
        after='[tool.bundlekit]\ntargets = ["targets.fit:fitted"]\n',
    )
    make_bundle(tmp_path, {"pyproject.toml": text, "targets/fit.py": source})
    assert findings_of(tmp_path) == []
    project = read_project(tmp_path)
    assert StaticAnswers(project).target_signature(project.targets[0]) == Signature(())


_GIVEN = """\
import functools
def given(f):
    @functools.wraps(f)
    def run(*args):
        return f({})
    return run
"""
_UNDECORATED: dict[str, tuple[list[str], str]] = {
    "required": (["BK407"], "def loss(data_paths):\n    return make(data_paths)\n"),
    "keyword": (["BK407"], "def loss(*, data_paths):\n    return make(data_paths)\n"),
    "default": ([], "def loss(data_paths=None):\n    return make(data_paths)\n"),
    "none": ([], "def loss():\n    return make()\n"),
    "wrapped": (
        [],
        f"{_GIVEN}@given\ndef loss(data_paths):\n    return make(data_paths)\n",
    ),
}


@pytest.mark.parametrize(("codes", "source"), _UNDECORATED.values(), ids=_UNDECORATED)
def test_data_paths_come_from_the_decorator_alone(codes: list[str], source: str, tmp_path: Path) -> None:
    """Runners pass nothing to such a target: without the decorator or a default, the call is a TypeError."""
    make_bundle(tmp_path, {"pyproject.toml": _targets("model.fit:loss"), "model/fit.py": source})
    assert [finding.code for finding in findings_of(tmp_path)] == codes


def test_a_calibration_target_without_its_library_cannot_be_imported(tmp_path: Path) -> None:
    """The decorator comes from a module that nothing brings."""
    make_bundle(
        tmp_path,
        {
            "pyproject.toml": _targets("targets.fit:incidence_target"),
            "targets/fit.py": _CALIBRATED,
            "data/observed.csv": "",
        },
    )
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK505"]


def test_the_data_of_a_calibration_target_must_be_there(tmp_path: Path) -> None:
    """A path that the decorator names is opened by every aggregation."""
    text = pyproject(project='dependencies = ["calabaria==1.0"]')
    make_bundle(tmp_path, {"pyproject.toml": text, "targets/fit.py": _CALIBRATED})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.path, found.line, found.entity) == ("BK201", "targets/fit.py", 3, "data/observed.csv")


def test_the_target_of_a_job_specification_that_does_not_exist_is_found(tmp_path: Path) -> None:
    """The deployment report's case: the job was accepted, and failed with an AttributeError after the simulations."""
    root = tmp_path / "bundle"
    make_bundle(root, {"targets/__init__.py": "", "targets/incidence.py": "def incidence_targets(sim_returns): ...\n"})
    spec = tmp_path / "job.json"
    spec.write_text('{"target_entrypoint": "targets.incidence:incidence_target"}')
    (found,) = findings_of(root, job_spec=spec)
    assert (found.code, found.severity, found.path) == ("BK405", Severity.ERROR, "../job.json")
    assert "targets/incidence.py does not define" in found.message
    assert found.hint == "nearest name: 'incidence_targets', in line 1 of targets/incidence.py"


def test_a_target_of_the_registry_is_checked(tmp_path: Path) -> None:
    """The registry is where today's tools keep targets; its lines are the places."""
    registry = (
        "version: '1.0'\ntargets:\n  fit:\n    path: model/fit.py\n    entrypoint: model.fit:los\n    model_output: x\n"
    )
    make_bundle(tmp_path, {".modelops-bundle/registry.yaml": registry, "model/fit.py": f"def loss{_BOTH}: ...\n"})
    (found,) = [finding for finding in findings_of(tmp_path) if finding.severity is Severity.ERROR]
    assert (found.code, found.path, found.line) == ("BK405", ".modelops-bundle/registry.yaml", 5)


def test_a_target_named_twice_is_one_finding(tmp_path: Path) -> None:
    """Settings and job specification often name the same."""
    make_bundle(tmp_path, {"pyproject.toml": _targets("model.fit:loss", " model.fit:loss "), "job.json": "{}"})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK404"]


@pytest.mark.parametrize("value", ["models.fit/loss", "fit", "model.fit:", "model.fit:loss()"])
def test_only_references_are_targets(value: str, tmp_path: Path) -> None:
    """The warm runner's slash form does not run cold."""
    make_bundle(tmp_path, {"pyproject.toml": _targets(value)})
    assert [finding.code for finding in findings_of(tmp_path)] == ["BK401"]


def test_static_answers_say_unknown_with_the_reason_or_nothing(tmp_path: Path) -> None:
    """The probe compares signatures only where there is one; an error is reported already."""
    make_bundle(
        tmp_path, {"pyproject.toml": _targets("model.fit:loss", "model.fit:no"), "model/fit.py": "loss = make()\n"}
    )
    project = read_project(tmp_path)
    answers = StaticAnswers(project)
    names = ("entrypoint", "params", "seed")
    assert answers.wire_signature() == Signature(
        tuple(Parameter(name, ParameterKind.POSITIONAL_OR_KEYWORD) for name in names)
    )
    assert isinstance(answers.target_signature(project.targets[0]), Unknown)
    assert answers.target_signature(project.targets[1]) is None


def test_there_is_no_answer_for_two_wires(tmp_path: Path) -> None:
    """Which of them would run is not for the probe to guess."""
    text = pyproject().replace("execute =", 'other = "model.wire:wire"\nexecute =')
    make_bundle(tmp_path, {"pyproject.toml": text})
    assert StaticAnswers(read_project(tmp_path)).wire_signature() is None
