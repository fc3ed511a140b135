"""Installers that fail, are absent or are none, and packages that tell what they see (HOSTILE_CORPUS V22 to V24).

Of V23 an interpreter without pip cannot be had here. A package that writes outside its environment while it is built
(V24) is for the sandbox to hold.
"""

import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from builders.environments import Kitchen, local_index, make_wheel, own_bundle, write_bundle
from uv import find_uv_bin

from bundlekit.cold_runner.runner_error import RunnerError

pytestmark = pytest.mark.process


@pytest.fixture
def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kitchen:
    """Return a clean cache; packages come from a folder of this test's own."""
    wheels = make_wheel(tmp_path / "wheels", "tiny_dependency").parent
    local_index(monkeypatch, wheels)
    monkeypatch.setenv("BUNDLEKIT_UV", find_uv_bin())
    return Kitchen(tmp_path / "cache")


def _failure(kitchen: Kitchen, bundle: Path) -> RunnerError:
    with pytest.raises(RunnerError) as failure, kitchen.prepared(bundle):
        pass
    assert failure.value.code == "E_VENV"
    return failure.value


def test_v22_a_wheel_for_another_platform_is_no_matter_of_the_network(tmp_path: Path, kitchen: Kitchen) -> None:
    """Trying again cannot help."""
    wheel = make_wheel(tmp_path / "wheels", "elsewhere")
    wheel.rename(wheel.with_name("elsewhere-1.0-cp311-cp311-win_amd64.whl"))
    error = _failure(kitchen, write_bundle(tmp_path / "bundle", own_bundle("elsewhere")))
    assert not error.retryable
    assert "elsewhere" in error.message
    assert "platform" in error.stderr_tail


def test_v22_an_index_that_cannot_be_reached_is(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trying again may."""
    for name in ("UV_NO_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:CANARY-9@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    error = _failure(kitchen, write_bundle(tmp_path / "bundle", own_bundle("anything")))
    assert error.retryable
    assert "The package index cannot be reached" in error.message
    assert "CANARY" not in json.dumps(error.document()) + "".join(kitchen.said)


def _fake_uv(folder: Path, script: str) -> str:
    path = folder / "uv-of-mine"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        pytest.param("exit 139", "--version ended with status 139", id="crashes"),
        pytest.param("kill -SEGV $$", "--version ended with status -11", id="segmentation-fault"),
        pytest.param("echo uv 0.4.30 '(abc 2024-11-04)'", "is uv 0.4.30, which is too old: expected 0.5", id="too-old"),
        pytest.param("echo hello", "did not answer as uv does", id="not-uv"),
        pytest.param("printf 'uv \\377\\376'", "is uv", id="no-version"),
    ],
)
def test_v23_a_uv_that_is_broken_or_too_old_is_passed_over_for_pip_and_that_is_said(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    """Slower, and right; the log says which and why."""
    monkeypatch.setenv("BUNDLEKIT_UV", _fake_uv(tmp_path, script))
    with kitchen.prepared(write_bundle(tmp_path / "bundle", own_bundle("tiny-dependency"))) as ready:
        assert ready.installer.startswith("pip ")
        assert kitchen.evaluate(ready, "tiny_dependency.VALUE", "import tiny_dependency") == "1"
    assert [line for line in kitchen.said if line.startswith("Using pip: ") and why in line]


def test_v23_a_uv_that_breaks_while_it_installs_fails_the_environment(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With pip after uv, nobody could say what is installed."""
    script = 'case "$1" in --version) echo uv 0.9.1;; *) echo half done; kill -SEGV $$;; esac'
    monkeypatch.setenv("BUNDLEKIT_UV", _fake_uv(tmp_path, script))
    error = _failure(kitchen, write_bundle(tmp_path / "bundle", own_bundle("tiny-dependency")))
    assert "installing the dependencies with uv 0.9.1 was killed by signal 11" in error.message
    assert "half done" in error.message
    assert list((kitchen.cache / "environments").iterdir()) == []


_TELLS = """
import os, sys
print(dict(os.environ))
print({name: value.split("@")[0] for name, value in os.environ.items()}, file=sys.stderr)
raise SystemExit(3)
"""


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_v24_a_package_that_prints_all_it_sees_while_it_is_built_shows_no_credential(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    """It runs beside the installer, so it meets the index's password; what it says reaches no result and no log."""
    if installer == "pip":
        monkeypatch.setenv("BUNDLEKIT_UV", _fake_uv(tmp_path, "exit 1"))
    files = {
        "telling-1/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "telling-1/backend.py": _TELLS,
        "telling-1/PKG-INFO": "Metadata-Version: 2.1\nName: telling\nVersion: 1\n",
    }
    with tarfile.open(tmp_path / "wheels" / "telling-1.tar.gz", "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    for name in ("UV_INDEX_CORP_PASSWORD", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PIP_SECRET_OF_MINE"):
        monkeypatch.setenv(name, f"CANARY-{name}")
    for name in ("REPOSITORY_OF_MINE", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "https://user:CANARY%2Fpassword@index.invalid/simple https://CANARYTOKEN@b.invalid/")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    error = _failure(kitchen, write_bundle(tmp_path / "bundle", own_bundle("telling")))
    assert "telling" in error.message
    assert "***" in error.stderr_tail
    assert "CANARY" not in json.dumps(error.document()) + "".join(kitchen.said)
    assert os.environ["UV_INDEX_CORP_PASSWORD"].startswith("CANARY")
