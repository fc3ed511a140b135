"""`bundlekit cache ls|verify|gc` as a person types them, on a cache that real runs have filled."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from builders.cold_runs import run, wire_bundle
from builders.environments import local_index, make_wheel

pytestmark = pytest.mark.process

_WIRE = "import tiny_dependency\ndef wire(e, p, s):\n    return {'raw': str(tiny_dependency.VALUE).encode()}\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache; packages come from a folder of this test's own."""
    local_index(monkeypatch, make_wheel(tmp_path / "wheels", "tiny_dependency").parent)
    monkeypatch.setenv("VENVS_DIR", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path / "cache"


def _cache(tmp_path: Path, *arguments: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "bundlekit", "cache", *arguments]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", cwd=tmp_path / "here", check=False, timeout=60, env=os.environ
    )
    return done.returncode, done.stdout, done.stderr


def _document(tmp_path: Path, *arguments: str) -> Mapping[str, list[dict[str, object]]]:
    status, stdout, stderr = _cache(tmp_path, *arguments, "--output", "json")
    assert (status in {0, 3}, stderr) == (True, "")
    document: Mapping[str, list[dict[str, object]]] = json.loads(stdout)
    return document


def test_a_task_is_repaired_after_an_edit_inside_its_environment(tmp_path: Path, cache: Path) -> None:
    """From the wrong result, by verify, to the right one (HOSTILE_CORPUS V16)."""
    bundle = wire_bundle(tmp_path, _WIRE)
    (bundle / "requirements.txt").write_text("tiny-dependency\n")
    assert run(bundle, cache).outputs["raw"]["inline"] == "MQ=="
    assert _cache(tmp_path, "verify")[0] == 0
    [module] = cache.glob("environments/*/lib/*/site-packages/tiny_dependency.py")
    module.write_text("VALUE = 2\n")
    [wheel] = (tmp_path / "wheels").iterdir()
    status, stdout, _ = _cache(tmp_path, "verify")
    assert status == 3
    assert f"damaged {module.parents[3]}\n  edited lib/{module.parents[1].name}/site-packages/tiny_dependency" in stdout
    document = _document(tmp_path, "verify", "--remove")
    assert document["sound"] is False
    assert [each["removed"] for each in document["entries"] if each["verdict"] == "damaged"] == [True]
    wheel.touch()
    again = run(bundle, cache)
    assert again.outputs["raw"]["inline"] == "MQ=="
    assert _cache(tmp_path, "verify")[0] == 0


def test_a_cache_is_listed_and_cleared(tmp_path: Path, cache: Path) -> None:
    """Both kinds of entries, by age, after a trial that changes nothing; the next task builds again."""
    bundle = wire_bundle(tmp_path, _WIRE)
    (bundle / "requirements.txt").write_text("tiny-dependency\n")
    assert run(bundle, cache).status == 0
    listed = _document(tmp_path, "ls")
    assert [(each["kind"], each["complete"], each["in_use"]) for each in listed["entries"]] == [
        ("environment", True, False),
        ("code", True, False),
    ]
    assert str(listed["entries"][0]["installer"]).startswith(("uv ", "pip "))
    assert "2 entries" in _cache(tmp_path, "ls")[1]
    trial = _document(tmp_path, "gc", "--older-than", "0s", "--dry-run")
    assert [each["kind"] for each in trial["removed"] if each["kind"]] == ["code", "environment"]
    assert _document(tmp_path, "gc", "--older-than", "30d", "--max-size", "1GiB")["removed"] == []
    assert run(bundle, cache).status == 0
    assert len(_document(tmp_path, "gc", "--max-size", "0B")["removed"]) == 2
    assert _document(tmp_path, "ls")["entries"] == []
    assert not [path for path in cache.rglob("*.lock") if path.is_file()]
    assert run(bundle, cache).status == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["gc", "--older-than", "soon"], "--older-than 'soon': expected a number and its unit", id="age"),
        pytest.param(["gc", "--older-than", "30"], "such as 30d, 12h or 90m", id="age-without-unit"),
        pytest.param(["gc", "--max-size", "-1"], "such as 5GB or 500MiB", id="size"),
        pytest.param(["rm"], "No such command 'rm'", id="unknown"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, cache: Path, arguments: list[str], sentence: str) -> None:
    """A unit is asked for: 30 what?"""
    status, stdout, stderr = _cache(tmp_path, *arguments)
    assert (status, stdout) == (2, "")
    assert sentence in stderr
    assert not cache.exists()
