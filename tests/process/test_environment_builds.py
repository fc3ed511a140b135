"""Real environments and builds: layouts, installers, interpreters, and what each failure says."""

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from builders.environments import Kitchen, local_index, make_wheel, own_bundle, without_uv, write_bundle
from uv import find_uv_bin

from bundlekit.cold_runner.environments.interpreter import installed_interpreters
from bundlekit.cold_runner.environments.tree_digest import inventory
from bundlekit.cold_runner.runner_error import RunnerError

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


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_the_seeds_bundle_builds_and_runs_on_a_clean_cache(
    tmp_path: Path, kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    """A src layout with neither [build-system] nor ``__init__.py``, with either installer, and nothing left in it."""
    if installer == "pip":
        without_uv(monkeypatch)
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
    local_index(monkeypatch, tmp_path / "wheels")
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
        without_uv(monkeypatch)
    local_index(monkeypatch, tmp_path / "wheels")
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
    bundle = write_bundle(tmp_path / "bundle", own_bundle("six") | {"uv.lock": _UV_LOCK})
    with pytest.raises(RunnerError, match=r"uv\.lock is older than pyproject\.toml: it lacks six; run 'uv lock'"):
        kitchen.prepared(bundle).__enter__()
    assert (bundle / "uv.lock").read_text() == _UV_LOCK


def test_an_interpreter_is_chosen_by_requires_python(tmp_path: Path, kitchen: Kitchen) -> None:
    """The running one if it is admitted; E_VENV before anything is installed if none is (HOSTILE_CORPUS P12)."""
    running = ".".join(str(number) for number in sys.version_info[:3])
    with kitchen.prepared(write_bundle(tmp_path / "any", own_bundle())) as ready:
        assert ready.interpreter_version.startswith(running)
    future = write_bundle(tmp_path / "future", own_bundle("no-such-thing", requires_python=">=3.99"))
    with pytest.raises(
        RunnerError, match=r"no installed Python satisfies requires-python '>=3\.99'; found: "
    ) as failure:
        kitchen.prepared(future).__enter__()
    assert (failure.value.code, failure.value.type_name) == ("E_VENV", "InterpreterError")
    wrong = write_bundle(tmp_path / "wrong", own_bundle(requires_python="three"))
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
    bundle = write_bundle(tmp_path / "bundle", own_bundle(requires_python=f"=={minor}.*"))
    with kitchen.prepared(bundle) as ready:
        assert kitchen.evaluate(ready, "sys.version_info[:2]", "import sys, mine.wire") == str(other.release[:2])
    for python in (minor, other.executable):
        with kitchen.prepared(bundle, python=python) as ready:
            assert ready.interpreter_version.startswith(minor)
    with pytest.raises(RunnerError, match="excludes it") as failure:
        kitchen.prepared(bundle, python=sys.executable).__enter__()
    assert failure.value.type_name == "InterpreterError"
