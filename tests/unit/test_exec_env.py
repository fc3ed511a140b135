"""The adapter between contract types and backends, over a backend that does as it is told."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import make_dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from builders.bundle_repositories import DIGEST, OTHER_DIGEST, DirectoryRepository
from builders.bundles import make_bundle, pyproject

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.task import SimulationTask, task_id
from bundlekit.errors import (
    AggregationFailedError,
    ContractError,
    DigestMismatchError,
    FileAccessError,
    InternalError,
    UsageError,
)
from bundlekit.executors.backend import BundleToRun
from bundlekit.executors.choice import execution_environment
from bundlekit.executors.cold import ColdOptions
from bundlekit.executors.contract_namespace import aggregation_as, result_types, simulation_as
from bundlekit.executors.exec_env import BackendExecEnv, ExecOptions
from bundlekit.executors.routing import RoutingBackend
from bundlekit.model.contracts import (
    INLINE_CAP,
    AggregationReturn,
    AggregationTask,
    ErrorInfo,
    SimParams,
    SimReturn,
    SimTask,
    TableArtifact,
)
from bundlekit.model.outcome import Aggregated, Failure, Output, Simulated, TaskRun

_DATA = b"ok-7"
_CHECKSUM = TableArtifact(len(_DATA), _DATA).checksum
_OUTPUT = Output(len(_DATA), _CHECKSUM, _DATA, None)
_SIMULATED = Simulated("sha256:of-the-backend", {"raw": _OUTPUT})
_RAISED = Failure(ErrorCode.WIRE_RAISED, Phase.CALL, "ValueError", "beta < 0", None, False, "...", "/logs/x")  # noqa: FBT003 - a field
_FRESH = pyproject(after="[tool.bundlekit]\nrequires-fresh-process = true\n")


class _Told:
    """A backend that gives the outcome it was made with, and keeps what it was asked."""

    def __init__(self, outcome: Simulated | Aggregated | Failure | Exception = _SIMULATED) -> None:
        self.outcome = outcome
        self.asked: list[tuple[object, ...]] = []
        self.closed = 0

    def simulate(self, bundle: BundleToRun, task: Mapping[str, object], timeout_s: float) -> TaskRun:
        return self._run(bundle, task, timeout_s)

    def aggregate(
        self,
        bundle: BundleToRun,
        target: str,
        sim_returns: Sequence[Mapping[str, object]],
        target_data: object,
        timeout_s: float,
    ) -> TaskRun:
        return self._run(bundle, target, sim_returns, target_data, timeout_s)

    def health(self) -> Mapping[str, object]:
        return {"asked": len(self.asked)}

    def close(self) -> None:
        self.closed += 1

    def _run(self, *asked: object) -> TaskRun:
        self.asked.append(asked)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return TaskRun(self.outcome, 4711, 0.5, (), "off")


def _environment(
    tmp_path: Path,
    backend: _Told,
    options: ExecOptions | None = None,
    *,
    project: str = pyproject(),
    answers: Mapping[str, str] | None = None,
) -> BackendExecEnv:
    bundle = make_bundle(tmp_path / "bundle", {"pyproject.toml": project})
    repository = DirectoryRepository({DIGEST: bundle}, answers)
    return BackendExecEnv("told", backend, repository, options or ExecOptions(), gives_fresh_process=False)


def _task(**fields: object) -> SimTask:
    return SimTask(
        **{"bundle_ref": DIGEST, "entrypoint": "main", "params": SimParams({"beta": 0.2}), "seed": 7, **fields}
    )


def _aggregation(*returns: SimReturn, **fields: object) -> AggregationTask:
    return AggregationTask(DIGEST, "targets.agg:loss_one", returns, **fields)


def _details(result: SimReturn) -> dict[str, object]:
    assert result.error_details is not None
    document = json.loads(result.error_details.inline or b"")["_fatal_error"]
    assert isinstance(document, dict)
    return document


def test_a_task_reaches_the_backend_as_a_document_and_comes_back_as_a_result(tmp_path: Path) -> None:
    """Each field of a task that exists is one that counts: outputs and variables too."""
    backend = _Told()
    environment = _environment(tmp_path, backend, ExecOptions(9.0, {"A": "1", "B": "1"}))
    task = _task(outputs=["raw", "curve"], env={"B": "2"}, bundle_ref=f"registry/x@{DIGEST}")
    result = environment.run(task)
    bundle, document, timeout_s = backend.asked[0]
    assert isinstance(bundle, BundleToRun)
    assert (bundle.digest, timeout_s) == (DIGEST, 9.0)
    assert [file.path for file in bundle.files] == ["model/__init__.py", "model/wire.py", "pyproject.toml"]
    assert document == {
        "entrypoint": "main",
        "params": {"beta": 0.2},
        "seed": 7,
        "outputs": ["curve", "raw"],
        "env": {"A": "1", "B": "2"},
    }
    assert isinstance(result, SimReturn)
    assert result.outputs == {"raw": TableArtifact(4, _DATA)}
    assert result.metrics == {"seconds": 0.5, "pid": 4711}


def test_a_task_has_one_id_whether_it_succeeds_or_fails(tmp_path: Path) -> None:
    """Whoever keeps results by it must find the failure in the place of the result, and no other task's."""
    identity = task_id(DIGEST, SimulationTask("main", {"beta": 0.2}, 7, None))
    backend = _Told()
    environment = _environment(tmp_path, backend)
    assert environment.run(_task()).task_id == identity
    backend.outcome = _RAISED
    assert environment.run(_task()).task_id == identity
    others = [_task(seed=8), _task(params=SimParams({"beta": 0.3})), _task(entrypoint="a.b/c"), _task(outputs=["raw"])]
    assert len({identity, *(environment.run(other).task_id for other in others)}) == 5


def test_a_failure_is_a_result_with_its_code_and_all_that_is_known(tmp_path: Path) -> None:
    """The same document that the runner prints, so that nobody has to parse a sentence."""
    result = _environment(tmp_path, _Told(_RAISED)).run(_task())
    assert isinstance(result, SimReturn)
    assert result.error is not None
    assert (result.error.error_type, result.error.retryable, result.logs_ref) == ("E_WIRE_RAISED", False, "/logs/x")
    assert result.error.message == "ValueError: beta < 0 (E_WIRE_RAISED in phase call)"
    assert dict(result.outputs) == {}
    assert _details(result) == {
        "code": 8,
        "error_code": "E_WIRE_RAISED",
        "phase": "call",
        "type": "ValueError",
        "message": "beta < 0",
        "signal": None,
        "retryable": False,
        "stderr_tail": "...",
        "log_path": "/logs/x",
    }


def test_our_own_fault_is_a_result_too(tmp_path: Path) -> None:
    """Every call is answered once, and an answer has a place for it."""
    result = _environment(tmp_path, _Told(InternalError("the runner ended"))).run(_task())
    assert result.error is not None
    assert result.error.error_type == "E_INTERNAL"


def test_an_aggregation_in_place_of_a_simulation_is_our_own_fault(tmp_path: Path) -> None:
    """A backend that mixes up its answers must not have a loss taken for outputs."""
    result = _environment(tmp_path, _Told(Aggregated(1.0, {}, 1))).run(_task())
    assert result.error is not None
    assert result.error.error_type == "E_INTERNAL"


_BAD_TASKS = {
    "config": (SimpleNamespace(config={"solver": "x"}), "config: expected none, found ['solver']"),
    "a-bool-as-seed": (SimpleNamespace(seed=True), "seed: expected an integer"),
    "a-python-variable": (SimpleNamespace(env={"PYTHONPATH": "/x"}), "env: expected no variable that changes"),
    "a-number-as-variable": (SimpleNamespace(env={"A": 1}), "env: expected text"),
    "a-surrogate-in-a-variable": (SimpleNamespace(env={"A": "\ud800"}), "cannot be written as strict JSON"),
    "an-object-as-variable": (SimpleNamespace(env={"A": object()}), "cannot be written as strict JSON"),
}


@pytest.mark.parametrize(("fields", "message"), _BAD_TASKS.values(), ids=_BAD_TASKS)
def test_a_task_of_foreign_make_is_judged_before_the_backend(
    fields: SimpleNamespace, message: str, tmp_path: Path
) -> None:
    """Other types let pass what ours refuse; nothing of it is dropped in silence, whichever executor it is."""
    backend = _Told()
    whole = {"bundle_ref": DIGEST, "entrypoint": "main", "params": SimParams({}), "seed": 7}
    task = SimpleNamespace(**{**whole, "outputs": None, "config": None, "env": None, **vars(fields)})
    result = _environment(tmp_path, backend).run(task)
    assert isinstance(result, SimReturn)
    assert (_details(result)["error_code"], backend.asked) == ("E_TASK", [])
    assert message in str(_details(result)["message"])


def test_a_task_without_an_id_is_no_task(tmp_path: Path) -> None:
    """There is nothing that its result could be called."""
    params = SimpleNamespace(params={"x": float("nan")}, param_id="x")
    task = SimpleNamespace(
        bundle_ref=DIGEST, entrypoint="main", params=params, seed=7, outputs=None, config=None, env=None
    )
    with pytest.raises(ContractError, match="cannot be written as strict JSON"):
        _environment(tmp_path, _Told()).run(task)


def test_large_outputs_become_files(tmp_path: Path) -> None:
    """A result carries half a megabyte inline and no more; files have their checksum as name."""
    data = bytes(INLINE_CAP + 1)
    checksum = TableArtifact(0, b"").checksum
    outcome = Simulated("x", {"raw": _OUTPUT, "big": Output(len(data), checksum, data, None)})
    storage = tmp_path / "made" / "storage"
    result = _environment(tmp_path, _Told(outcome), ExecOptions(storage_dir=storage)).run(_task())
    reference = result.outputs["big"].ref
    assert reference is not None
    assert Path(reference).read_bytes() == data
    assert [path.name for path in storage.iterdir()] == [Path(reference).name]
    assert result.outputs["raw"].inline == _DATA


def test_large_outputs_that_the_backend_wrote_stay_where_they_are(tmp_path: Path) -> None:
    """Writing them once is enough."""
    outcome = Simulated("x", {"big": Output(10**9, "0" * 64, None, "/storage/x.bin")})
    result = _environment(tmp_path, _Told(outcome)).run(_task())
    assert result.outputs["big"] == TableArtifact(10**9, ref="/storage/x.bin", checksum="0" * 64)


def test_large_outputs_without_a_place_are_a_failure_that_names_it(tmp_path: Path) -> None:
    """Not an exception of the result's type, after an hour of computing, in one executor only."""
    data = bytes(INLINE_CAP + 1)
    outcome = Simulated("x", {"big": Output(len(data), "0" * 64, data, None)})
    result = _environment(tmp_path, _Told(outcome)).run(_task())
    assert isinstance(result, SimReturn)
    assert _details(result)["error_code"] == "E_LIMIT"
    assert "'big'" in str(_details(result)["message"])
    assert "storage_dir" in str(_details(result)["message"])


def test_a_place_for_large_outputs_that_cannot_be_is_told_at_once(tmp_path: Path) -> None:
    """Before the first task, not after it."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileAccessError, match="storage_dir: expected a directory"):
        _environment(tmp_path, _Told(), ExecOptions(storage_dir=tmp_path / "file" / "below"))


def test_an_aggregation_takes_results_in_and_gives_a_loss(tmp_path: Path) -> None:
    """Inline data as base64 and files by their paths, each with size and checksum, which are checked."""
    backend = _Told(Aggregated(1.5, {"n": 1}, 2))
    replicate = SimReturn("id", {"raw": TableArtifact(4, _DATA), "big": TableArtifact(9, ref="/x", checksum="0" * 64)})
    task = _aggregation(replicate, target_data={"x": [1]})
    result = _environment(tmp_path, backend).run_aggregation(task)
    assert (result.loss, result.n_replicates, dict(result.diagnostics)) == (1.5, 2, {"n": 1})
    assert result.aggregation_id == task.aggregation_id()
    _, target, returns, data, _ = backend.asked[0]
    assert (target, data) == ("targets.agg:loss_one", {"x": [1]})
    inline = {"size": 4, "checksum": _CHECKSUM, "inline": base64.b64encode(_DATA).decode()}
    outputs = {"raw": inline, "big": {"size": 9, "checksum": "0" * 64, "ref": "/x"}}
    assert returns == [{"task_id": "id", "outputs": outputs}]


_NO_LOSS = {
    "the-target-raised": (_RAISED, ErrorCode.WIRE_RAISED, "ValueError: beta < 0"),
    "no-replicates": (Aggregated(1.0, {}, 0), ErrorCode.WIRE_RESULT, "expected n_replicates above 0"),
    "our-own-fault": (InternalError("gone"), ErrorCode.INTERNAL, "gone"),
}


@pytest.mark.parametrize(("outcome", "code", "message"), _NO_LOSS.values(), ids=_NO_LOSS)
def test_an_aggregation_without_a_loss_is_an_error(
    outcome: Aggregated | Failure | Exception, code: ErrorCode, message: str, tmp_path: Path
) -> None:
    """Its result has no place for one; callers of other executors catch a RuntimeError."""
    with pytest.raises(AggregationFailedError, match=message) as caught:
        _environment(tmp_path, _Told(outcome)).run_aggregation(
            _aggregation(SimReturn("id", {"raw": TableArtifact(0, b"")}))
        )
    assert caught.value.code is code
    assert isinstance(caught.value, RuntimeError)


def test_a_failed_replicate_fails_the_aggregation_by_its_position(tmp_path: Path) -> None:
    """A loss over those that are left would be another loss."""
    backend = _Told()
    environment = _environment(tmp_path, backend)
    good = environment.run(_task())
    backend.outcome = _RAISED
    bad = environment.run(_task(seed=8))
    assert isinstance(good, SimReturn)
    assert isinstance(bad, SimReturn)
    with pytest.raises(
        AggregationFailedError, match=r"at the positions \[1\].*E_WIRE_RAISED: ValueError: beta"
    ) as caught:
        environment.run_aggregation(_aggregation(good, bad))
    assert caught.value.code is ErrorCode.TASK


def test_another_bundle_than_was_asked_for_is_not_run(tmp_path: Path) -> None:
    """A shortened digest in a cache gives another bundle's files, and nobody would know."""
    backend = _Told()
    result = _environment(tmp_path, backend, answers={DIGEST: OTHER_DIGEST}).run(_task())
    assert isinstance(result, SimReturn)
    assert (_details(result)["error_code"], backend.asked) == (DigestMismatchError.code, [])


@pytest.mark.parametrize("answer", ["ab" * 6, "sha256:" + "ab" * 6, "", "AB" * 32])
def test_a_repositorys_digest_is_a_whole_one(answer: str, tmp_path: Path) -> None:
    """Twelve digits are no digest."""
    result = _environment(tmp_path, _Told(), answers={DIGEST: answer}).run(_task())
    assert result.error is not None
    assert result.error.error_type == "E_DIGEST"


def test_a_repository_may_leave_out_the_algorithm(tmp_path: Path) -> None:
    """One of the ecosystem's does."""
    assert _environment(tmp_path, _Told(), answers={DIGEST: "ab" * 32}).run(_task()).error is None


def test_what_cannot_ship_is_not_left_out_in_silence(tmp_path: Path) -> None:
    """A link in the bundle's directory would be a file that the task does not find."""
    environment = _environment(tmp_path, _Told())
    (tmp_path / "bundle" / "link").symlink_to("/etc/hostname")
    result = environment.run(_task())
    assert result.error is not None
    assert result.error.error_type == "E_NAME"


def test_a_bundle_that_needs_fresh_processes_is_refused_with_the_reason(tmp_path: Path) -> None:
    """Its results would be wrong, and look right."""
    backend = _Told()
    environment = _environment(tmp_path, backend, project=_FRESH)
    result = environment.run(_task())
    assert result.error is not None
    assert (result.error.error_type, backend.asked) == ("E_USAGE", [])
    assert "requires-fresh-process" in result.error.message
    assert "use the executor cold, or auto" in result.error.message
    with pytest.raises(AggregationFailedError, match="requires-fresh-process"):
        environment.run_aggregation(_aggregation(SimReturn("id", {"raw": TableArtifact(0, b"")})))


@pytest.mark.parametrize(("project", "chosen"), [(pyproject(), "usual"), (_FRESH, "fresh")], ids=["safe", "leaking"])
def test_a_route_is_taken_by_what_the_bundle_requires(project: str, chosen: str, tmp_path: Path) -> None:
    """Safe bundles are fast, the others right; both for simulations and for aggregations."""
    backends = {"usual": _Told(), "fresh": _Told()}
    bundle = make_bundle(tmp_path / "bundle", {"pyproject.toml": project})
    both = RoutingBackend(backends["usual"], backends["fresh"])
    with BackendExecEnv(
        "auto", both, DirectoryRepository({DIGEST: bundle}), ExecOptions(), gives_fresh_process=True
    ) as environment:
        good = environment.run(_task())
        assert isinstance(good, SimReturn)
        backends[chosen].outcome = Aggregated(1.0, {}, 1)
        assert environment.run_aggregation(_aggregation(good)).loss == 1.0
        health = environment.health_check()
    assert (health["usual"], health["fresh"]) == (
        {"asked": 2 if chosen == "usual" else 0},
        {"asked": 2 if chosen == "fresh" else 0},
    )
    assert [each.closed for each in backends.values()] == [1, 1]


def test_an_executor_shuts_down_once_and_runs_nothing_afterwards(tmp_path: Path) -> None:
    """Teardowns are called by more than one party."""
    backend = _Told()
    with _environment(tmp_path, backend) as environment:
        environment.run(_task())
        health = environment.health_check()
        assert (health["status"], health["tasks"], health["bundles"]) == ("healthy", {"done": 1, "failed": 0}, 1)
        environment.shutdown()
    environment.shutdown()
    assert backend.closed == 1
    assert environment.health_check()["status"] == "closed"
    with pytest.raises(UsageError, match="told was shut down"):
        environment.run(_task())


def _foreign(*, nested: bool) -> SimpleNamespace:
    """Types with the names and fields of the contract, as another package has them; one of them in a module of it."""
    fields = {
        "TableArtifact": ["size", "inline", "ref", "checksum"],
        "ErrorInfo": ["error_type", "message", "retryable"],
        "SimReturn": ["task_id", "outputs", "error", "error_details", "logs_ref", "metrics", "cached"],
        "AggregationReturn": ["aggregation_id", "loss", "diagnostics", "outputs", "n_replicates"],
    }
    types = {
        name: make_dataclass(name, [(field, object, None) for field in names], frozen=True)
        for name, names in fields.items()
    }
    if nested:
        types["simulation"] = SimpleNamespace(AggregationReturn=types.pop("AggregationReturn"))
    return SimpleNamespace(**types)


@pytest.mark.parametrize("nested", [False, True])
def test_results_are_of_the_types_that_are_asked_for(nested: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter of the test
    """A platform checks for its own classes, and a package that depends on none of it cannot have them."""
    contracts = _foreign(nested=nested)
    backend = _Told()
    environment = _environment(tmp_path, backend, ExecOptions(contracts=contracts))
    result = environment.run(_task())
    assert type(result) is contracts.SimReturn
    assert type(result.outputs["raw"]) is contracts.TableArtifact
    backend.outcome = _RAISED
    failed = environment.run(_task())
    assert (type(failed.error), type(failed.error_details)) == (contracts.ErrorInfo, contracts.TableArtifact)
    backend.outcome = Aggregated(1.0, {}, 1)
    task = SimpleNamespace(
        bundle_ref=DIGEST,
        target_entrypoint="t.a:f",
        sim_returns=[result],
        target_data=None,
        aggregation_id=lambda: "theirs",
    )
    loss = environment.run_aggregation(task)
    expected = contracts.simulation.AggregationReturn if nested else contracts.AggregationReturn
    assert (type(loss), loss.aggregation_id) == (expected, "theirs")


@pytest.mark.parametrize("nested", [False, True])
def test_results_of_workers_become_the_types_that_are_asked_for(nested: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A worker gives bundlekit's own, since it need not have the package that the client has."""
    contracts = _foreign(nested=nested)
    types = result_types(contracts)
    data = TableArtifact(size=2, inline=b"ok")
    ours = SimReturn("id", {"raw": data, "far": TableArtifact(9, ref="/x", checksum="0" * 64)}, metrics={"pid": 7.0})
    theirs = simulation_as(types, ours)
    assert type(theirs) is contracts.SimReturn
    assert theirs.outputs == {
        "raw": contracts.TableArtifact(size=2, inline=b"ok", checksum=data.checksum),
        "far": contracts.TableArtifact(size=9, ref="/x", checksum="0" * 64),
    }
    assert (theirs.task_id, theirs.error, theirs.error_details, theirs.metrics) == ("id", None, None, {"pid": 7.0})
    failed = simulation_as(types, SimReturn("id", {}, ErrorInfo("E_SIGNAL", "it died", retryable=True), data))
    assert failed.error == contracts.ErrorInfo(error_type="E_SIGNAL", message="it died", retryable=True)
    assert type(failed.error_details) is contracts.TableArtifact
    loss = aggregation_as(types, AggregationReturn("aid", 0.5, {"n": 1}, {"t": data}, 3))
    expected = contracts.simulation.AggregationReturn if nested else contracts.AggregationReturn
    table = contracts.TableArtifact(size=2, inline=b"ok", checksum=data.checksum)
    assert loss == expected("aid", 0.5, {"n": 1}, {"t": table}, 3)


def test_a_namespace_without_the_types_is_refused_by_what_it_lacks(tmp_path: Path) -> None:
    """At the start, not in the first failure."""
    with pytest.raises(ContractError, match="found none named ErrorInfo, SimReturn, AggregationReturn"):
        _environment(tmp_path, _Told(), ExecOptions(contracts=SimpleNamespace(TableArtifact=TableArtifact)))


@pytest.mark.parametrize("name", ["isolated_warm", "cold", "direct", "auto"])
def test_an_executor_is_made_by_its_name(name: str) -> None:
    """The names that the variables of a worker know."""
    with execution_environment(
        name, DirectoryRepository({}), ExecOptions(), cold=ColdOptions(), warm=_Told
    ) as environment:
        assert environment.health_check()["executor"] == name


@pytest.mark.parametrize("name", ["", "Cold", "warm"])
def test_an_unknown_executor_is_an_error_and_never_another_one(name: str) -> None:
    """The silent fall-back cost weeks once."""
    with pytest.raises(UsageError, match="expected an executor of isolated_warm, cold, direct, auto"):
        execution_environment(name, DirectoryRepository({}), ExecOptions(), cold=ColdOptions(), warm=_Told)
