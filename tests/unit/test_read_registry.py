"""registry.yaml becomes frozen values, each with its place; what YAML makes hard is a finding and never a crash."""

import math
from pathlib import Path

import pytest
from builders.bundles import make_bundle

from bundlekit.model.place import Place, Text
from bundlekit.model.registry import RegisteredTarget, TargetSet, Weight
from bundlekit.read.project import read_project

_PATH = ".modelops-bundle/registry.yaml"
_TEXT = """\
version: "1.0"
models:
  sir:
    entrypoint: model.sir:Sir
    path: model/sir.py
    class_name: Sir
    scenarios: [low]
    parameters: [beta]
    outputs:
      - x
    data: [d.csv]
    data_digests: {d.csv: "sha256:1"}
    code: [c.py]
    code_digests: {c.py: "sha256:2"}
    model_digest: null
targets:
  fit: {entrypoint: "t.a:f", path: t/a.py, model_output: x, data: [o.csv], target_digest: d}
target_sets:
  all: {targets: [fit], weights: {fit: 0x10, other: 1.0e+999}}
"""


def test_the_whole_document_is_read(tmp_path: Path) -> None:
    """Rules ask for values with places and never for YAML."""
    make_bundle(tmp_path, {_PATH: _TEXT})
    registry = read_project(tmp_path).registry
    assert registry is not None
    (model,) = registry.models
    assert registry.version == Text("1.0", Place(_PATH, 1, 10))
    assert (model.id, model.place, model.model_digest) == ("sir", Place(_PATH, 3, 3), None)
    assert model.outputs == (Text("x", Place(_PATH, 10, 9)),)
    assert [text.value for text in (*model.scenarios, *model.parameters)] == ["low", "beta"]
    assert [text.value for text in model.files] == ["model/sir.py", "d.csv", "c.py"]
    assert [(stated.path, stated.value) for stated in (*model.data_digests, *model.code_digests)] == [
        ("d.csv", "sha256:1"),
        ("c.py", "sha256:2"),
    ]
    assert registry.targets == (
        RegisteredTarget(
            "fit",
            Place(_PATH, 17, 3),
            Text("t.a:f", Place(_PATH, 17, 21)),
            Text("t/a.py", Place(_PATH, 17, 36)),
            Text("x", Place(_PATH, 17, 58)),
            (Text("o.csv", Place(_PATH, 17, 68)),),
            Text("d", Place(_PATH, 17, 91)),
        ),
    )
    weights = (Weight("fit", 16.0, Place(_PATH, 19, 40)), Weight("other", math.inf, Place(_PATH, 19, 53)))
    assert registry.target_sets == (
        TargetSet("all", Place(_PATH, 19, 3), (Text("fit", Place(_PATH, 19, 19)),), weights),
    )


_UNUSABLE: dict[str, tuple[str, str]] = {
    "merge-loop": ("a: &a\n  <<: *a\n", "nested too deeply"),
    "merge-bomb": (
        "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 9)),
        "lead in a circle, or to too many mappings",
    ),
    "number-too-long": (f"version: {'9' * 5000}\n", "line 1 holds '999"),
    "no-number": ("version: !!int abc\n", "line 1 holds 'abc', which is no int"),
    "no-day": ("\nversion: 2024-13-45\n", "line 2 holds '2024-13-45', which is no timestamp"),
    "half-a-character": ('version: "\\ud800"\n', "line 1 holds half of a character"),
}


@pytest.mark.parametrize(("text", "reason"), _UNUSABLE.values(), ids=_UNUSABLE)
def test_what_yaml_makes_hard_is_a_finding(text: str, reason: str, tmp_path: Path) -> None:
    """Loaders crash, hang or print pages about their own limits."""
    make_bundle(tmp_path, {_PATH: text})
    project = read_project(tmp_path)
    assert project.registry is None
    (problem,) = project.problems
    assert (problem.code, problem.path) == ("BK106", _PATH)
    assert reason in problem.message


_ODD: dict[str, tuple[str, list[str]]] = {
    "no-mapping-to-merge": ("<<: 3\nmodels: {}\n", []),
    "list-as-a-key": ("? [a]\n: 3\n", []),
    "number-as-an-id": ("target_sets:\n  1: {}\n", []),
    "null-sections": ("models:\ntargets:\n", ["models must be a table", "targets must be a table"]),
    "date": ("version: 2024-01-01\n", ["version must be a string, found a value of type date"]),
    "float": ("version: 1.5\n", ["version must be a string, found a number (1.5)"]),
    "boolean": ("version: yes\n", ["version must be a string, found a boolean (True)"]),
    "unknown-boolean": ("version: !!bool maybe\n", []),
}


@pytest.mark.parametrize(("text", "messages"), _ODD.values(), ids=_ODD)
def test_odd_yaml_is_read_as_far_as_it_goes(text: str, messages: list[str], tmp_path: Path) -> None:
    """All that is wrong is said at once, and the rest still counts."""
    make_bundle(tmp_path, {_PATH: text})
    project = read_project(tmp_path)
    assert project.registry is not None
    assert [problem.message.partition(", found null")[0] for problem in project.problems] == messages
