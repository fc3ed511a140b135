"""What each failure of an environment or a build says, and what it leaves alone."""

import io
import json
import os
import tarfile
import time
from pathlib import Path

import pytest
from builders.environments import BACKEND, Kitchen, local_index, own_bundle, without_uv, write_bundle
from uv import find_uv_bin

from bundlekit.cold_runner.environments.tree_digest import inventory
from bundlekit.cold_runner.runner_error import RunnerError

pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def _uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUNDLEKIT_UV", find_uv_bin())


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    """Return a clean cache."""
    return Kitchen(tmp_path / "cache")


def test_a_missing_dependency_is_named(tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commonest failure on the cluster today, as a KeyError an hour later."""
    (tmp_path / "wheels").mkdir()
    local_index(monkeypatch, tmp_path / "wheels")
    bundle = write_bundle(tmp_path / "bundle", own_bundle("no-such-thing-here>=3"))
    with pytest.raises(RunnerError, match="no-such-thing-here") as failure, kitchen.prepared(bundle):
        pass
    error = failure.value
    assert (error.code, error.phase, error.type_name, error.retryable) == (
        "E_VENV",
        "environment",
        "InstallError",
        False,
    )
    assert "no-such-thing-here" in error.stderr_tail
    assert list((kitchen.cache / "environments").iterdir()) == []


def test_an_unreachable_index_is_told_from_a_wrong_requirement_and_shows_no_password(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Infrastructure may be tried again; credentials of the index stay out of every log (HOSTILE_CORPUS V22, X04)."""
    without_uv(monkeypatch)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://me:CANARY-77@127.0.0.1:9/simple")
    bundle = write_bundle(tmp_path / "bundle", own_bundle("anything"))
    with pytest.raises(RunnerError, match="The package index cannot be reached") as failure, kitchen.prepared(bundle):
        pass
    assert failure.value.retryable
    assert "CANARY-77" not in json.dumps(failure.value.document()) + "".join(kitchen.said)


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        pytest.param("raise RuntimeError('compiler missing')\n", "RuntimeError: compiler missing", id="import-fails"),
        pytest.param("def build_wheel(d, c=None, m=None):\n    1 / 0\n", "ZeroDivisionError", id="hook-raises"),
        pytest.param("def build_wheel(d, c=None, m=None):\n    raise SystemExit(3)\n", "SystemExit: 3", id="exits"),
        pytest.param("import os\ndef build_wheel(d, c=None, m=None):\n    os._exit(9)\n", "status 9", id="dies"),
        pytest.param("import os\ndef build_wheel(d, c=None, m=None):\n    os.abort()\n", "signal 6", id="aborts"),
        pytest.param("", "has no hook build_wheel", id="no-hook"),
        pytest.param("def build_wheel(d, c=None, m=None):\n    return '../x.whl'\n", "which is not there", id="lies"),
        pytest.param(
            "def build_wheel(d, c=None, m=None):\n    open(d + '/x-1-py3-none-any.whl', 'w').close()\n"
            "    return 'x-1-py3-none-any.whl'\n",
            "cannot be installed",
            id="no-wheel",
        ),
    ],
)
def test_a_failing_build_is_a_build_error_with_its_last_words(
    tmp_path: Path, kitchen: Kitchen, backend: str, words: str
) -> None:
    """The checker tells it from a missing dependency by its type."""
    noisy = "import sys\nprint('out-of-the-backend')\n" + backend
    bundle = write_bundle(tmp_path / "bundle", own_bundle(backend=noisy))
    with pytest.raises(RunnerError) as failure, kitchen.prepared(bundle):
        pass
    error = failure.value
    assert (error.code, error.phase, error.type_name) == ("E_VENV", "environment", "BuildError")
    assert words in error.message
    assert not list((kitchen.cache / "code").glob("*/*"))


_CURIOUS = (
    "import json, os, pathlib\n"
    "for path in ['pyproject.toml', 'mine/wire.py', 'new.txt', 'build/lib/x']:\n"
    "    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)\n"
    "    pathlib.Path(path).open('a').write('\\n')\n"
    "pathlib.Path(os.environ['WITNESS']).write_text(json.dumps(dict(os.environ)))\n"
)


def test_a_build_sees_no_secrets_and_writes_only_into_its_copy(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Today's runners leave build/ and *.egg-info in the bundle (HOSTILE_CORPUS P15, DEFECTS 23 and 27)."""
    for name in ("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PIP_INDEX_URL_OF_MINE"):
        monkeypatch.setenv(name, "CANARY-31")
    witness = tmp_path / "witness.json"
    monkeypatch.setenv("WITNESS", str(witness))
    bundle = write_bundle(tmp_path / "bundle", own_bundle(backend=_CURIOUS + BACKEND))
    before = inventory(str(bundle), kitchen.said.append)
    with kitchen.prepared(bundle, pass_env=("WITNESS",)) as ready:
        assert inventory(ready.tree, kitchen.said.append) == before
        assert not Path(ready.tree, "new.txt").exists()
    assert inventory(str(bundle), kitchen.said.append) == before
    seen = json.loads(witness.read_text())
    assert "CANARY-31" not in seen.values()
    assert seen["HOME"].startswith(str(kitchen.cache))
    assert not Path(seen["HOME"]).exists()


def test_a_build_that_sleeps_is_stopped_with_all_its_children(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the deadline, not when its pipes end."""
    pids = tmp_path / "pids"
    monkeypatch.setenv("PIDS", str(pids))
    sleepy = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(os.environ['PIDS'], 'w').write(f'{os.getpid()} {child.pid}')\ntime.sleep(600)\n"
    )
    bundle = write_bundle(tmp_path / "bundle", own_bundle(backend=sleepy))
    started = time.monotonic()
    with pytest.raises(RunnerError, match="not done by the deadline") as failure:
        kitchen.prepared(bundle, seconds=1.5, pass_env=("PIDS",)).__enter__()
    assert failure.value.code == "E_TIMEOUT"
    assert time.monotonic() - started < 6
    time.sleep(0.2)
    assert [pid for pid in pids.read_text().split() if _alive(pid)] == []


def _alive(pid: str) -> bool:
    try:
        state = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


@pytest.mark.parametrize("digest", ["sha256:../../../x", "sha256:" + "A" * 64, "0" * 64, "sha256:" + "0" * 63, ""])
def test_a_digest_that_is_none_never_becomes_a_path(tmp_path: Path, kitchen: Kitchen, digest: str) -> None:
    """DEFECTS 29: ``sha256:../../../../etc`` was returned as a bundle."""
    with pytest.raises(RunnerError, match="64 lower-case hex digits") as failure:
        kitchen.prepared(write_bundle(tmp_path / "bundle", own_bundle()), digest=digest).__enter__()
    assert failure.value.code == "E_USAGE"
    assert not kitchen.cache.exists()


def test_a_dependency_that_is_built_sees_no_secret_of_the_user(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source distribution runs code of strangers; only the installer's own settings are for it (X01)."""
    seen = tmp_path / "seen.txt"
    files = {
        "leaky-1/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "leaky-1/backend.py": f"import os\n\nopen({str(seen)!r}, 'w').write(repr(os.environ))\nraise SystemExit(3)\n",
        "leaky-1/PKG-INFO": "Metadata-Version: 2.1\nName: leaky\nVersion: 1\n",
    }
    (tmp_path / "wheels").mkdir()
    with tarfile.open(tmp_path / "wheels" / "leaky-1.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    local_index(monkeypatch, tmp_path / "wheels")
    monkeypatch.setenv("GITHUB_TOKEN", "CANARY-github")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY-aws")
    bundle = write_bundle(tmp_path / "bundle", own_bundle("leaky"))
    with pytest.raises(RunnerError, match="leaky"), kitchen.prepared(bundle):
        pass
    assert "CANARY" not in seen.read_text(encoding="utf-8")
