"""What bundle code meets in its process: exact parameters, a scrubbed environment, files of its own."""

import base64
import re
from pathlib import Path

import pytest
from builders.cold_runs import run, wire_bundle

pytestmark = pytest.mark.process


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


def test_logs_name_the_guardian_and_each_child_at_the_start_of_a_line(tmp_path: Path, cache: Path) -> None:
    """The deployment guide greps these lines and takes the fourth word as the pid."""
    source = "import sys\nsys.stderr.write('no newline')\ndef wire(e, p, s): return {'raw': b'ok'}\n"
    result = run(wire_bundle(tmp_path, source), cache)
    text = result.stderr.decode()
    assert re.search(r"^Cold runner started: PID \d+$", text, re.MULTILINE)
    assert re.search(r"^Child process PID \d+: Starting simulation 02a98351-seed7$", text, re.MULTILINE)


def test_parameters_arrive_exactly_and_large_ones_too(tmp_path: Path, cache: Path) -> None:
    """Parameters by repr or argv lose NaN, precision, and everything above 128 KiB."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s):\n    return {'r': repr((e, sorted(p.items()), s)).encode()}")
    params = {"a": 0.1 + 0.2, "b": -0.0, "c": 2**53 + 1, "d": True, "e": 1.0, "z": "\u2028\U0001f600'); x(\\\n\0"}
    entrypoint = "'); import os; os.system('touch canary')#"
    result = run(
        bundle, cache, {"entrypoint": entrypoint, "params": {**params, "long": "x" * 10**6}, "seed": 2**64 - 1}
    )
    said = base64.b64decode(str(result.outputs["r"]["inline"])).decode()
    expected = sorted({**params, "long": "x" * 10**6}.items())
    assert said == repr((entrypoint, expected, 2**64 - 1))
    assert not list(tmp_path.rglob("canary"))


def test_the_child_sees_only_the_scrubbed_environment(tmp_path: Path, cache: Path) -> None:
    """Secrets of the host, and what its Python is set to, are not the bundle's business."""
    source = """
        import os, sys
        def wire(e, p, s):
            flags = (sys.flags.safe_path, sys.flags.no_user_site, sys.flags.dont_write_bytecode, sys.flags.utf8_mode)
            return {"r": repr((dict(os.environ), flags, hash("x"), os.getcwd(), sys.path)).encode()}
    """
    bundle = wire_bundle(tmp_path, source)
    env = {"GITHUB_TOKEN": "CANARY", "PYTHONPATH": "/nowhere", "PYTHONWARNINGS": "error", "LC_ALL": "tr_TR.UTF-8"}
    first, second = (run(bundle, cache, env=env) for _ in range(2))
    said = base64.b64decode(str(first.outputs["r"]["inline"])).decode()
    assert "CANARY" not in said
    assert "/nowhere" not in said
    assert "'PYTHONHASHSEED': '0'" in said
    assert "(True, 1, 1, 1)" in said
    again = base64.b64decode(str(second.outputs["r"]["inline"])).decode()
    assert re.findall(r"\), (-?\d+), ", said) == re.findall(r"\), (-?\d+), ", again)


def test_a_task_cannot_change_the_bundle_for_the_next_one(tmp_path: Path, cache: Path) -> None:
    """Each task gets a throw-away copy, and the user's directory is not even in reach by a relative path."""
    source = """
        import os
        def wire(e, p, s):
            seen = os.path.exists("left.txt")
            open("left.txt", "w").close()
            open("wire.py", "a").write("raise SystemExit")
            return {"r": str(seen).encode()}
    """
    bundle = wire_bundle(tmp_path, source)
    before = {path: path.read_bytes() for path in bundle.rglob("*")}
    for _ in range(2):
        assert run(bundle, cache).outputs["r"]["inline"] == base64.b64encode(b"False").decode()
    assert {path: path.read_bytes() for path in bundle.rglob("*")} == before
