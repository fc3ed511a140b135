"""What a bundle's own files ask for, and that it reads back from memory as it was."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bundlekit.cold_runner.environments.bundle_copy import ListedBundle
from bundlekit.cold_runner.environments.declaration import BuildSystem, Declaration, read_declaration
from bundlekit.cold_runner.environments.declaration_memory import remembered_declaration
from bundlekit.cold_runner.environments.tree_digest import inventory, inventory_digest
from bundlekit.cold_runner.limits import Limits
from bundlekit.cold_runner.runner_error import RunnerError

_PROJECT = '[project]\nname = "a"\nversion = "1"\n'


def _listed(root: Path, files: Mapping[str, str]) -> ListedBundle:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return ListedBundle(str(root), inventory(str(root), lambda _line: None))


_READ: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "project": (
        {"pyproject.toml": _PROJECT + 'dependencies = ["six"]\nrequires-python = ">=3.11"', "requirements.txt": "no"},
        {"declared": ("six",), "requires_python": ">=3.11", "build": BuildSystem(), "complete": True},
    ),
    "build-system": (
        {"pyproject.toml": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "h.b"\n' + _PROJECT},
        {"declared": (), "build": BuildSystem(("hatchling",), "h.b"), "complete": True},
    ),
    "requirements-only": (
        {"requirements.txt": "--extra-index-url https://h\nsix\n-r more.txt\n", "more.txt": "numpy"},
        {"declared": ("six", "numpy"), "index_options": ("--extra-index-url https://h",), "build": None},
    ),
    "nothing": ({"wire.py": ""}, {"declared": (), "build": None, "lock": None, "complete": True, "pyproject": None}),
    "setup.py": ({"setup.py": ""}, {"declared": (), "build": BuildSystem(), "complete": False}),
    "setup.cfg-of-a-linter": ({"setup.cfg": "[flake8]\n"}, {"build": None, "complete": True}),
    "setup.cfg": ({"setup.cfg": "[metadata]\nname = a\n"}, {"build": BuildSystem(), "complete": False}),
    "poetry": (
        {"pyproject.toml": '[build-system]\nrequires = ["p"]\nbuild-backend = "p"\n[tool.poetry]\nname = "a"\n'},
        {"build": BuildSystem(("p",), "p"), "complete": False},
    ),
    "pyproject-of-a-linter": ({"pyproject.toml": "[tool.ruff]\n", "requirements.txt": "six"}, {"declared": ("six",)}),
    "dynamic-with-a-file": (
        {
            "pyproject.toml": _PROJECT
            + 'dynamic = ["dependencies"]\n[tool.setuptools.dynamic]\ndependencies = { file = ["deps.txt"] }\n',
            "deps.txt": "six\n",
        },
        {"declared": ("six",), "complete": True},
    ),
    "dynamic-without": (
        {"pyproject.toml": _PROJECT + 'dynamic = ["dependencies"]'},
        {"declared": (), "complete": False},
    ),
    "settings": (
        {
            "pyproject.toml": '[tool.bundlekit]\npython = "3.12"\npass-env = ["DATA_DIR", "LICENCE"]\nnetwork = true\n'
            "[tool.bundlekit.limits]\nmemory-mib = 100\nopen-files = 9\n"
        },
        {
            "python": "3.12",
            "pass_env": ("DATA_DIR", "LICENCE"),
            "network": True,
            "limits": Limits(memory_mib=100, open_files=9),
        },
    ),
    "settings-that-are-not-about-running": (
        {"pyproject.toml": "[tool.bundlekit]\nworker = true\ninclude = 3"},
        {"python": None, "pass_env": ()},
    ),
    "lock": (
        {"pyproject.toml": _PROJECT, "uv.lock": "version = 1 # é"},
        {"lock": ("uv.lock", "version = 1 # é".encode())},
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in _READ.items()])
def test_a_declaration_is_read_and_remembered_as_it_is(
    tmp_path: Path, case: tuple[dict[str, str], dict[str, object]]
) -> None:
    """The second run must build from exactly what the first one read."""
    files, expected = case
    bundle = _listed(tmp_path / "bundle", files)
    content, cache = inventory_digest(bundle.files), str(tmp_path / "cache")
    found = read_declaration(bundle.root, bundle.files)
    assert {name: getattr(found, name) for name in expected} == expected
    assert remembered_declaration(bundle, content, cache) == found
    for name in files:
        (tmp_path / "bundle" / name).unlink()
    assert remembered_declaration(bundle, content, cache) == found


@pytest.mark.parametrize("field", [*Declaration._fields, "schema"])
def test_a_damaged_memory_is_read_from_the_bundle_again(tmp_path: Path, field: str) -> None:
    """A cache is never trusted in its shape."""
    bundle = _listed(tmp_path / "bundle", {"pyproject.toml": _PROJECT + 'dependencies = ["six"]', "uv.lock": "x"})
    content = inventory_digest(bundle.files)
    first = remembered_declaration(bundle, content, str(tmp_path))
    (memory,) = (tmp_path / "declarations").iterdir()
    for damage in (json.dumps(json.loads(memory.read_text()) | {field: 3}), "{", "[]", ""):
        memory.write_text(damage)
        assert remembered_declaration(bundle, content, str(tmp_path)) == first


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("project = 3", "expected a table [project], found 3"),
        ("[project\n", "pyproject.toml cannot be read"),
        (_PROJECT + "dependencies = [1]", "expected an array of text in project.dependencies"),
        (_PROJECT + 'dependencies = "six"', "expected an array of text in project.dependencies"),
        (_PROJECT + "requires-python = 3.11", "expected text in project.requires-python, found 3.11"),
        (_PROJECT + "[build-system]\n", "build-system.requires is missing"),
        (_PROJECT + '[build-system]\nrequires = "x"', "expected an array of text in build-system.requires"),
        (_PROJECT + "[build-system]\nrequires = []\nbuild-backend = 1", "expected text in build-system.build-backend"),
        ("tool = 3", "expected a table [tool], found 3"),
        ("[tool]\nbundlekit = 3", "expected a table [tool.bundlekit], found 3"),
        ("[tool.bundlekit]\npython = 3.12", "expected text in tool.bundlekit.python, found 3.12"),
        ("[tool.bundlekit]\npass-env = 'HOME'", "expected an array of text in tool.bundlekit.pass-env"),
        ("[tool.bundlekit]\nnetwork = 'no'", "expected true or false in tool.bundlekit.network, found 'no'"),
        ("[tool.bundlekit]\nlimits = 3", "expected a table [tool.bundlekit.limits], found 3"),
        ("[tool.bundlekit.limits]\ncpu-s = 1.5", "expected a whole number above 0 in limits.cpu-s, found 1.5"),
    ],
)
def test_what_building_cannot_use_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    """HOSTILE_CORPUS P02; the checker reports all of it at once, the runner stops at the first."""
    bundle = _listed(tmp_path / "bundle", {"pyproject.toml": text})
    with pytest.raises(RunnerError) as failure:
        read_declaration(bundle.root, bundle.files)
    assert failure.value.code == "E_PYPROJECT"
    assert words in failure.value.message
