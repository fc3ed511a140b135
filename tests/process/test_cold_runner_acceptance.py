"""The acceptance script, in the three forms in which people have the runner, under every interpreter that is here."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from builders.cold_runs import SIMULATION, aggregate, run, runner_environment, wire_bundle

import bundlekit.cold_runner
from bundlekit.cold_runner.export import export_runner

pytestmark = pytest.mark.process

FOLDER = Path(bundlekit.cold_runner.__file__).parent
FORMS = ("module", "folder", "file")
MODULES = sorted(FOLDER.rglob("*.py"))
CHILD_MODULES = [FOLDER / "child" / f"{name}.py" for name in ("channel", "returns", "main", "probe", "target")]
"""What is handed over to the child; the rest of that folder stays with the supervisor."""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all: the bundles have no dependencies, so they share one environment."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner as one file."""
    path = tmp_path_factory.mktemp("exported") / "cold_runner.pyz"
    export_runner(str(path))
    return path


def module_id(path: Path) -> str:
    """Return how a test is named that looks at the module in `path`."""
    return path.relative_to(FOLDER).as_posix().removesuffix(".py")


def bare_interpreters() -> list[str]:
    """Return interpreters that do not have bundlekit: the one below this environment, and others that are installed."""
    own = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    beside = [own, *sorted(Path(sys.base_prefix).parent.glob("3.1[1-9]*/bin/python3"))]
    by_version = {
        subprocess.check_output([path, "-V"], text=True): str(path) for path in reversed(beside) if path.exists()
    }
    return sorted(by_version.values())


def command_of(form: str, exported: Path) -> list[str]:
    """Return the command of one of the three forms; the exported file runs where bundlekit is not installed."""
    if form == "module":
        return [sys.executable, "-m", "bundlekit.cold_runner"]
    if form == "folder":
        return [sys.executable, str(FOLDER)]
    return [bare_interpreters()[0], "-S", "-I", str(exported)]


@pytest.mark.parametrize("form", FORMS)
def test_the_acceptance_script_passes(form: str, exported: Path, cache: Path, tmp_path: Path) -> None:
    """What the users of the first runner wrote down as done."""
    import uv  # noqa: PLC0415 - the installer that a host passes on

    script = Path(__file__).with_name("test_cold_runner.sh")
    env = runner_environment(cache, RUNNER=" ".join(command_of(form, exported)), PYTHON=sys.executable)
    env["BUNDLEKIT_UV"] = uv.find_uv_bin()
    done = subprocess.run(
        ["bash", str(script)], capture_output=True, text=True, check=False, env=env, cwd=tmp_path, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith("acceptance passed\n")


@pytest.mark.parametrize("python", bare_interpreters())
def test_the_exported_file_runs_without_site_packages(python: str, exported: Path, cache: Path, tmp_path: Path) -> None:
    """`-S -I`: nothing but the standard library, on every interpreter that is here."""
    bundle = wire_bundle(
        tmp_path,
        "import sys\ndef wire(e, p, s): return {'v': sys.version.encode()}\n",
        target="def f(r): return {'loss': 2}\n",
    )
    assert run(bundle, cache, runner=[python, "-S", "-I", str(exported)]).outputs
    task = {"target_entrypoint": "target:f", "sim_returns": []}
    document = run(bundle, cache, task, "--aggregation", runner=[python, "-S", "-I", str(exported)]).document
    assert document == {"loss": 2.0, "diagnostics": {}, "n_replicates": 0}


@pytest.mark.parametrize("python", bare_interpreters())
def test_a_child_may_be_of_another_version_than_its_supervisor(python: str, cache: Path, tmp_path: Path) -> None:
    """The child's code is then handed over as source instead of bytecode."""
    bundle = wire_bundle(
        tmp_path,
        "import sys\ndef wire(e, p, s): return {'v': sys.version.encode()}\n",
        target="def f(r): return {'loss': 2}\n",
    )
    assert run(bundle, cache, SIMULATION, "--python", python).outputs
    task = {"target_entrypoint": "target:f", "sim_returns": []}
    assert run(bundle, cache, task, "--aggregation", "--python", python).document["loss"] == 2


def test_exporting_twice_gives_the_same_bytes(exported: Path, tmp_path: Path) -> None:
    """Also when the exported file itself exports: it is the same program."""
    first, second = tmp_path / "first.pyz", tmp_path / "second.pyz"
    export_runner(str(first))
    code = (
        "import sys; p = type(sys)('p'); p.__path__ = [sys.argv[1]]; sys.modules['p'] = p;"
        "from p.export import export_runner; export_runner(sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", code, str(exported), str(second)], check=True)
    assert first.read_bytes() == second.read_bytes() == exported.read_bytes()
    assert os.access(first, os.X_OK)


@pytest.mark.parametrize("form", FORMS)
def test_modules_in_the_working_directory_are_not_imported(
    form: str, exported: Path, cache: Path, tmp_path: Path
) -> None:
    """The runner is often started in the bundle's directory, where a json.py or a bundlekit/ may lie."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s): return {'a': b'x'}\n")
    for name in ("argparse", "hashlib", "selectors", "fcntl", "child"):
        (bundle / f"{name}.py").write_text(
            "raise SystemExit('imported from the working directory')\n", encoding="utf-8"
        )
    command = [*command_of(form, exported), "--bundle-path", "."]
    done = subprocess.run(
        command,
        input=b'{"entrypoint":"main","params":{},"seed":7}',
        capture_output=True,
        cwd=bundle,
        env=runner_environment(cache),
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_the_runner_imports_only_the_standard_library_and_its_siblings(path: Path) -> None:
    """It runs where nothing is installed; a name that happens to be there on a developer's machine would not be."""
    depth = len(path.relative_to(FOLDER).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            assert not isinstance(node, ast.ImportFrom) or node.level <= depth, (path, node.module)
            continue
        assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names, (path, names)


def relative_imports(path: Path) -> set[str]:
    """Return what the module in `path` imports relatively when it runs, as it is written: ``..codes``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level)
    return {"." * node.level + (node.module or "") for node in found}


@pytest.mark.parametrize("path", CHILD_MODULES, ids=module_id)
def test_what_is_handed_over_to_a_child_imports_nothing_else_of_the_runner(path: Path) -> None:
    """The rest is not in the child's process, and may be written for another version of Python than runs there."""
    assert relative_imports(path) <= {f".{other.stem}" for other in CHILD_MODULES}


@pytest.mark.parametrize(("folder", "stranger"), [("child", "..environments"), ("environments", "..child")])
def test_building_environments_and_running_children_do_not_know_each_other(folder: str, stranger: str) -> None:
    """They meet in the supervisor only, as the package says."""
    imports = {name for path in (FOLDER / folder).glob("*.py") for name in relative_imports(path)}
    assert not [name for name in imports if name.startswith(stranger)]


@pytest.mark.parametrize("path", CHILD_MODULES, ids=module_id)
def test_codes_that_a_child_names_exist(path: Path) -> None:
    """The child cannot import the table of codes, which would cost it an enum."""
    named = set(re.findall(r'"(E_[A-Z_]+)"', path.read_text(encoding="utf-8")))
    assert named <= {code.value for code in bundlekit.cold_runner.codes.ErrorCode}


def test_a_simulation_child_imports_nothing_beyond_a_bare_start(cache: Path, tmp_path: Path) -> None:
    """Each module would be paid for by every task: the goal is one interpreter start."""
    source = "import sys\nseen = set(sys.modules)\ndef wire(e, p, s): return {'m': ' '.join(sorted(seen)).encode()}\n"
    bundle = wire_bundle(tmp_path, "def wire(e, p, s): ...\n", loaded=source)
    (bundle / ".modelops").mkdir()
    (bundle / ".modelops" / "manifest.json").write_text('{"wire": "loaded:wire"}', encoding="utf-8")
    import base64  # noqa: PLC0415 - for this test alone

    seen = set(base64.b64decode(str(run(bundle, cache).outputs["m"]["inline"])).decode().split())
    bare = set(
        subprocess.check_output([sys.executable, "-I", "-c", "import sys; print(*sys.modules)"], text=True).split()
    )
    own = {name for name in seen if name.startswith("_bundlekit_child")} | {"loaded", "faulthandler", "marshal"}
    assert seen - bare - own == set()


USAGE = {
    "no bundle path": ([], "--bundle-path"),
    "a path that is none": (["--bundle-path", "/nowhere"], "/nowhere"),
    "timeout zero": (["--bundle-path", "/", "--timeout-s", "0"], "timeout"),
    "timeout negative": (["--bundle-path", "/", "--timeout-s=-1"], "timeout"),
    "timeout not finite": (["--bundle-path", "/", "--timeout-s", "nan"], "timeout"),
    "timeout beyond reason": (["--bundle-path", "/", "--timeout-s", "1e308"], "timeout"),
    "timeout no number": (["--bundle-path", "/", "--timeout-s", "soon"], "timeout"),
    "short digest": (["--bundle-path", "/", "--bundle-digest", "sha256:ab"], "sha256:"),
    "unknown option": (["--bundle-path", "/", "--fly"], "--fly"),
}


@pytest.mark.parametrize(("options", "text"), USAGE.values(), ids=USAGE)
def test_wrong_usage_is_one_line_too(options: list[str], text: str) -> None:
    """A host reads stdout, whatever went wrong."""
    import json  # noqa: PLC0415 - for this test alone

    command = [sys.executable, "-m", "bundlekit.cold_runner", *options]
    done = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=30)
    assert done.returncode == 2
    error = json.loads(done.stdout)["_fatal_error"]
    assert error["error_code"] == "E_USAGE"
    assert text in error["message"]
    assert b"Traceback" not in done.stderr


TASKS = {
    "nothing": b"",
    "white space": b" \n",
    "an array": b"[]",
    "a number": b"3",
    "two documents": b"{} {}",
    "no keys": b"{}",
    "NaN": b'{"entrypoint":"main","params":{"x":NaN},"seed":1}',
    "overflow": b'{"entrypoint":"main","params":{"x":1e400},"seed":1}',
    "duplicate keys": b'{"entrypoint":"main","params":{"x":1,"x":2},"seed":1}',
    "deep": b'{"entrypoint":"main","params":' + b"[" * 100_000 + b"]" * 100_000 + b',"seed":1}',
    "UTF-16": '{"entrypoint":"main","params":{},"seed":1}'.encode("utf-16"),
}


@pytest.mark.parametrize("data", TASKS.values(), ids=TASKS)
def test_a_bad_task_is_refused_before_any_environment_work(tmp_path: Path, data: bytes) -> None:
    """Building an environment for minutes, only to refuse the task, wastes them."""
    bundle = wire_bundle(tmp_path, "")
    cache = tmp_path / "cache"
    result = run(bundle, cache, data)
    assert result.error["error_code"] == "E_TASK"
    assert result.error["phase"] == "task"
    assert not cache.exists()


def test_an_unknown_key_is_a_warning(tmp_path: Path, cache: Path) -> None:
    """Hosts add keys before runners know them; a typo must not pass in silence either."""
    bundle = wire_bundle(tmp_path, "def wire(e, p, s): return {'a': b'x', 'b': b'y'}\n")
    result = run(bundle, cache, {**SIMULATION, "sede": 3, "outputs": ["b"]})
    assert set(result.outputs) == {"b"}
    assert b"'sede'" in result.stderr
    missing = run(bundle, cache, {**SIMULATION, "outputs": ["c"]})
    assert missing.error["error_code"] == "E_WIRE_RESULT"


def test_a_bundle_without_a_wire_can_still_aggregate(tmp_path: Path, cache: Path) -> None:
    """Targets do not need the wire function; a simulation without one is refused with the reason."""
    bundle = wire_bundle(tmp_path, "", targets="def f(sim_returns): return {'loss': 0}\n")
    (bundle / "wire.py").unlink()
    assert aggregate(bundle, cache, "targets:f").document["loss"] == 0
    error = run(bundle, cache).error
    assert (error["error_code"], error["code"]) == ("E_ENTRYPOINT", 5)
