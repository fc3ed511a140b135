"""Imports against a lock and an environment that the real uv made, from an index on loopback."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv
from builders.bundles import GOOD_WIRE, make_bundle, pyproject
from builders.environments import make_wheel
from builders.package_index import served_index

from bundlekit.check.engine import check
from bundlekit.read.project import read_project

pytestmark = pytest.mark.process

_CODES = {"BK505", "BK508", "BK513", "BK514"}


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An index with a distribution that needs another; it is the only one, and nothing of it is remembered."""
    simple = tmp_path / "index" / "simple"
    make_wheel(simple / "inner", "inner")
    make_wheel(simple / "outer", "outer", requires=["inner>=1"])
    make_wheel(simple / "other", "other")
    with served_index(tmp_path / "index") as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield


def _uv(*arguments: object, cwd: Path) -> None:
    command = [uv.find_uv_bin(), *map(str, arguments), "--python", sys.executable, "--quiet"]
    subprocess.run(command, cwd=cwd, check=True)


def _bundle(root: Path, *declared: str, imports: str = "outer") -> Path:
    text = pyproject(project=f'requires-python = ">=3.11"\ndependencies = {list(declared)!r}')
    make_bundle(root, {"pyproject.toml": text, "model/wire.py": f"import {imports}\n{GOOD_WIRE}"})
    return root


def _found(root: Path, python: Path | None = None) -> list[tuple[str, str, str | None]]:
    found = check(read_project(root, python=str(python) if python else None))
    return [(one.code, one.severity.value, one.entity) for one in found if one.code in _CODES]


def test_a_lock_of_uv_tells_what_is_declared_and_what_comes_along(tmp_path: Path) -> None:
    """What uv writes today is read, and the closure that it lists is known."""
    root = _bundle(tmp_path / "bundle", "outer>=1.0")
    _uv("lock", cwd=root)
    assert _found(root) == []
    _bundle(root, "outer>=1.0", imports="outer, inner, other, starsim")
    # What brings starsim is generally known; who knows what `outer` and `inner` are imported as?
    assert _found(root) == [
        ("BK505", "warning", "other"),
        ("BK505", "error", "starsim"),
        ("BK508", "info", "inner"),
    ]


def test_a_lock_of_uv_is_stale_once_more_is_declared(tmp_path: Path) -> None:
    """The runner installs from the lock, so the new requirement would be missing there (HOSTILE_CORPUS P14)."""
    root = _bundle(tmp_path / "bundle", "outer")
    _uv("lock", cwd=root)
    before = (root / "uv.lock").read_bytes()
    assert _found(_bundle(root, "outer", "other", imports="outer, other")) == [("BK514", "error", "other")]
    _uv("lock", cwd=root)
    assert (root / "uv.lock").read_bytes() != before
    assert _found(root) == []


def test_an_environment_of_uv_tells_what_certainly_fails(tmp_path: Path) -> None:
    """It holds more than the bundle declares, as a scientist's own does: that is where it works by chance."""
    _uv("venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", str(python), "outer", "other"]
    subprocess.run(command, check=True)
    root = _bundle(tmp_path / "bundle", "outer", imports="outer, inner, other, starsim")
    assert _found(root, python) == [
        ("BK505", "error", "other"),
        ("BK505", "error", "starsim"),
        ("BK508", "info", "inner"),
    ]
