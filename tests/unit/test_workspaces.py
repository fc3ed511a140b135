"""The deployments of examples/: what they tell workers is what workers know."""

import os
from collections.abc import Mapping
from typing import TypedDict

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError
from project_checkout import PROJECT

from bundlekit.cluster.runtime_config import Executor, RuntimeConfig, variables


class _Variable(TypedDict):
    name: str
    value: str


class _Workers(TypedDict):
    env: list[_Variable]


class _Spec(TypedDict):
    workers: _Workers


class _Workspace(TypedDict):
    spec: _Spec


def _closed(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


_COUNT = {"type": "integer", "minimum": 1}
_TEXT = {"type": "string"}  # Kubernetes takes no other values of variables: true and 4 must be in quotes
_ENV = {"type": "array", "items": _closed({"name": _TEXT, "value": _TEXT})}
_WORKERS = _closed({"replicas": _COUNT, "processes": _COUNT, "threads": _COUNT, "env": _ENV})
SCHEMA = Draft202012Validator(_closed({"spec": _closed({"workers": _WORKERS})}))


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every variable that workers read out of the environment."""
    known = {name for variable in variables().values() for name in variable.names}
    for name in [*os.environ]:
        if name in known or name.startswith("MODELOPS_"):
            monkeypatch.delenv(name)


def _text(name: str) -> str:
    return (PROJECT / "examples" / name).read_text(encoding="utf-8")


def _config(text: str, monkeypatch: pytest.MonkeyPatch) -> RuntimeConfig:
    """Return what a worker makes of the deployment `text`, which must be as the schema says."""
    document: _Workspace = yaml.safe_load(text)
    SCHEMA.validate(document)
    env = document["spec"]["workers"]["env"]
    names = [each["name"] for each in env]
    assert sorted(set(names)) == sorted(names)
    assert set(names) <= {name for variable in variables().values() for name in variable.names}
    for each in env:
        monkeypatch.setenv(each["name"], each["value"])
    return RuntimeConfig.from_env()


DEPLOYMENTS = {"workspace.yaml": Executor.ISOLATED_WARM, "workspace-cold.yaml": Executor.COLD}


@pytest.mark.parametrize(("name", "executor"), DEPLOYMENTS.items(), ids=DEPLOYMENTS)
def test_an_example_gives_the_executor_that_it_says(
    monkeypatch: pytest.MonkeyPatch, name: str, executor: Executor
) -> None:
    """The seeds' workspace-cold.yaml said cold, and every worker ran isolated_warm without a word."""
    config = _config(_text(name), monkeypatch)
    assert (config.executor_type, config.bundle_source, config.notes) == (executor, "file", ())


def test_the_marks_before_cold_can_be_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is the first step of the deployment guide."""
    text = _text("workspace.yaml")
    marked = [line for line in text.splitlines() if line.lstrip().startswith(("# - name", "#   value"))]
    assert len(marked) == 2
    for line in marked:
        text = text.replace(line, line.replace("# ", "", 1))
    assert _config(text, monkeypatch).executor_type is Executor.COLD


def test_a_value_without_quotes_is_no_text() -> None:
    """Kubernetes refuses `value: true`; so does the schema that the examples are held against."""
    document = yaml.safe_load(_text("workspace-cold.yaml").replace('"false"', "false"))
    with pytest.raises(ValidationError, match="False is not of type 'string'"):
        SCHEMA.validate(document)
