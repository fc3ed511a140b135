"""What bundle code meets in its process: exact parameters, a scrubbed environment, files of its own."""

import base64
import json
import re
import sys
from pathlib import Path

import pytest
from builders.cold_runs import MODULE, SIMULATION, Ran, run, wire_bundle
from builders.privileges import without_privileges

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("start")]


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


def test_bundle_code_cannot_read_the_environment_of_the_processes_above_it(tmp_path: Path, cache: Path) -> None:
    """They hold what the child's own environment was scrubbed of, and belong to the same user."""
    source = """
        import os
        def parent(pid):
            stat = open(f"/proc/{pid}/stat").read()
            return int(stat[stat.rindex(")") + 2:].split()[1])
        def read(path):
            try:
                return bool(open(path, "rb").read())
            except OSError as error:
                return type(error).__name__
        def wire(e, p, s):
            above = [os.getppid(), parent(os.getppid())]
            files = [[read(f"/proc/{pid}/{name}") for name in ("environ", "maps")] for pid in above]
            own = read("/proc/self/environ"), bool(os.listdir("/proc/self/fd"))
            return {"r": repr((files, own)).encode()}
    """
    bundle = wire_bundle(tmp_path, source)
    result = run(bundle, cache, runner=without_privileges(MODULE), env={"GITHUB_TOKEN": "CANARY"})
    said = base64.b64decode(str(result.outputs["r"]["inline"])).decode()
    assert said == repr(([["PermissionError"] * 2] * 2, (True, True)))


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


_TELLS_VARIABLES = """
    import json, os
    def wire(e, p, s):
        return {"r": json.dumps(dict(os.environ)).encode()}
"""


def _variables(ran: Ran) -> dict[str, str]:
    said = json.loads(base64.b64decode(str(ran.outputs["r"]["inline"])))
    assert isinstance(said, dict)
    return said


def test_a_variable_is_passed_only_if_the_bundle_names_it(tmp_path: Path, cache: Path) -> None:
    """Whoever runs a bundle can read in its pyproject.toml what it gets to see."""
    bundle = wire_bundle(tmp_path, _TELLS_VARIABLES)
    env = {"CANARY": "31", "OTHER_CANARY": "32"}
    assert not {"CANARY", "OTHER_CANARY"} & _variables(run(bundle, cache, env=env)).keys()
    (bundle / "pyproject.toml").write_text('[tool.bundlekit]\npass-env = ["CANARY", "ABSENT"]\n', encoding="utf-8")
    seen = _variables(run(bundle, cache, env=env))
    assert seen["CANARY"] == "31"
    assert not {"OTHER_CANARY", "ABSENT"} & seen.keys()


def test_a_task_brings_variables_of_its_own(tmp_path: Path, cache: Path) -> None:
    """As the ecosystem's tasks have them; they win over what was passed, and never over what Python reads."""
    bundle = wire_bundle(tmp_path, _TELLS_VARIABLES)
    (bundle / "pyproject.toml").write_text('[tool.bundlekit]\npass-env = ["CANARY"]\n', encoding="utf-8")
    task = {**SIMULATION, "env": {"CANARY": "33", "OMP_NUM_THREADS": "2", "NAME": "\u00e9 =\n"}}
    seen = _variables(run(bundle, cache, task, env={"CANARY": "31"}))
    assert (seen["CANARY"], seen["OMP_NUM_THREADS"], seen["NAME"]) == ("33", "2", "\u00e9 =\n")
    refused = run(bundle, cache, {**SIMULATION, "env": {"PYTHONSTARTUP": "x.py"}})
    assert refused.error["error_code"] == "E_TASK"
    assert "PYTHONSTARTUP" in str(refused.error["message"])


def test_the_interpreter_of_the_bundles_own_settings_is_used_unless_another_is_asked_for(
    tmp_path: Path, cache: Path
) -> None:
    """What `validate` proves with it must be what runs."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s): return {'a': b'x'}\n")
    (bundle / "pyproject.toml").write_text('[tool.bundlekit]\npython = "3.99"\n', encoding="utf-8")
    refused = run(bundle, cache)
    assert refused.error["error_code"] == "E_VENV"
    assert "3.99" in str(refused.error["message"])
    assert run(bundle, cache, SIMULATION, "--python", sys.executable).outputs


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
