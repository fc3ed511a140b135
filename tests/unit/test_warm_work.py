"""Tasks as the executor isolated_warm takes them in: the quick way must be the strict one."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.strict_json import dumps
from bundlekit.cold_runner.task import SimulationTask, param_id, parse_simulation, task_id
from bundlekit.executors.warm.work import Simulation

_DIGEST = "sha256:" + "ab" * 32
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner), max_leaves=6
)


@given(
    entrypoint=st.text(min_size=1),
    params=st.dictionaries(st.text(), _VALUES, max_size=4),
    seed=st.integers(0, 2**64 - 1),
    outputs=st.none() | st.lists(st.text(min_size=1), max_size=2, unique=True),
)
def test_a_task_is_the_same_whichever_way_it_is_taken_in(
    entrypoint: str, params: dict[str, object], seed: int, outputs: list[str] | None
) -> None:
    """Ids and what the process is given must not depend on how a task was copied."""
    task = {"entrypoint": entrypoint, "params": params, "seed": seed, "outputs": outputs, "env": {}}
    read = parse_simulation(json.loads(json.dumps(task)), lambda _line: None)
    work = Simulation(task, lambda _line: None, None)
    asked = json.loads(work.params(_DIGEST))
    assert dumps(asked) == dumps(
        {"entrypoint": entrypoint, "params": read.params, "seed": seed, "bundle_digest": _DIGEST}
    )
    assert work.announced == f"Starting simulation {param_id(read.params)[:8]}-seed{seed}"


@given(params=st.dictionaries(st.text(), _VALUES, max_size=4), outputs=st.none() | st.lists(st.text(), max_size=2))
def test_the_identity_is_the_hash_of_one_canonical_document(
    params: dict[str, object], outputs: list[str] | None
) -> None:
    """Whoever computes it elsewhere writes the document and hashes it."""
    document = {"bundle": _DIGEST, "entrypoint": "a/b", "params": params, "seed": 7, "outputs": outputs}
    task = SimulationTask("a/b", params, 7, None if outputs is None else tuple(outputs))  # type: ignore[arg-type]  # drawn
    expected = "sha256:" + hashlib.sha256(dumps(document).encode()).hexdigest()
    assert task_id(_DIGEST, task) == task_id(_DIGEST, task, dumps(params)) == expected


_REFUSED = {
    "nan": ({"x": float("nan")}, "Out of range float|finite"),
    "infinity": ({"x": [float("inf")]}, "Out of range float|finite"),
    "surrogate": ({"x": "\ud800"}, "expected UTF-8"),
    "bytes": ({"x": b"1"}, "bytes is not JSON"),
    "digits": ({"x": 10**5000}, "4300"),
}


@pytest.mark.parametrize(("params", "said"), _REFUSED.values(), ids=_REFUSED)
def test_what_is_no_strict_json_is_refused(params: dict[str, object], said: str) -> None:
    """As every other executor does."""
    with pytest.raises(RunnerError, match=said):
        Simulation({"entrypoint": "main", "params": params, "seed": 1}, lambda _line: None, None)


def test_a_tasks_params_are_its_own() -> None:
    """Whoever changes the dictionary afterwards changes no task."""
    params: dict[str, object] = {"x": 1}
    work = Simulation({"entrypoint": "main", "params": params, "seed": 1}, lambda _line: None, None)
    params["x"] = 2
    assert json.loads(work.params(_DIGEST))["params"] == {"x": 1}
