"""The direct executor: bundle code in this process, which is afterwards as it was."""

import os
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from builders.bundle_repositories import DIGEST, OTHER_DIGEST, DirectoryRepository
from builders.bundles import make_bundle, pyproject

from bundlekit.errors import AggregationFailedError, UsageError
from bundlekit.executors.direct.backend import DirectBackend
from bundlekit.executors.direct.exec_env import DirectExecEnv
from bundlekit.executors.known_bundles import bundle_to_run
from bundlekit.model.contracts import AggregationTask, SimParams, SimReturn, SimTask
from bundlekit.model.digest import Digest
from bundlekit.model.outcome import Failure

_STATE = """
    import os, sys, json
    import model.counting as counting
    def wire(entrypoint, params, seed):
        counting.n += 1
        seen = {
            "cwd": os.getcwd(), "secret": os.environ.get("MY_SECRET"), "own": os.environ.get("OWN"),
            "threads": os.environ.get("OMP_NUM_THREADS"), "n": counting.n, "beta": params["beta"],
        }
        os.environ["LEFT_BEHIND"] = "x"
        os.environ.pop("PATH", None)
        os.chdir("/")
        sys.path.insert(0, "/left-behind")
        sys.stdout = None
        params["beta"] = 9
        return {"seen": json.dumps(seen).encode()}
"""


@pytest.fixture(autouse=True)
def _the_process_stays_as_it_is() -> Iterator[None]:
    """It is somebody's: of a test session, or of a worker."""
    before = _state()
    yield
    assert _state() == before
    assert not [name for name in sys.modules if name.partition(".")[0] in {"model", "bundle_wire"}]


def _state() -> tuple[object, ...]:
    variables = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return Path.cwd(), variables, list(sys.path), sys.stdin, sys.stdout, sys.stderr


def _executor(root: Path, source: str, files: Mapping[str, str] | None = None) -> DirectExecEnv:
    bundle = make_bundle(root / "bundle", {"model/wire.py": textwrap.dedent(source), **(files or {})})
    return DirectExecEnv(DirectoryRepository({DIGEST: bundle, OTHER_DIGEST: bundle}))


def _task(entrypoint: str = "main", **fields: object) -> SimTask:
    whole = {"bundle_ref": DIGEST, "entrypoint": entrypoint, "params": SimParams({"beta": 0.5}), "seed": 3}
    return SimTask(**{**whole, **fields})


def _code(result: SimReturn) -> str | None:
    return None if result.error is None else result.error.error_type


def test_a_task_sees_what_a_child_would_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its directory is a copy of the bundle, its variables are those allowed, its parameters its own."""
    monkeypatch.setenv("MY_SECRET", "hunter2")
    with _executor(tmp_path, _STATE, {"model/counting.py": "n = 0\n"}) as executor:
        first, second = (executor.run(_task(env={"OWN": "1"})) for _ in range(2))
    for number, result in enumerate((first, second), start=1):
        seen = (result.outputs["seen"].inline or b"").decode()
        assert '"secret": null, "own": "1", "threads": "1"' in seen
        assert f'"n": {number}, "beta": 0.5' in seen
        assert "bundlekit-direct-" in seen
        assert str(tmp_path / "bundle") not in seen


def test_modules_of_the_host_stay_its_own(tmp_path: Path) -> None:
    """A bundle's package may be named as one that the host has loaded, and neither must get the other's."""
    name = "builders"
    host = sys.modules[name]
    wire = "def wire(entrypoint, params, seed):\n    return {'raw': b'of the bundle'}\n"
    files = {"pyproject.toml": pyproject(wire=f"{name}.wire:wire"), f"{name}/__init__.py": "", f"{name}/wire.py": wire}
    with _executor(tmp_path, "", files) as executor:
        assert executor.run(_task()).outputs["raw"].inline == b"of the bundle"
    assert sys.modules[name] is host


def test_a_second_bundle_is_refused_with_the_reason(tmp_path: Path) -> None:
    """It would get the first one's modules wherever names are the same."""
    with _executor(tmp_path, "def wire(entrypoint, params, seed):\n    return {'raw': b'1'}\n") as executor:
        assert _code(executor.run(_task())) is None
        refused = executor.run(_task(bundle_ref=OTHER_DIGEST))
        assert _code(refused) == "E_USAGE"
        assert refused.error is not None
        assert DIGEST in refused.error.message
        assert OTHER_DIGEST in refused.error.message
        assert "use the executor cold or isolated_warm" in refused.error.message
        assert _code(executor.run(_task())) is None


def test_bundles_of_two_executors_do_not_share_modules(tmp_path: Path) -> None:
    """Both are named `model`, and each gives its own answer."""
    sources = {
        name: f"def wire(entrypoint, params, seed):\n    return {{'raw': b'{name}'}}\n" for name in ("ONE", "TWO")
    }
    with _executor(tmp_path / "1", sources["ONE"]) as one, _executor(tmp_path / "2", sources["TWO"]) as two:
        answers = [each.run(_task()).outputs["raw"].inline for each in (one, two, one, two)]
    assert answers == [b"ONE", b"TWO", b"ONE", b"TWO"]


_WIRE = """
    import sys
    def wire(entrypoint, params, seed):
        print("to stdout")
        kind = entrypoint.partition("/")[2]
        if kind == "exit":
            sys.exit(3)
        if kind == "raise":
            raise ValueError("beta must be above 0")
        if kind == "interrupt":
            raise KeyboardInterrupt
        return {"text": {"raw": "text"}, "none": None, "empty": {}, "name": {"a\\nb": b""}}.get(kind, {"raw": b"1"})
"""
_ENDS = {
    "ok": ("a.b/ok", None, ""),
    "exit": ("a.b/exit", "E_WIRE_EXIT", "SystemExit(3)"),
    "raise": ("a.b/raise", "E_WIRE_RAISED", "ValueError: beta must be above 0"),
    "text": ("a.b/text", "E_WIRE_RESULT", "encode it"),
    "none": ("a.b/none", "E_WIRE_RESULT", "found NoneType"),
    "empty": ("a.b/empty", "E_WIRE_RESULT", "empty dict"),
    "name": ("a.b/name", "E_WIRE_RESULT", "control characters"),
    "no-module": ("does.not.exist:fn", "E_ENTRYPOINT", "does.not.exist"),
}


@pytest.mark.parametrize(("entrypoint", "code", "message"), _ENDS.values(), ids=_ENDS)
def test_each_end_has_its_code(
    entrypoint: str, code: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The host goes on whatever bundle code does, and its stdout is nobody else's."""
    with _executor(tmp_path, _WIRE) as executor:
        result = executor.run(_task(entrypoint))
    assert _code(result) == code
    assert message in ("" if result.error is None else result.error.message)
    assert capsys.readouterr().out == ""


def test_an_interruption_of_the_host_stays_one(tmp_path: Path) -> None:
    """Ctrl-C is meant for whoever runs the tests."""
    with _executor(tmp_path, _WIRE) as executor, pytest.raises(KeyboardInterrupt):
        executor.run(_task("a.b/interrupt"))


def test_a_traceback_begins_with_the_bundles_code(tmp_path: Path) -> None:
    """Frames of ours would say nothing to whoever wrote it."""
    with _executor(tmp_path, _WIRE) as executor:
        result = executor.run(_task("a.b/raise"))
    assert result.error_details is not None
    details = (result.error_details.inline or b"").decode()
    assert "wire.py" in details
    assert "executors" not in details
    assert "child/main.py" not in details


def test_a_deadline_that_has_passed_is_told(tmp_path: Path) -> None:
    """Nothing can stop code in the same process, but its result is that of the other executors."""
    source = "import time\ndef wire(entrypoint, params, seed):\n    time.sleep(0.02)\n    return {'raw': b'1'}\n"
    bundle = make_bundle(tmp_path / "bundle", {"model/wire.py": source})
    with DirectExecEnv(DirectoryRepository({DIGEST: bundle}), timeout_seconds=0.001) as executor:
        result = executor.run(_task())
    assert _code(result) == "E_TIMEOUT"
    assert result.error is not None
    assert "nothing could stop it" in result.error.message


_BUNDLES: dict[str, tuple[dict[str, str], str | None, str]] = {
    "src-layout": (
        {
            "pyproject.toml": pyproject(wire="deep.wire:wire", after='[tool.setuptools.packages.find]\nwhere=["src"]'),
            "src/deep/wire.py": "def wire(e, p, s):\n    return {'raw': b'1'}\n",
        },
        None,
        "",
    ),
    "a-file-as-wire": (
        {"pyproject.toml": "", "wire.py": "def wire(e, p, s):\n    return {'raw': b'1'}\n"},
        None,
        "",
    ),
    "no-wire": ({"pyproject.toml": '[project]\nname = "model"\nversion = "1"\n'}, "E_ENTRYPOINT", "no wire function"),
    "two-wires": (
        {"pyproject.toml": pyproject(after='other = "model.wire:wire"')},
        "E_ENTRYPOINT",
        "expected one entry point in the group modelops.wire, found 2",
    ),
    "a-malformed-wire": ({"pyproject.toml": pyproject(wire="model wire")}, "E_ENTRYPOINT", "declared but malformed"),
    "another-python": ({"pyproject.toml": pyproject(project='requires-python = ">=4"')}, "E_VENV", "Python >=4"),
    "a-python-that-is-none": ({"pyproject.toml": pyproject(project='requires-python = "new"')}, "E_PYPROJECT", "'new'"),
    "no-toml": ({"pyproject.toml": "[project\n"}, "E_PYPROJECT", "cannot be read"),
    "no-such-module": ({"pyproject.toml": pyproject(wire="model.wier:wire")}, "E_WIRE_RAISED", "No module named"),
}


@pytest.mark.parametrize(("files", "code", "message"), _BUNDLES.values(), ids=_BUNDLES)
def test_a_bundle_is_found_as_other_executors_find_it(
    files: dict[str, str], code: str | None, message: str, tmp_path: Path
) -> None:
    """From its documents, since nothing is installed here."""
    with _executor(tmp_path, "def wire(e, p, s):\n    return {'raw': b'1'}\n", files) as executor:
        result = executor.run(_task())
    assert _code(result) == code
    assert message in ("" if result.error is None else result.error.message)


_TARGETS = """
    def one(sim_returns):
        return {"loss": float(sim_returns[0]["outputs"]["raw"]["inline"])}
    def two(sim_returns, target_data):
        return {"loss": target_data["x"], "diagnostics": {"n": len(sim_returns)}}
    def nan(sim_returns):
        return {"loss": float("nan")}
    def leaves(sim_returns):
        raise SystemExit(1)
"""


def test_targets_of_both_styles_give_their_losses(tmp_path: Path) -> None:
    """Inline data is bytes for them, as in every executor."""
    with _executor(tmp_path, _WIRE, {"model/agg.py": textwrap.dedent(_TARGETS)}) as executor:
        good = executor.run(_task())
        assert isinstance(good, SimReturn)
        assert executor.run_aggregation(AggregationTask(DIGEST, "model.agg:one", [good])).loss == 1.0
        second = executor.run_aggregation(AggregationTask(DIGEST, "model.agg:two", [good, good], {"x": 2.5}))
        assert (second.loss, second.n_replicates, dict(second.diagnostics)) == (2.5, 2, {"n": 2})


@pytest.mark.parametrize(
    ("target", "code"), [("nan", "E_WIRE_RESULT"), ("leaves", "E_WIRE_EXIT"), ("absent", "E_ENTRYPOINT")]
)
def test_a_target_without_a_loss_has_its_code(target: str, code: str, tmp_path: Path) -> None:
    """An exit in it is no end of the host."""
    with _executor(tmp_path, _WIRE, {"model/agg.py": textwrap.dedent(_TARGETS)}) as executor:
        good = executor.run(_task())
        assert isinstance(good, SimReturn)
        with pytest.raises(AggregationFailedError) as caught:
            executor.run_aggregation(AggregationTask(DIGEST, f"model.agg:{target}", [good]))
    assert caught.value.code == code


def test_its_copy_goes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it was never used, and however often it is closed."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    bundle = bundle_to_run(make_bundle(tmp_path / "bundle", {}), Digest(DIGEST))
    backend = DirectBackend(lambda _line: None)
    backend.simulate(bundle, {"entrypoint": "main", "params": {}, "seed": 1}, 9.0)
    assert backend.health() == {"bundle_digest": DIGEST, "pid": os.getpid()}
    assert len(list(scratch.iterdir())) == 1
    backend.close()
    backend.close()
    assert list(scratch.iterdir()) == []
    with pytest.raises(UsageError, match="closed"):
        backend.simulate(bundle, {"entrypoint": "main", "params": {}, "seed": 1}, 9.0)
    DirectBackend(lambda _line: None).close()


def test_a_task_that_is_none_is_refused(tmp_path: Path) -> None:
    """Backends are called with documents, and judge them as a runner does."""
    bundle = bundle_to_run(make_bundle(tmp_path / "bundle", {}), Digest(DIGEST))
    backend = DirectBackend(lambda _line: None)
    for task in (
        {"entrypoint": "main", "params": {}},
        {"entrypoint": "main", "params": {"x": float("nan")}, "seed": 1},
    ):
        outcome = backend.simulate(bundle, task, 9.0).outcome
        assert isinstance(outcome, Failure)
        assert outcome.error_code == "E_TASK"
    backend.close()


def test_a_file_that_has_changed_is_not_run(tmp_path: Path) -> None:
    """What is run is what was listed."""
    root = make_bundle(tmp_path / "bundle", {})
    bundle = bundle_to_run(root, Digest(DIGEST))
    (root / "model" / "wire.py").write_text("changed = True\n", encoding="utf-8")
    backend = DirectBackend(lambda _line: None)
    outcome = backend.simulate(bundle, {"entrypoint": "main", "params": {}, "seed": 1}, 9.0).outcome
    assert isinstance(outcome, Failure)
    assert outcome.error_code == "E_SOURCE"
    backend.close()
