"""What the static stage says of a function's result, against what the cold runner does with it."""

from pathlib import Path

import pytest
from builders.bundles import findings_of
from builders.cold_runs import aggregate, run, wire_bundle

from bundlekit.model.finding import Severity

pytestmark = pytest.mark.process

_RESULT_CODES = {f"BK{number}" for number in (*range(313, 317), 407, *range(412, 416))}


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


def _judged(bundle: Path) -> set[Severity]:
    return {found.severity for found in findings_of(bundle) if found.code in _RESULT_CODES}


_WIRE = "def wire(entrypoint, params, seed):\n    "
_REFUSED_WIRES: dict[str, str] = {
    "none": f"{_WIRE}pass\n",
    "raises": f"{_WIRE}raise NotImplementedError\n",
    "text": f"{_WIRE}return 'a'\n",
    "text-as-output": f"{_WIRE}return {{'a': 'x' + str(seed)}}\n",
    "formatted-text": f"{_WIRE}return {{'a': 'x%d' % seed}}\n",
    "json": f"import json\n{_WIRE}return {{'a': json.dumps(params)}}\n",
    "number-as-output": f"{_WIRE}return {{'a': len(params)}}\n",
    "none-as-output": f"{_WIRE}return {{'a': None}}\n",
    "number-as-name": f"{_WIRE}return {{1: b'1'}}\n",
    "empty-name": f"{_WIRE}return {{'': b'1'}}\n",
    "list": f"{_WIRE}return [b'1']\n",
    "empty": f"{_WIRE}return {{}}\n",
    "empty-outputs": f"{_WIRE}return {{'metadata': b'{{}}', 'a': b''}}\n",
    "annotated-text": "def simulate(seed): return 'a'\n"
    "def wire(entrypoint, params, seed) -> str:\n    return simulate(seed)\n",
    "local": f"{_WIRE}outputs = {{'a': 1}}\n    return outputs\n",
}


@pytest.mark.parametrize("source", _REFUSED_WIRES.values(), ids=_REFUSED_WIRES)
def test_a_wire_with_an_error_fails(source: str, tmp_path: Path, cache: Path) -> None:
    """An error of the static stage that runs is a false alarm."""
    bundle = wire_bundle(tmp_path, source)
    assert _judged(bundle) == {Severity.ERROR}
    assert run(bundle, cache).error["error_code"] in {"E_WIRE_RESULT", "E_WIRE_RAISED"}


_TAKEN_WIRES: dict[str, str] = {
    "bytes": f"{_WIRE}return {{'a': b'1'}}\n",
    "bytearray": f"{_WIRE}return {{'a': bytearray(3)}}\n",
    "memoryview": f"{_WIRE}return {{'a': memoryview(b'1')}}\n",
    "encoded": f"import json\n{_WIRE}return {{'a': json.dumps(params).encode()}}\n",
    "one-of-two-empty": f"{_WIRE}return {{'a': b'', 'b': b'1'}}\n",
    "metadata-alone": f"{_WIRE}return {{'metadata': b'{{}}'}}\n",
    "overridden": f"{_WIRE}return {{'a': '1', 'a': b'1'}}\n",
    "mapping": f"import types\n{_WIRE}return types.MappingProxyType({{'a': b'1'}})\n",
    "filled": f"{_WIRE}outputs = {{}}\n    outputs['a'] = b'1'\n    return outputs\n",
    "parameter-returned": f"{_WIRE}params = params or {{'a': '1'}}\n    params['a'] = b'1'\n    return params\n",
    "another-function's": "outputs = {'a': b'1'}\n"
    f"{_WIRE}def run():\n        outputs = {{'a': '1'}}\n    run()\n    return outputs\n",
    "wrapped": f"def once(f): return lambda *given: {{'a': f(*given).encode()}}\n@once\n{_WIRE}return 'a'\n",
    "own-str": f"def str(x): return b'1'\n{_WIRE}return {{'a': str(seed)}}\n",
}


@pytest.mark.parametrize("source", _TAKEN_WIRES.values(), ids=_TAKEN_WIRES)
def test_a_wire_that_runs_has_no_error(source: str, tmp_path: Path, cache: Path) -> None:
    """Whatever returns outputs here has nothing wrong with it that reading could show."""
    bundle = wire_bundle(tmp_path, source)
    assert _judged(bundle) == set()
    assert run(bundle, cache).outputs


def _target(root: Path, source: str) -> Path:
    bundle = wire_bundle(root, f"{_WIRE}return {{'a': b'1'}}\n", fit=source)
    settings = '[tool.bundlekit]\ntargets = ["fit:loss"]\n'
    (bundle / "pyproject.toml").write_text(settings, encoding="utf-8")
    return bundle


_LOSS = "def loss(sim_returns, target_data=None):\n    "
_REFUSED_TARGETS: dict[str, str] = {
    "none": f"{_LOSS}pass\n",
    "number": f"{_LOSS}return 1.0\n",
    "no-loss": f"{_LOSS}return {{'score': 1.0}}\n",
    "text": f"{_LOSS}return {{'loss': '1'}}\n",
    "bool": f"{_LOSS}return {{'loss': True}}\n",
    "infinity": f"import math\n{_LOSS}return {{'loss': -math.inf}}\n",
    "either": f"{_LOSS}return {{'loss': None if sim_returns else float('nan')}}\n",
    "diagnostics": f"{_LOSS}return {{'loss': 1.0, 'diagnostics': [1]}}\n",
    "undecorated": "def loss(data_paths):\n    return make(data_paths)\n",
    "no-evaluator": "def loss(data_paths=None):\n    return {'loss': 1.0}\n",
}


@pytest.mark.parametrize("source", _REFUSED_TARGETS.values(), ids=_REFUSED_TARGETS)
def test_a_target_with_an_error_fails(source: str, tmp_path: Path, cache: Path) -> None:
    """As above."""
    bundle = _target(tmp_path, source)
    assert _judged(bundle) == {Severity.ERROR}
    assert aggregate(bundle, cache, "fit:loss").error["error_code"] in {"E_WIRE_RESULT", "E_WIRE_RAISED"}


_TAKEN_TARGETS: dict[str, str] = {
    "integer": f"{_LOSS}return {{'loss': 1}}\n",
    "of-either": f"{_LOSS}return {{'loss': float('inf') if sim_returns else 1.0}}\n",
    "no-diagnostics": f"{_LOSS}return {{'loss': 1.0, 'diagnostics': None}}\n",
    "overridden": f"{_LOSS}return {{'loss': None, **{{'loss': 1.0}}}}\n",
    "object": f"class Result:\n    loss = 1.0\n{_LOSS}return Result()\n",
    "tuple-with-a-loss": "import typing\nclass Result(typing.NamedTuple):\n    loss: float\n"
    "def loss(sim_returns, target_data=None) -> tuple:\n    return Result(1.0)\n",
}


@pytest.mark.parametrize("source", _TAKEN_TARGETS.values(), ids=_TAKEN_TARGETS)
def test_a_target_that_has_a_loss_has_no_error(source: str, tmp_path: Path, cache: Path) -> None:
    """As above."""
    bundle = _target(tmp_path, source)
    assert _judged(bundle) == set()
    assert aggregate(bundle, cache, "fit:loss").document["loss"] == 1.0
