"""The contracts' types: what they take, what they refuse, and the ids that the whole ecosystem shares."""

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from bundlekit.errors import ContractError
from bundlekit.model.contracts import (
    INLINE_CAP,
    AggregationReturn,
    AggregationTask,
    ErrorInfo,
    ReplicateSet,
    SimParams,
    SimReturn,
    SimTask,
    TableArtifact,
    UniqueParameterSet,
)
from bundlekit.model.contracts.read_only_map import ReadOnlyMap
from bundlekit.model.contracts.tasks import digest_of_reference

_VECTORS = json.loads(Path(__file__).with_name("contract_vectors.json").read_text(encoding="utf-8"))
_DIGEST = "sha256:" + "ab" * 32
_PARAMS = UniqueParameterSet({"beta": 0.3, "gamma": 0.1})
_ARTIFACT = TableArtifact(size=2, inline=b"ok")
_RETURN = SimReturn("id", {"table": _ARTIFACT})


class _Float(float):
    """What a numeric library would call its own kind of float."""

    def __repr__(self) -> str:
        return "a number of a library"


def _task(**fields: object) -> SimTask:
    return SimTask(**{"bundle_ref": _DIGEST, "entrypoint": "models.sir/base", "params": _PARAMS, "seed": 7, **fields})


def _aggregation(**fields: object) -> AggregationTask:
    given = {"bundle_ref": _DIGEST, "target_entrypoint": "targets.prev:fn", "sim_returns": [_RETURN], **fields}
    return AggregationTask(**given)


def _result(**fields: object) -> AggregationReturn:
    given = {"aggregation_id": "id", "loss": 1.0, "diagnostics": {}, "outputs": {}, "n_replicates": 1, **fields}
    return AggregationReturn(**given)


@pytest.mark.parametrize("vector", _VECTORS["param_id"], ids=lambda vector: json.dumps(vector["params"]))
def test_a_parameter_id_is_the_ecosystems(vector: dict[str, object]) -> None:
    """Results are found again by it: one other byte, and everything is computed twice."""
    params = vector["params"]
    assert isinstance(params, dict)
    assert UniqueParameterSet(params).param_id == vector["param_id"]
    assert UniqueParameterSet.from_dict(params) == SimParams(params=params, param_id=str(vector["param_id"]))


def test_an_aggregation_id_is_the_ecosystems() -> None:
    """The one that tasks themselves tell there, not that of the function of the same name."""
    vector = _VECTORS["aggregation_id"]
    returns = [SimReturn(task_id, {"table": _ARTIFACT}) for task_id in vector["task_ids"]]
    task = _aggregation(target_entrypoint=vector["target"], sim_returns=returns)
    assert task.aggregation_id() == vector["method_digest32"]


def test_a_checksum_is_computed_from_the_data() -> None:
    """Nobody has to know the algorithm to make an artifact, and no artifact has a wrong one."""
    vector = _VECTORS["checksum"]
    data = vector["bytes"].encode()
    assert TableArtifact(size=len(data), inline=data).checksum == vector["blake2b256"]


def test_scalars_of_libraries_become_plain_ones() -> None:
    """A worker without the library must be able to load the task, and the id is that of the number."""
    params = UniqueParameterSet({"n": _Float(0.5), "flag": True})
    assert type(params.params["n"]) is float
    assert params.param_id == UniqueParameterSet({"n": 0.5, "flag": True}).param_id


def test_what_is_made_cannot_be_changed_and_can_be_sent() -> None:
    """Tasks are keys of results, and travel to workers."""
    mutable = {"beta": 0.3}
    names = ["table", "curve"]
    task = _task(params=UniqueParameterSet(mutable), outputs=names, config={"a": 1}, env={"OMP_NUM_THREADS": "2"})
    mutable["beta"] = 9.0
    names.clear()
    assert task.params.params == {"beta": 0.3}
    assert task.outputs == ("curve", "table")
    assert pickle.loads(pickle.dumps(task)) == task  # noqa: S301 - written a moment ago
    with pytest.raises(TypeError, match="item assignment"):
        task.params.params["beta"] = 1.0
    with pytest.raises(AttributeError, match="cannot assign"):
        task.seed = 8


def test_a_read_only_map_is_a_mapping() -> None:
    """It stands wherever a dict of the same items would."""
    read_only = ReadOnlyMap({"a": 1, "b": 2})
    assert read_only == {"a": 1, "b": 2}
    assert (len(read_only), list(read_only), read_only["b"], repr(read_only)) == (2, ["a", "b"], 2, "{'a': 1, 'b': 2}")


def test_replicates_differ_in_their_seeds_alone() -> None:
    """Everything else about them is the base task's."""
    tasks = ReplicateSet(_task(), n_replicates=3, seed_offset=10).tasks()
    assert [task.seed for task in tasks] == [17, 18, 19]
    assert {(task.entrypoint, task.bundle_ref, task.params.param_id) for task in tasks} == {
        ("models.sir/base", _DIGEST, _PARAMS.param_id)
    }


_TAKEN: dict[str, Callable[[], object]] = {
    "main": lambda: _task(entrypoint="main"),
    "an-object": lambda: _task(entrypoint="models.sir:Sir"),
    "a-repository": lambda: _task(bundle_ref=f"registry.example/models/sir@{_DIGEST}"),
    "the-last-seed": lambda: _task(seed=2**64 - 1),
    "no-parameters": lambda: UniqueParameterSet({}),
    "an-empty-artifact": lambda: TableArtifact(size=0, inline=b""),
    "the-largest-inline": lambda: TableArtifact(size=INLINE_CAP, inline=bytes(INLINE_CAP)),
    "a-file": lambda: TableArtifact(size=10**12, ref="/data/x", checksum="0" * 64),
    "an-error": lambda: SimReturn("id", {}, error=ErrorInfo("E_TASK", ""), error_details=_ARTIFACT, metrics={"s": 1.0}),
    "target-data": lambda: _aggregation(target_data={"x": [1]}),
    "a-whole-loss": lambda: _result(loss=2),
}


@pytest.mark.parametrize("make", _TAKEN.values(), ids=_TAKEN)
def test_what_the_contract_has_is_taken(make: Callable[[], object]) -> None:
    """Strictness must not cost a task that runs elsewhere."""
    assert make() == make()


_REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "digest-with-0x": (lambda: _task(bundle_ref="sha256:0x" + "a" * 62), "bundle_ref: expected"),
    "digest-in-capitals": (lambda: _task(bundle_ref="sha256:" + "AB" * 32), "bundle_ref: expected"),
    "digest-with-underscores": (lambda: _task(bundle_ref="sha256:" + "a_" * 32), "bundle_ref: expected"),
    "no-digest": (lambda: _task(bundle_ref="local://dev"), "bundle_ref: expected"),
    "an-empty-repository": (lambda: _task(bundle_ref=f"@{_DIGEST}"), "bundle_ref: expected"),
    "bundle-ref-of-another-type": (lambda: _task(bundle_ref=7), "bundle_ref: expected"),
    "root-module": (lambda: _task(entrypoint="targets:fn"), "entrypoint: 'targets:fn' cannot be run"),
    "two-dots": (lambda: _task(entrypoint="a..b/x"), "entrypoint: expected one '.'"),
    "entrypoint-of-another-type": (lambda: _task(entrypoint=None), "entrypoint: expected non-empty text, found None"),
    "plain-params": (lambda: _task(params={"a": 1}), "params: expected a UniqueParameterSet"),
    "a-bool-as-seed": (lambda: _task(seed=True), r"seed: expected a whole number from 0 to 2\*\*64 - 1, found True"),
    "a-negative-seed": (lambda: _task(seed=-1), "seed: expected"),
    "a-seed-too-large": (lambda: _task(seed=2**64), "seed: expected"),
    "a-float-as-seed": (lambda: _task(seed=1.0), "seed: expected"),
    "an-output-twice": (lambda: _task(outputs=["a", "a"]), "outputs: expected distinct names"),
    "no-outputs": (lambda: _task(outputs=[]), "outputs: expected distinct names"),
    "outputs-as-text": (lambda: _task(outputs="table"), "outputs: expected distinct names"),
    "an-output-of-another-type": (lambda: _task(outputs=[1]), "outputs: expected distinct names"),
    "config-of-another-type": (lambda: _task(config=[1]), "config: expected a mapping"),
    "env-of-another-type": (lambda: _task(env=[1]), "env: expected a mapping"),
    "nan": (lambda: UniqueParameterSet({"x": float("nan")}), "params\\['x'\\]: expected .* found nan"),
    "infinity": (lambda: UniqueParameterSet({"x": float("-inf")}), "found -inf"),
    "a-list": (lambda: UniqueParameterSet({"x": [1]}), r"found \[1\] \(list\)"),
    "none": (lambda: UniqueParameterSet({"x": None}), r"found None \(NoneType\)"),
    "an-empty-name": (lambda: UniqueParameterSet({"": 1}), "params: names: expected non-empty text"),
    "a-number-as-name": (lambda: UniqueParameterSet({1: 1}), "params: names: expected non-empty text, found 1"),
    "a-lone-surrogate": (lambda: UniqueParameterSet({"x": "\ud800"}), "expected values that JSON can hold"),
    "digits-beyond-any-use": (lambda: UniqueParameterSet({"x": 10**5000}), "expected values that JSON can hold"),
    "params-of-another-type": (lambda: UniqueParameterSet([1]), "params: expected a mapping"),
    "another-sets-id": (lambda: UniqueParameterSet({"x": 1}, _PARAMS.param_id), "param_id: expected"),
    "no-replicates": (lambda: ReplicateSet(_task(), 0), "n_replicates: expected a whole number from 1, found 0"),
    "replicates-beyond-the-last-seed": (lambda: ReplicateSet(_task(seed=2**64 - 2), 3), "seed: expected"),
    "a-negative-offset": (lambda: ReplicateSet(_task(), 1, -1), "seed_offset: expected"),
    "no-base-task": (lambda: ReplicateSet(7, 1), "base_task: expected a SimTask"),
    "a-wrong-size": (lambda: TableArtifact(size=3, inline=b"ok"), "size: expected 2, .* found 3"),
    "a-negative-size": (lambda: TableArtifact(size=-5, ref="x"), "size: expected a whole number from 0"),
    "a-bool-as-size": (lambda: TableArtifact(size=True, inline=b"x"), "size: expected"),
    "inline-and-ref": (
        lambda: TableArtifact(size=2, inline=b"ok", ref="x"),
        "inline and ref, found both",
    ),
    "neither-inline-nor-ref": (lambda: TableArtifact(size=2), "exactly one of inline and ref, found neither"),
    "inline-text": (lambda: TableArtifact(size=2, inline="ok"), "inline: expected bytes"),
    "too-much-inline": (
        lambda: TableArtifact(INLINE_CAP + 1, bytes(INLINE_CAP + 1)),
        "inline: expected at most",
    ),
    "a-checksum-of-other-data": (
        lambda: TableArtifact(2, b"ok", checksum="0" * 64),
        "checksum: expected",
    ),
    "a-sha256-in-its-place": (
        lambda: TableArtifact(2, b"ok", checksum=hashlib.sha256(b"ok").hexdigest()),
        "checksum: expected",
    ),
    "a-file-without-checksum": (lambda: TableArtifact(2, ref="x"), "checksum: expected 64 lower-case hex digits"),
    "an-empty-ref": (lambda: TableArtifact(2, ref="", checksum="0" * 64), "ref: expected non-empty text"),
    "a-nameless-error": (lambda: ErrorInfo("", "x"), "error_type: expected non-empty text"),
    "a-message-of-another-type": (lambda: ErrorInfo("E", None), "message: expected text"),
    "perhaps-retryable": (lambda: ErrorInfo("E", "x", 1), "retryable: expected a bool"),
    "no-task-id": (lambda: SimReturn("", {"x": _ARTIFACT}), "task_id: expected non-empty text"),
    "nothing-at-all": (lambda: SimReturn("id", {}), "outputs: expected at least one"),
    "an-error-without-details": (lambda: SimReturn("id", {}, ErrorInfo("E", "x")), "error_details: expected"),
    "outputs-of-another-type": (lambda: SimReturn("id", [1]), "outputs: expected a mapping"),
    "nothing-to-aggregate": (lambda: _aggregation(sim_returns=[]), "sim_returns: expected at least one"),
    "returns-of-another-type": (lambda: _aggregation(sim_returns=7), "sim_returns: expected at least one, found 7"),
    "a-return-of-another-type": (lambda: _aggregation(sim_returns=[_RETURN, {}]), r"sim_returns\[1\]: expected"),
    "target-at-the-root": (lambda: _aggregation(target_entrypoint="targets:fn"), "target_entrypoint: 'targets:fn'"),
    "target-data-of-another-type": (lambda: _aggregation(target_data=[1]), "target_data: expected a mapping"),
    "aggregation-of-no-digest": (lambda: _aggregation(bundle_ref="x"), "bundle_ref: expected"),
    "a-loss-of-nan": (lambda: _result(loss=float("nan")), "loss: expected a finite number, found nan"),
    "a-bool-as-loss": (lambda: _result(loss=True), "loss: expected a finite number"),
    "a-loss-of-text": (lambda: _result(loss="1"), "loss: expected a finite number"),
    "no-replicates-in-a-loss": (lambda: _result(n_replicates=0), "n_replicates: expected a whole number from 1"),
    "no-aggregation-id": (lambda: _result(aggregation_id=""), "aggregation_id: expected non-empty text"),
    "diagnostics-of-another-type": (lambda: _result(diagnostics=[]), "diagnostics: expected a mapping"),
}


@pytest.mark.parametrize(("make", "message"), _REFUSED.values(), ids=_REFUSED)
def test_what_breaks_a_promise_is_refused_by_the_name_of_its_field(make: Callable[[], object], message: str) -> None:
    """At the door, on the machine of whoever made it, and as what Python calls a wrong value."""
    with pytest.raises(ContractError, match=message) as caught:
        make()
    assert isinstance(caught.value, ValueError)


def test_a_near_miss_is_told_what_it_may_have_meant() -> None:
    """The grammar is nobody's to remember."""
    with pytest.raises(ContractError) as caught:
        _task(entrypoint="models.sir/Baseline")
    assert caught.value.hint == "did you mean 'models.sir/baseline'?"


def test_a_reference_ends_with_its_digest() -> None:
    """The repository before it says where, not what."""
    assert digest_of_reference(f"registry.example:5000/a/b@{_DIGEST}") == digest_of_reference(_DIGEST) == _DIGEST
