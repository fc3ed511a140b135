"""The cache of environments and code under creators that race, die, and meet damage (HOSTILE_CORPUS H)."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders import environments
from builders.environments import BACKEND, Kitchen, local_index, make_wheel, own_backend_project, write_bundle
from builders.privileges import without_privileges
from uv import find_uv_bin

from bundlekit.cold_runner.environments.cache_entry import MARKER
from bundlekit.cold_runner.environments.interpreter import probe_interpreter
from bundlekit.cold_runner.environments.venv_layout import lay_out_venv, python_of
from bundlekit.cold_runner.runner_error import RunnerError

pytestmark = pytest.mark.process

_COUNTING = "import os, time\nopen(os.environ['COUNTER'], 'a').write('x')\ntime.sleep(0.3)\n" + BACKEND


@pytest.fixture
def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kitchen:
    """Return a clean cache; packages come from a folder of this test's own, builds are counted in ``counter``."""
    wheels = make_wheel(tmp_path / "wheels", "tiny_dependency").parent
    local_index(monkeypatch, wheels)
    monkeypatch.setenv("COUNTER", str(tmp_path / "counter"))
    monkeypatch.setenv("BUNDLEKIT_UV", find_uv_bin())
    return Kitchen(tmp_path / "cache")


def _bundle(root: Path, answer: str = "1", backend: str = BACKEND) -> Path:
    return write_bundle(
        root,
        {
            "pyproject.toml": own_backend_project("tiny-dependency"),
            "backend/own.py": backend,
            "mine/__init__.py": "",
            "mine/wire.py": f"import tiny_dependency\ndef wire(e, p, s):\n    return {answer!r}\n",
        },
    )


def _creator(kitchen: Kitchen, bundle: Path, *, unprivileged: bool = False) -> subprocess.Popen[str]:
    script = environments.__file__
    assert script is not None
    command = [sys.executable, script, str(bundle), str(kitchen.cache), "60"]
    return subprocess.Popen(
        without_privileges(command) if unprivileged else command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _answer(kitchen: Kitchen, bundle: Path) -> str:
    with kitchen.prepared(bundle, pass_env=("COUNTER",)) as ready:
        return kitchen.evaluate(ready, "wire('', {}, 1)", "from mine.wire import wire")


def test_eight_creators_on_an_empty_cache_give_one_build(tmp_path: Path, kitchen: Kitchen) -> None:
    """Today's cold runner: six of eight succeed (DEFECTS 39)."""
    bundle = _bundle(tmp_path / "bundle", backend=_COUNTING)
    creators = [_creator(kitchen, bundle) for _ in range(8)]
    outputs = [creator.communicate(timeout=60) for creator in creators]
    assert [creator.returncode for creator in creators] == [0] * 8, outputs
    answers = [json.loads(output) for output, _ in outputs]
    assert [sorted(reused for reused, _, _ in answers), sorted(code for _, code, _ in answers)] == [
        [False] + [True] * 7
    ] * 2
    assert len({python for _, _, python in answers}) == 1
    assert (tmp_path / "counter").read_text() == "x"


def test_whoever_waits_to_build_goes_on_once_another_has_built(tmp_path: Path, kitchen: Kitchen) -> None:
    """The builder may hold its entry for hours; those behind it must not wait for its end."""
    bundle = _bundle(tmp_path / "bundle", backend=_COUNTING)
    creators = [_creator(kitchen, bundle) for _ in range(6)]
    try:
        # Every creator holds its entry until its stdin ends, which is after the last of them has answered.
        answers = [json.loads(creator.stdout.readline()) for creator in creators if creator.stdout]
        assert [code for _, code, _ in answers].count(False) == 1
    finally:
        outputs = [creator.communicate(timeout=60) for creator in creators]
    assert [creator.returncode for creator in creators] == [0] * 6, outputs


def test_a_creator_killed_in_the_middle_does_no_harm(tmp_path: Path, kitchen: Kitchen) -> None:
    """Its orphans keep the lock until they are done, and the next one builds from nothing (HOSTILE_CORPUS V02)."""
    bundle = _bundle(tmp_path / "bundle", backend=_COUNTING)
    pauses = random.Random(7)  # noqa: S311 - the same pauses in every run
    for _ in range(8):
        creator = _creator(kitchen, bundle)
        time.sleep(pauses.uniform(0.05, 0.6))
        creator.send_signal(signal.SIGKILL)
        creator.communicate(timeout=30)
    assert _answer(kitchen, bundle) == "1"
    assert [str(path) for path in kitchen.cache.rglob("building")] == []


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="not-json"),
        pytest.param(b'{"schema": "bundlekit/environment/1"}', id="other-key"),
        pytest.param(None, id="gone"),
    ],
)
@pytest.mark.parametrize("kind", ["environments", "code"])
def test_an_entry_with_a_damaged_marker_is_built_again(
    tmp_path: Path, kitchen: Kitchen, kind: str, damage: bytes | None
) -> None:
    """A marker that does not hold the full key counts as none (HOSTILE_CORPUS V01, V13)."""
    bundle = _bundle(tmp_path / "bundle")
    assert _answer(kitchen, bundle) == "1"
    for marker in (kitchen.cache / kind).rglob(MARKER):
        if damage is None:
            marker.unlink()
        else:
            marker.write_bytes(damage)
        (marker.parent / "debris").write_text("left over")
    with kitchen.prepared(bundle) as ready:
        assert (ready.environment_reused, ready.code_reused) == (kind != "environments", kind != "code")
        entry = Path(ready.dependency_site).parents[2] if kind == "environments" else Path(ready.tree).parent
        assert not (entry / "debris").exists()
    assert _answer(kitchen, bundle) == "1"


def test_an_entry_whose_interpreter_is_gone_is_built_again(tmp_path: Path, kitchen: Kitchen) -> None:
    """A link to nothing is found before a task fails on it."""
    bundle = _bundle(tmp_path / "bundle")
    assert _answer(kitchen, bundle) == "1"
    for link in kitchen.cache.glob("*/**/bin/python"):
        link.unlink()
        link.symlink_to("/nonexistent/python")
    assert _answer(kitchen, bundle) == "1"


def test_an_empty_directory_in_the_place_of_an_entry_is_replaced(tmp_path: Path, kitchen: Kitchen) -> None:
    """What a crash leaves behind (DEFECTS 39)."""
    bundle = _bundle(tmp_path / "bundle")
    with kitchen.prepared(bundle) as ready:
        directory = Path(ready.tree).parent
    shutil.rmtree(directory)
    directory.mkdir()
    assert _answer(kitchen, bundle) == "1"


def test_bundles_with_equal_pyproject_share_the_environment_and_never_code(tmp_path: Path, kitchen: Kitchen) -> None:
    """DEFECTS 1, HOSTILE_CORPUS M14: A's task, still running, returned B's value."""
    one, other = _bundle(tmp_path / "one", "one"), _bundle(tmp_path / "other", "other")
    with kitchen.prepared(one) as first, kitchen.prepared(other) as second:
        assert kitchen.evaluate(first, "wire('', {}, 1)", "from mine.wire import wire") == "one"
        assert kitchen.evaluate(second, "wire('', {}, 1)", "from mine.wire import wire") == "other"
        assert first.environment_key == second.environment_key
        assert second.environment_reused
        assert first.dependency_site == second.dependency_site
        assert first.site != second.site
        assert not list(Path(first.dependency_site).glob("mine*"))
        for ready in (first, second):
            assert ready.digest.removeprefix("sha256:") in Path(ready.site).parts


def test_a_digest_that_is_claimed_for_other_files_does_not_give_old_code(tmp_path: Path, kitchen: Kitchen) -> None:
    """The digest is the caller's word; what was read is what runs."""
    claimed = "sha256:" + "0" * 64
    one, other = _bundle(tmp_path / "one", "one"), _bundle(tmp_path / "other", "other")
    for bundle, answer in ((one, "one"), (other, "other"), (one, "one")):
        with kitchen.prepared(bundle, digest=claimed) as ready:
            assert kitchen.evaluate(ready, "wire('', {}, 1)", "from mine.wire import wire") == answer


def test_a_fresh_run_leaves_nothing_and_sweeps_what_the_dead_left(tmp_path: Path, kitchen: Kitchen) -> None:
    """Throw-away environments of killed runs must not fill the disk (DEFECTS 36)."""
    bundle = _bundle(tmp_path / "bundle")
    dead = kitchen.cache / "fresh" / "dead"
    (dead / "code").mkdir(parents=True)
    dead.with_name("dead.lock").touch()
    with kitchen.prepared(bundle, fresh=True) as ready:
        assert Path(ready.python).is_relative_to(kitchen.cache / "fresh")
        with kitchen.prepared(bundle, fresh=True) as at_once:
            assert at_once.python != ready.python
            assert not at_once.environment_reused
        assert kitchen.evaluate(ready, "wire('', {}, 1)", "from mine.wire import wire") == "1"
    assert list((kitchen.cache / "fresh").iterdir()) == []


def test_a_preserved_run_stays_and_is_named_on_the_log(tmp_path: Path, kitchen: Kitchen) -> None:
    """PRESERVE_TMP is for looking at it afterwards, so the next run must not sweep it."""
    bundle = _bundle(tmp_path / "bundle")
    with kitchen.prepared(bundle, fresh=True, preserve=True) as ready:
        python = Path(ready.python)
    with kitchen.prepared(bundle, fresh=True):
        assert python.exists()
    assert any(str(python).startswith(line.rpartition(" ")[2]) for line in kitchen.said if "kept" in line)


def test_an_entry_in_use_is_not_rebuilt_under_its_user(tmp_path: Path, kitchen: Kitchen) -> None:
    """A rebuild waits for the tasks that run from it, up to its own deadline."""
    bundle = _bundle(tmp_path / "bundle")
    with kitchen.prepared(bundle) as ready:
        marker = Path(ready.tree).parent / MARKER
        content = marker.read_bytes()
        marker.write_bytes(b"")
        with pytest.raises(RunnerError, match="did not release") as failure:
            kitchen.prepared(bundle, seconds=0.3).__enter__()
        assert (failure.value.code, failure.value.retryable) == ("E_TIMEOUT", True)
        assert Path(ready.tree, "mine/wire.py").exists()
        marker.write_bytes(content)


def test_a_read_only_cache_serves_what_is_ready_and_says_so_otherwise(tmp_path: Path, kitchen: Kitchen) -> None:
    """HOSTILE_CORPUS V09 and V10."""
    ready, absent = _bundle(tmp_path / "ready"), _bundle(tmp_path / "absent", "2")
    assert _answer(kitchen, ready) == "1"
    folders = [path for path in [kitchen.cache, *kitchen.cache.rglob("*")] if path.is_dir() and not path.is_symlink()]
    for folder in folders:
        folder.chmod(0o500)
    try:
        served, refused = (_creator(kitchen, bundle, unprivileged=True) for bundle in (ready, absent))
        assert json.loads(served.communicate(timeout=60)[0])[:2] == [True, True]
        _, stderr = refused.communicate(timeout=60)
        assert refused.returncode == 1
        assert "RunnerError: the cache cannot be used" in stderr
        assert "Permission denied; make it writable or set VENVS_DIR" in stderr
    finally:
        for folder in folders:
            folder.chmod(0o700)


@pytest.mark.parametrize("name", ["with space", "ünïcode", "per%cent", "sha256-x"])
def test_a_cache_of_any_ordinary_name_works(tmp_path: Path, kitchen: Kitchen, name: str) -> None:
    """Home directories have spaces and accents (HOSTILE_CORPUS V15)."""
    kitchen.cache = tmp_path / name
    assert _answer(kitchen, _bundle(tmp_path / "bundle")) == "1"


@pytest.mark.parametrize("name", ["a:b", "a\nb"])
def test_a_cache_that_no_path_variable_can_name_is_refused_early(tmp_path: Path, kitchen: Kitchen, name: str) -> None:
    """It would fail later, in the middle of something."""
    kitchen.cache = tmp_path / name
    with pytest.raises(RunnerError, match="without colons and line breaks") as failure:
        kitchen.prepared(_bundle(tmp_path / "bundle")).__enter__()
    assert failure.value.code == "E_CACHE"
    assert not kitchen.cache.exists()


def test_an_environment_laid_out_by_hand_is_accepted_by_python_uv_and_pip(tmp_path: Path, kitchen: Kitchen) -> None:
    """It takes 1 ms where the standard library's takes 2 s; all three must take it for a real one."""
    venv = tmp_path / "venv"
    interpreter = probe_interpreter(sys.executable, str(kitchen.cache))
    lay_out_venv(str(venv), interpreter)
    python = python_of(str(venv))
    commands = [
        [python, "-c", "import sys; assert sys.prefix != sys.base_prefix; print(sys.prefix)"],
        [interpreter.executable, "-m", "pip", "--python", python, "install", "tiny-dependency"],
    ]
    commands.append([find_uv_bin(), "pip", "install", "--python", python, "--reinstall", "tiny-dependency"])
    for command in [*commands, [python, "-c", "import tiny_dependency"]]:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert list(venv.glob("lib/python3.*/site-packages/tiny_dependency.py"))
