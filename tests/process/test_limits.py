"""The limits of [tool.bundlekit.limits]: what a task may use, with a sandbox and without."""

import base64
import hashlib
from pathlib import Path

import pytest
from builders.cold_runs import SIMULATION, run, wire_bundle

from bundlekit.cold_runner.limits import Limits
from bundlekit.cold_runner.sandbox.choice import choose_sandbox
from bundlekit.executors.cold import BundleToRun, ColdExecutor, ColdOptions
from bundlekit.model.digest import Digest
from bundlekit.model.manifest import ManifestFile
from bundlekit.model.outcome import Failure, Simulated

pytestmark = pytest.mark.process

MEMORY = "def wire(e, p, s):\n    return {'a': bytes(600 << 20)[:1]}\n"
CPU = "def wire(e, p, s):\n    while True:\n        pass\n"
FILE = "def wire(e, p, s):\n    open('x', 'wb').write(bytes(3 << 20))\n    return {'a': b'x'}\n"
DESCRIPTORS = "import os\ndef wire(e, p, s):\n    [os.dup(0) for _ in range(200)]\n    return {'a': b'x'}\n"
CHILD = """
    import subprocess, sys
    def wire(e, p, s):
        code = "import resource as r; print(r.getrlimit(r.RLIMIT_AS), r.getrlimit(r.RLIMIT_NOFILE))"
        return {"a": subprocess.run([sys.executable, "-c", code], capture_output=True).stdout}
"""
LIMITS = {
    "memory": ("memory-mib = 400", MEMORY, ("E_WIRE_RAISED", "MemoryError", None)),
    "cpu": ("cpu-s = 1", CPU, ("E_SIGNAL", None, "SIGXCPU")),
    "file size": ("file-size-mib = 2", FILE, ("E_WIRE_RAISED", "OSError", None)),
    "descriptors": ("open-files = 64", DESCRIPTORS, ("E_WIRE_RAISED", "OSError", None)),
}


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("sandbox", ["off", "auto"])
@pytest.mark.parametrize(("setting", "source", "expected"), LIMITS.values(), ids=LIMITS)
def test_a_task_that_wants_more_than_its_limit_fails_of_it(  # noqa: PLR0917 - pytest gives them by name
    setting: str, source: str, expected: tuple[str, ...], sandbox: str, tmp_path: Path, cache: Path
) -> None:
    """And succeeds without it: what a model needs is for its author to say."""
    bundle = wire_bundle(tmp_path, source)
    (bundle / "pyproject.toml").write_text(f"[tool.bundlekit.limits]\n{setting}\n", encoding="utf-8")
    error = run(bundle, cache, SIMULATION, "--sandbox", sandbox).error
    assert (error["error_code"], error["type"], error["signal"]) == expected
    if source is not CPU:
        (bundle / "pyproject.toml").write_text("[tool.bundlekit.limits]\n", encoding="utf-8")
        assert run(bundle, cache, SIMULATION, "--sandbox", sandbox).outputs


def test_limits_hold_for_what_a_task_starts_and_cannot_be_raised(tmp_path: Path, cache: Path) -> None:
    """A model in another language is a process that the task starts."""
    bundle = wire_bundle(tmp_path, CHILD)
    limits = "[tool.bundlekit.limits]\nmemory-mib = 1000\nopen-files = 64\n"
    (bundle / "pyproject.toml").write_text(limits, encoding="utf-8")
    inline = run(bundle, cache).outputs["a"]["inline"]
    assert base64.b64decode(str(inline)) == b"(1048576000, 1048576000) (64, 64)\n"


def test_a_host_hands_over_limits_sandbox_and_network(tmp_path: Path) -> None:
    """The server form holds them for every request, and its answers say what held."""
    root = wire_bundle(tmp_path, MEMORY)
    data = (root / "wire.py").read_bytes()
    file = ManifestFile("wire.py", len(data), "0644", Digest("sha256:" + hashlib.sha256(data).hexdigest()))
    bundle = BundleToRun(root, (file,), None)
    options = ColdOptions(sandbox="auto", network=True, limits=Limits(memory_mib=400))
    task = {"entrypoint": "main", "params": {}, "seed": 1}
    expected = choose_sandbox("auto", network_open=True)
    with ColdExecutor(bundle, options, print) as executor:
        ran = executor.simulate(task, 30.0)
    assert isinstance(ran.outcome, Failure)
    assert ran.outcome.type_name == "MemoryError"
    assert ran.sandbox == expected.level
    with ColdExecutor(bundle, ColdOptions(), print) as executor:
        free = executor.simulate(task, 30.0)
    assert isinstance(free.outcome, Simulated)
    assert free.sandbox == "off"
