"""Real environments and builds: layouts, installers, interpreters, and what each failure says."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from builders.environments import BACKEND, Kitchen, make_wheel, own_backend_project, write_bundle
from uv import find_uv_bin

from bundlekit.cold_runner.interpreter import installed_interpreters
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.cold_runner.tree_digest import inventory

pytestmark = pytest.mark.process

_MYWIRE = {
    "pyproject.toml": """
[project]
name = "mywire"
version = "0.0.1"
dependencies = []
[project.entry-points."modelops.wire"]
execute = "mywire.wire:wire"
[tool.setuptools.packages.find]
where = ["src"]
""",
    "src/mywire/wire.py": 'def wire(entrypoint, params, seed):\n    return {"raw": f"ok-{seed}".encode()}\n',
}
_HATCH = {
    "pyproject.toml": """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "flat-model"
version = "1"
dependencies = ["six"]
[project.entry-points."modelops.wire"]
execute = "flat_model.wire:wire"
""",
    "flat_model/__init__.py": "",
    "flat_model/data.csv": "a\n1\n",
    "flat_model/wire.py": "import six\ndef wire(e, p, s):\n    return {'v': six.b('x')}\n",
}
_NAMESPACE = {
    "pyproject.toml": _MYWIRE["pyproject.toml"].replace("mywire.wire", "org.models.wire"),
    "src/org/models/wire.py": "def wire(e, p, s):\n    return {}\n",
}
_EXTENSION = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "native"
version = "1"
[project.entry-points."modelops.wire"]
execute = "native.wire:wire"
""",
    "setup.py": """
from setuptools import Extension, setup
setup(packages=["native"], ext_modules=[Extension("native._sum", ["native/_sum.c"])])
""",
    "native/__init__.py": "",
    "native/wire.py": "from native._sum import answer\ndef wire(e, p, s):\n    return {'a': str(answer()).encode()}\n",
    "native/_sum.c": """
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *args) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_sum", "", -1, methods};
PyMODINIT_FUNC PyInit__sum(void) { return PyModule_Create(&definition); }
""",
}


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one cache for the tests that do not look at it: build requirements are installed once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUNDLEKIT_UV", find_uv_bin())


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    """Return a clean cache."""
    return Kitchen(tmp_path / "cache")


def _own(*dependencies: str, backend: str = BACKEND, requires_python: str = ">=3.11") -> dict[str, str]:
    return {
        "pyproject.toml": own_backend_project(*dependencies, requires_python=requires_python),
        "backend/own.py": backend,
        "mine/__init__.py": "",
        "mine/wire.py": "def wire(entrypoint, params, seed):\n    return {}\n",
    }


def _without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("BUNDLEKIT_UV", raising=False)


def _local_index(monkeypatch: pytest.MonkeyPatch, wheels: Path) -> None:
    for name, value in {"PIP_FIND_LINKS": wheels, "UV_FIND_LINKS": wheels, "PIP_NO_INDEX": 1, "UV_NO_INDEX": 1}.items():
        monkeypatch.setenv(name, str(value))


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_the_seeds_bundle_builds_and_runs_on_a_clean_cache(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    """A src layout with neither [build-system] nor ``__init__.py``, with either installer, and nothing left in it."""
    if installer == "pip":
        _without_uv(monkeypatch)
    bundle = write_bundle(tmp_path / "mywire", _MYWIRE)
    before = inventory(str(bundle), kitchen.said.append)
    with kitchen.prepared(bundle) as ready:
        assert ready.wire is not None
        assert (ready.wire.value, ready.wire.distribution, ready.wire_error) == ("mywire.wire:wire", "mywire", None)
        assert ready.installed_top_level == ("mywire",)
        assert kitchen.evaluate(ready, "wire('main', {}, 7)", "from mywire.wire import wire") == "{'raw': b'ok-7'}"
        assert (ready.environment_reused, ready.code_reused) == (False, False)
    assert ("Using pip: uv was not found" in kitchen.said) is (installer == "pip")
    assert inventory(str(bundle), kitchen.said.append) == before
    with kitchen.prepared(bundle) as again:
        assert again.environment_reused
        assert again.code_reused


@pytest.mark.parametrize(
    ("files", "imports", "expected"),
    [
        pytest.param(
            _HATCH,
            "from flat_model.wire import wire\nimport importlib.resources as r",
            ("(wire('', {}, 1), (r.files('flat_model') / 'data.csv').read_text())", "({'v': b'x'}, 'a\\n1\\n')"),
            id="flat-hatchling-with-data",
        ),
        pytest.param(_NAMESPACE, "from org.models.wire import wire", ("wire('', {}, 1)", "{}"), id="namespace"),
        pytest.param(_EXTENSION, "from native.wire import wire", ("wire('', {}, 1)", "{'a': b'42'}"), id="c-extension"),
    ],
)
def test_layouts_build_and_run(
    tmp_path: Path, shared_cache: Path, files: Mapping[str, str], imports: str, expected: tuple[str, str]
) -> None:
    """Flat, namespace and compiled bundles are everyday."""
    kitchen = Kitchen(shared_cache)
    expression, printed = expected
    with kitchen.prepared(write_bundle(tmp_path / "bundle", files)) as ready:
        assert kitchen.evaluate(ready, expression, imports) == printed
        assert ready.wire_error is None


def test_a_bundle_without_project_runs_from_its_files_with_requirements_txt(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root wire.py and a requirements.txt are a bundle of today's warm runner."""
    make_wheel(tmp_path / "wheels", "tiny_dependency", source="VALUE = 7\n")
    _local_index(monkeypatch, tmp_path / "wheels")
    files = {"wire.py": "def wire(e, p, s):\n    return {}\n", "requirements.txt": "tiny-dependency # small\n"}
    with kitchen.prepared(write_bundle(tmp_path / "bundle", files)) as ready:
        assert ready.wire is not None
        assert (ready.wire.source, ready.wire.value) == ("wire.py", "wire.py:wire")
        assert ready.installed_top_level == ()
        assert kitchen.evaluate(ready, "tiny_dependency.VALUE", "import tiny_dependency") == "7"
        assert sorted(path.name for path in Path(ready.tree).iterdir()) == ["requirements.txt", "wire.py"]


def test_a_setup_py_alone_brings_its_dependencies(tmp_path: Path, shared_cache: Path) -> None:
    """Only its build can tell them; an extra's are not among them."""
    setup = (
        "from setuptools import setup\nsetup(name='old', version='1', py_modules=['old'], install_requires=['six'],\n"
        "extras_require={'x': ['no-such-thing']}, entry_points={'modelops.wire': ['e = old:run']})\n"
    )
    bundle = write_bundle(tmp_path / "old", {"setup.py": setup, "old.py": "import six\nrun = print\n"})
    kitchen = Kitchen(shared_cache)
    for _ in range(2):
        with kitchen.prepared(bundle) as ready:
            assert kitchen.evaluate(ready, "old.six.PY3", "import old") == "True"
            assert ready.wire is not None
            assert ready.wire.value == "old:run"
    assert "The build tells the dependencies: six" in kitchen.said


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_hashed_requirements_file_is_enforced(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    """A lock that is not checked is decoration."""
    wheel = make_wheel(tmp_path / "wheels", "tiny_dependency")
    if installer == "pip":
        _without_uv(monkeypatch)
    _local_index(monkeypatch, tmp_path / "wheels")
    pinned = f"tiny-dependency==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
    bundle = write_bundle(tmp_path / "bundle", {"wire.py": "wire = print\n", "requirements.txt": pinned})
    with kitchen.prepared(bundle) as ready:
        assert kitchen.evaluate(ready, "tiny_dependency.VALUE", "import tiny_dependency") == "1"
    (bundle / "requirements.txt").write_text(pinned[:-5] + "0000\n")
    with pytest.raises(RunnerError, match=r"(?i)hash") as failure:
        kitchen.prepared(bundle).__enter__()
    assert (failure.value.code, failure.value.type_name) == ("E_VENV", "InstallError")


_UV_LOCK = """version = 1
requires-python = ">=3.11"

[[package]]
name = "mine"
version = "1"
source = { editable = "." }
"""


def test_a_uv_lock_that_lacks_a_dependency_is_refused_and_not_touched(tmp_path: Path, kitchen: Kitchen) -> None:
    """``uv export --frozen`` would pass over it and the task would miss a module (HOSTILE_CORPUS P14, DEFECTS 22)."""
    bundle = write_bundle(tmp_path / "bundle", _own("six") | {"uv.lock": _UV_LOCK})
    with pytest.raises(RunnerError, match=r"uv\.lock is older than pyproject\.toml: it lacks six; run 'uv lock'"):
        kitchen.prepared(bundle).__enter__()
    assert (bundle / "uv.lock").read_text() == _UV_LOCK


def test_a_missing_dependency_is_named(tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commonest failure on the cluster today, as a KeyError an hour later."""
    (tmp_path / "wheels").mkdir()
    _local_index(monkeypatch, tmp_path / "wheels")
    bundle = write_bundle(tmp_path / "bundle", _own("no-such-thing-here>=3"))
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
    _without_uv(monkeypatch)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://me:CANARY-77@127.0.0.1:9/simple")
    bundle = write_bundle(tmp_path / "bundle", _own("anything"))
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
    bundle = write_bundle(tmp_path / "bundle", _own(backend=noisy))
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
    bundle = write_bundle(tmp_path / "bundle", _own(backend=_CURIOUS + BACKEND))
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
    bundle = write_bundle(tmp_path / "bundle", _own(backend=sleepy))
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
        kitchen.prepared(write_bundle(tmp_path / "bundle", _own()), digest=digest).__enter__()
    assert failure.value.code == "E_USAGE"
    assert not kitchen.cache.exists()


def test_an_interpreter_is_chosen_by_requires_python(tmp_path: Path, kitchen: Kitchen) -> None:
    """The running one if it is admitted; E_VENV before anything is installed if none is (HOSTILE_CORPUS P12)."""
    running = ".".join(str(number) for number in sys.version_info[:3])
    with kitchen.prepared(write_bundle(tmp_path / "any", _own())) as ready:
        assert ready.interpreter_version.startswith(running)
    future = write_bundle(tmp_path / "future", _own("no-such-thing", requires_python=">=3.99"))
    with pytest.raises(
        RunnerError, match=r"no installed Python satisfies requires-python '>=3\.99'; found: "
    ) as failure:
        kitchen.prepared(future).__enter__()
    assert (failure.value.code, failure.value.type_name) == ("E_VENV", "InterpreterError")
    wrong = write_bundle(tmp_path / "wrong", _own(requires_python="three"))
    with pytest.raises(RunnerError, match="expected clauses such as") as failure:
        kitchen.prepared(wrong).__enter__()
    assert failure.value.code == "E_PYPROJECT"


def test_another_installed_interpreter_is_used_where_it_must_be(tmp_path: Path, kitchen: Kitchen) -> None:
    """A bundle for another Python runs under that one, in an environment of its own."""
    others = [
        one
        for one in installed_interpreters(str(kitchen.cache), os.environ)
        if one.release[:2] != sys.version_info[:2] and one.implementation == "cpython"
    ]
    if not others:
        pytest.skip("only one Python is installed here")
    other = others[0]
    minor = f"{other.release[0]}.{other.release[1]}"
    bundle = write_bundle(tmp_path / "bundle", _own(requires_python=f"=={minor}.*"))
    with kitchen.prepared(bundle) as ready:
        assert kitchen.evaluate(ready, "sys.version_info[:2]", "import sys, mine.wire") == str(other.release[:2])
    for python in (minor, other.executable):
        with kitchen.prepared(bundle, python=python) as ready:
            assert ready.interpreter_version.startswith(minor)
    with pytest.raises(RunnerError, match="excludes it") as failure:
        kitchen.prepared(bundle, python=sys.executable).__enter__()
    assert failure.value.type_name == "InterpreterError"
