"""What a failure leaves behind: the whole log up to a limit, and one file that runs the same again."""

import base64
import hashlib
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from builders.cold_runs import MODULE, SIMULATION, Ran, aggregate, run, runner_environment, wire_bundle

import bundlekit.cold_runner
from bundlekit.cold_runner.kept_log import MAX_LOG_BYTES

pytestmark = pytest.mark.process

FAILING = "def wire(e, p, s):\n    raise ValueError(f'{e} {p} {s}')\n"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


def kept(ran: Ran) -> Path:
    """Return the directory that the failure names."""
    return Path(str(ran.error["log_path"])).parent


def replayed(file: Path, cache: Path, *options: str, **env: str) -> Ran:
    """Run a reproduction by the command that it holds."""
    command = shlex.split(json.loads(file.read_text(encoding="utf-8"))["command"])
    done = subprocess.run(
        [*command, *options], capture_output=True, check=False, timeout=60, env={**runner_environment(cache), **env}
    )
    return Ran(done.returncode, done.stdout, done.stderr, 0.0)


def test_a_failure_keeps_the_whole_log_beside_one_file_that_runs_it_again(tmp_path: Path, cache: Path) -> None:
    """An hour later the terminal is gone; what failed must not need to be pieced together."""
    source = "import os\nos.write(2, b'FIRST \\xff\\n' + b'x' * 300_000)\n" + FAILING
    task = {"entrypoint": "a.b/c", "params": {"beta": 0.1, "n": 2**60}, "seed": 2**64 - 1, "env": {"NAME": "v"}}
    failed = run(wire_bundle(tmp_path, source), cache, task)
    log = (kept(failed) / "stderr.log").read_text(encoding="utf-8")
    assert log.startswith("FIRST \ufffd\n" + "x" * 300_000)
    assert log.endswith(f"ValueError: a.b/c {task['params']} {2**64 - 1}\n")
    repro = kept(failed) / "repro.json"
    document = json.loads(repro.read_text(encoding="utf-8"))
    assert document["request"]["task"] == task
    assert document["error"] == failed.error
    assert f"To run it again: {document['command']}\n".encode() in failed.stderr
    assert {path.stat().st_mode & 0o777 for path in kept(failed).iterdir()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (kept(failed), kept(failed).parent)} == {0o700}
    again = replayed(repro, cache)
    same = ("code", "error_code", "phase", "type", "message")
    assert [again.error[key] for key in same] == [failed.error[key] for key in same]


def test_a_replay_of_a_mended_bundle_gives_the_result(tmp_path: Path, cache: Path) -> None:
    """That is what a reproduction is for; --bundle-path says where the bundle is now."""
    failed = run(wire_bundle(tmp_path, FAILING), cache)
    mended = tmp_path / "mended"
    mended.mkdir()
    (mended / "wire.py").write_text("def wire(e, p, s): return {'r': f'{e} {s}'.encode()}\n", encoding="utf-8")
    again = replayed(kept(failed) / "repro.json", cache, "--bundle-path", str(mended))
    assert base64.b64decode(str(again.outputs["r"]["inline"])) == b"main 7"
    (tmp_path / "bundle" / "wire.py").unlink()
    (tmp_path / "bundle").rmdir()
    gone = replayed(kept(failed) / "repro.json", cache)
    assert gone.error["error_code"] == "E_USAGE"
    assert "--bundle-path" in str(gone.error["message"])


def test_an_aggregation_is_replayed_with_its_data(tmp_path: Path, cache: Path) -> None:
    """The replicates are in the file, not beside it."""
    bundle = wire_bundle(tmp_path, "", targets="def f(r):\n    raise KeyError(r[0]['outputs']['x']['inline'])\n")
    returns = [{"outputs": {"x": {"inline": base64.b64encode(b"abc").decode()}}}]
    failed = aggregate(bundle, cache, "targets:f", returns)
    assert failed.error["message"] == repr(b"abc")
    assert replayed(kept(failed) / "repro.json", cache).error["message"] == repr(b"abc")


def test_large_replicates_are_in_the_file_too(tmp_path: Path, cache: Path) -> None:
    """They were never in the memory of the runner, and must be where they are looked for."""
    source = (
        "import hashlib\ndef f(r):\n    raise KeyError(hashlib.sha256(r[0]['outputs']['x']['inline']).hexdigest())\n"
    )
    bundle = wire_bundle(tmp_path, "", targets=source)
    data = bytes(range(256)) * 10_000
    returns = [{"outputs": {"x": {"inline": base64.b64encode(data).decode()}}}]
    failed = aggregate(bundle, cache, "targets:f", returns)
    assert failed.error["message"] == repr(hashlib.sha256(data).hexdigest())
    repro = kept(failed) / "repro.json"
    assert json.loads(repro.read_text(encoding="utf-8"))["request"]["task"]["sim_returns"] == returns
    assert replayed(repro, cache).error["message"] == failed.error["message"]


def test_values_that_look_secret_are_in_no_file_and_come_from_the_environment_again(
    tmp_path: Path, cache: Path
) -> None:
    """A cache is copied about, and attached to bug reports."""
    source = "import os\ndef wire(e, p, s):\n    raise ValueError(len(os.environ['MY_TOKEN']))\n"
    task = {**SIMULATION, "env": {"MY_TOKEN": "CANARY-5f0c", "PLAIN": "1"}}
    failed = run(wire_bundle(tmp_path, source), cache, task, env={"GITHUB_TOKEN": "CANARY-77aa"})
    assert failed.error["message"] == "11"
    files = [path.read_bytes() for path in kept(failed).iterdir()]
    assert not any(b"CANARY" in data for data in files)
    repro = kept(failed) / "repro.json"
    assert json.loads(repro.read_text(encoding="utf-8"))["variables_left_out"] == ["MY_TOKEN"]
    assert replayed(repro, cache, MY_TOKEN="four").error["message"] == "4"  # noqa: S106 - of the length asked for
    assert replayed(repro, cache).error["message"] == "'MY_TOKEN'"


def test_a_log_is_capped_and_only_so_many_failures_are_kept(tmp_path: Path) -> None:
    """Thousands of tasks that fail alike must not fill a disk."""
    own = tmp_path / "own"
    for number in range(120):
        older = own / "failures" / f"20200101T000000Z-{number:016x}"
        older.mkdir(parents=True)
        (older / "stderr.log").write_text("x", encoding="utf-8")
    source = "import os\nfor _ in range(40):\n    os.write(2, b'x' * 2**20)\n" + FAILING
    failed = run(wire_bundle(tmp_path, source), own)
    assert MAX_LOG_BYTES < (kept(failed) / "stderr.log").stat().st_size < MAX_LOG_BYTES + 1000
    left = sorted(path.name for path in (own / "failures").iterdir())
    assert len(left) == 100
    assert left[0].endswith(f"{21:016x}")
    assert left[-1] == kept(failed).name


@pytest.mark.parametrize("form", [MODULE, (sys.executable, str(Path(bundlekit.cold_runner.__file__).parent))], ids=len)
def test_a_place_that_cannot_be_written_takes_the_files_and_not_the_answer(
    tmp_path: Path, form: tuple[str, ...]
) -> None:
    """The failure itself is what the caller must learn."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "failures").write_text("no directory", encoding="utf-8")
    failed = run(wire_bundle(tmp_path, FAILING), own, runner=form)
    assert failed.error["error_code"] == "E_WIRE_RAISED"
    assert failed.error["log_path"] is None
    assert b"Warning: the log and the reproduction of this failure cannot be kept" in failed.stderr


UNUSABLE = {
    "absent": None,
    "no JSON": "nothing",
    "another document": '{"schema": "bundlekit/repro/1"}',
    "another schema": '{"schema": "bundlekit/repro/9", "request": {}}',
    "a request of another version": '{"schema": "bundlekit/repro/1", "request": {"verb": "fly"}}',
}


@pytest.mark.parametrize("text", UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_is_no_reproduction_is_refused(tmp_path: Path, cache: Path, text: str | None) -> None:
    """Whatever it is, nothing of it runs."""
    file = tmp_path / "repro.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [*MODULE, "--replay", str(file)], capture_output=True, check=False, timeout=60, env=runner_environment(cache)
    )
    assert Ran(done.returncode, done.stdout, done.stderr, 0.0).error["error_code"] == "E_USAGE"


def test_the_last_exception_is_in_the_result_whatever_came_after_it(tmp_path: Path, cache: Path) -> None:
    """Noise at exit, or from a process that still runs, pushes it out of any tail."""
    source = """
        import atexit, os
        atexit.register(lambda: os.write(2, b"noise\\n" * 100_000))
        def wire(e, p, s):
            if p:
                os.closerange(1, 3)
            raise ValueError("the reason")
    """
    bundle = wire_bundle(tmp_path, source)
    for params in ({}, {"closes": True}):
        tail = str(run(bundle, cache, {**SIMULATION, "params": params}).error["stderr_tail"])
        assert tail.endswith("ValueError: the reason\n")
        assert "wire.py" in tail
        assert "<bundlekit" not in tail
        assert "cold_runner" not in tail
        assert len(tail) < 14_000


def test_a_success_leaves_nothing(tmp_path: Path) -> None:
    """Neither log nor directory: most tasks succeed."""
    own = tmp_path / "own"
    assert run(wire_bundle(tmp_path, "print('x' * 10**6)\ndef wire(e, p, s): return {'r': b'x'}\n"), own).outputs
    assert not (own / "failures").exists()
