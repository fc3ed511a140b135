"""What a specification wants to be made of the results of its tasks, by the names in it and in the registry."""

import json
from pathlib import Path

import pytest

from bundlekit.api.grid_targets import Targets, replicates_of, targets_of
from bundlekit.errors import TaskRefusedError
from bundlekit.model.grid import GridTask
from bundlekit.model.losses import Replicates
from bundlekit.model.place import Place, Text
from bundlekit.model.registry import RegisteredTarget, Registry, TargetSet

_HERE = Place("registry.yaml")


def _text(value: str) -> Text:
    return Text(value, _HERE)


_REGISTRY = Registry(
    targets=(
        RegisteredTarget("mean", _HERE, _text("fit.loss:mean")),
        RegisteredTarget("worst", _HERE, _text("fit.loss:worst")),
        RegisteredTarget("broken", _HERE),
    ),
    target_sets=(TargetSet("both", _HERE, (_text("mean"), _text("worst"))),),
)


def _targets(tmp_path: Path, registry: Registry | None = _REGISTRY, **document: object) -> Targets:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({"entrypoint": "main", **document}), encoding="utf-8")
    return targets_of(spec, registry)


_NAMED: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "none": ({}, ()),
    "functions": ({"targets": ["a.b:f", "a.b/g"]}, ("a.b:f", "a.b/g")),
    "one-function": ({"target_entrypoint": "a.b:f"}, ("a.b:f",)),
    "ids": ({"targets": ["worst"], "target_ids": ["mean", "worst"]}, ("fit.loss:worst", "fit.loss:mean")),
    "set-and-id": ({"target_set": "both", "target_id": "worst"}, ("fit.loss:worst", "fit.loss:mean")),
}


@pytest.mark.parametrize(("document", "expected"), _NAMED.values(), ids=_NAMED)
def test_targets_are_found_by_whatever_they_are_called(
    document: dict[str, object], expected: tuple[str, ...], tmp_path: Path
) -> None:
    """Each is run once, however often it is named."""
    assert _targets(tmp_path, **document).entrypoints == expected


def test_a_set_knows_its_targets(tmp_path: Path) -> None:
    """Its loss is the mean of theirs."""
    assert _targets(tmp_path, target_sets=["both"]).sets == {"both": ("fit.loss:mean", "fit.loss:worst")}


_UNKNOWN: dict[str, tuple[dict[str, object], str, str]] = {
    "target": ({"target_ids": ["man"]}, "names the target 'man', which is not registered", "did you mean 'mean'?"),
    "set": ({"target_sets": ["bot"]}, "names the target set 'bot', which is not", "did you mean 'both'?"),
    "far": ({"targets": ["xyzzy"]}, "names the target 'xyzzy'", "register it, or name a target function"),
    "no-function": ({"target_ids": ["broken"]}, "names the target 'broken'", "register it"),
}


@pytest.mark.parametrize(("document", "said", "hint"), _UNKNOWN.values(), ids=_UNKNOWN)
def test_a_name_that_nobody_knows_is_refused(document: dict[str, object], said: str, hint: str, tmp_path: Path) -> None:
    """Before an hour of simulations without a loss."""
    with pytest.raises(TaskRefusedError, match=said) as caught:
        _targets(tmp_path, **document)
    assert hint in (caught.value.hint or "")


def test_without_a_registry_only_functions_are_known(tmp_path: Path) -> None:
    """Most bundles have none."""
    assert _targets(tmp_path, None, targets=["a.b:f"]).entrypoints == ("a.b:f",)
    with pytest.raises(TaskRefusedError, match="which is not registered"):
        _targets(tmp_path, None, target_sets=["both"])


def test_replicates_differ_in_nothing_but_their_seeds() -> None:
    """In whatever order they stand; 1, 1.0 and true are three sets, as in every id."""
    tasks = [
        GridTask("main", {"x": 1}, 1),
        GridTask("main", {"x": 1.0}, 1),
        GridTask("main", {"x": 1}, 2),
        GridTask("main", {"x": True}, 1),
        GridTask("other", {"x": 1}, 1),
        GridTask("main", {"x": 1}, 1, ("a",)),
        GridTask("main", {"x": 1}, 1, None, {"N": "1"}),
        GridTask("main", {"x": 1.0}, 7),
    ]
    found = replicates_of(tasks, Targets(("a.b:f",)))
    assert [each.tasks for each in found] == [(0, 2), (1, 7), (3,), (4,), (5,), (6,)]
    assert found[0] == Replicates(0, (0, 2), ("a.b:f",))
    assert replicates_of(tasks, Targets()) == ()
