"""The other documents of a bundle: names and versions, requirements, wires, registry, job specifications, sources."""

# ruff: noqa: E501 - a row of a table is one line

import json
from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle, pyproject
from builders.projects import write_tree

from bundlekit.cold_runner.environments.declaration import read_declaration
from bundlekit.cold_runner.environments.tree_digest import inventory
from bundlekit.errors import UsageError
from bundlekit.model.declaration import WireSource
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.project import ProjectTable
from bundlekit.read import sources
from bundlekit.read.bundles import find_bundles
from bundlekit.read.document import MAX_DOCUMENT_BYTES
from bundlekit.read.project import read_project
from bundlekit.read.tree import walk
from bundlekit.read.typed_table import type_name


def _project_with(*, backend: str = "", dynamic: str = 'dynamic = ["version"]', after: str = "") -> str:
    system = f'[build-system]\nrequires = []\nbuild-backend = "{backend}"\n' if backend else ""
    return f'{system}[project]\nname = "model"\n{dynamic}\n{after}'


_VERSIONS: dict[str, tuple[dict[str, str], str | None]] = {
    "static": ({"pyproject.toml": pyproject()}, "1.0"),
    "setuptools-attr": (
        {
            "pyproject.toml": _project_with(
                after='[tool.setuptools.dynamic]\nversion = {attr = "model.__version__"}\n'
            ),
            "model/__init__.py": "__version__: str = '2.1'  # x\n",
        },
        "2.1",
    ),
    "setuptools-attr-in-where": (
        {
            "pyproject.toml": _project_with(
                after='[tool.setuptools.dynamic]\nversion = {attr = "m.v.VERSION"}\n[tool.setuptools.packages.find]\nwhere = ["lib"]\n'
            ),
            "lib/m/v.py": "VERSION = '3'\n",
        },
        "3",
    ),
    "setuptools-attr-in-package-dir": (
        {
            "pyproject.toml": _project_with(
                after='[tool.setuptools]\npackage-dir = {"" = "lib"}\n[tool.setuptools.dynamic]\nversion = {attr = "m.VERSION"}\n'
            ),
            "lib/m.py": "VERSION = '3'\n",
        },
        "3",
    ),
    "setuptools-file": (
        {
            "pyproject.toml": _project_with(after='[tool.setuptools.dynamic]\nversion = {file = ["VERSION"]}\n'),
            "VERSION": "4.0\n",
        },
        "4.0",
    ),
    "hatch": (
        {
            "pyproject.toml": _project_with(
                backend="hatchling.build", after='[tool.hatch.version]\npath = "model/__init__.py"\n'
            ),
            "model/__init__.py": '__version__ = "v5.0"\n',
        },
        "5.0",
    ),
    "hatch-pattern": (
        {
            "pyproject.toml": _project_with(
                backend="hatchling.build", after="[tool.hatch.version]\npath = 'V'\npattern = 'is (?P<version>.+)'\n"
            ),
            "V": "it is 6\n",
        },
        "6",
    ),
    "flit": (
        {"pyproject.toml": _project_with(backend="flit_core.buildapi"), "src/model.py": "__version__ = '7.0'\n"},
        "7.0",
    ),
    "pdm": (
        {
            "pyproject.toml": _project_with(
                backend="pdm.backend", after='[tool.pdm.version]\nsource = "file"\npath = "v.py"\n'
            ),
            "v.py": "__version__ = '8'\n",
        },
        "8",
    ),
    "poetry": ({"pyproject.toml": '[tool.poetry]\nname = "model"\nversion = "9.0"\n'}, "9.0"),
    "manifest": ({"pyproject.toml": "", "manifest.json": '{"name": "model", "version": "10"}'}, "10"),
    "unusual": ({"pyproject.toml": '[project]\nname = "model"\nversion = "1.0-1+local"\n'}, "1.0-1+local"),
}


@pytest.mark.parametrize(("files", "version"), _VERSIONS.values(), ids=_VERSIONS)
def test_a_version_is_read_statically(files: dict[str, str], version: str, tmp_path: Path) -> None:
    """The identity of a bundle comes from what ships."""
    write_tree(tmp_path, dict(files))
    project = read_project(tmp_path)
    assert (project.name, project.version) == ("model", version)
    assert [problem for problem in project.problems if problem.code == "BK105"] == []


_NO_VERSIONS: dict[str, tuple[str, dict[str, str], str]] = {
    "absent": (_project_with(dynamic=""), {}, "neither a version"),
    "invalid": ('[project]\nname = "model"\nversion = "one"\n', {}, "PEP 440"),
    "invalid-name": ('[project]\nname = "-m"\nversion = "1"\n', {}, "not valid"),
    "no-name": ('[project]\nversion = "1"\n', {}, "no name"),
    "scm": (_project_with(after="[tool.setuptools_scm]\n"), {}, "git"),
    "vcs": (_project_with(backend="hatchling.build", after='[tool.hatch.version]\nsource = "vcs"\n'), {}, "git"),
    "hatch-env": (
        _project_with(backend="hatchling.build", after='[tool.hatch.version]\nsource = "env"\n'),
        {},
        "no path",
    ),
    "hatch-absent": (
        _project_with(backend="hatchling.build", after='[tool.hatch.version]\npath = "v"\n'),
        {},
        "cannot be read",
    ),
    "hatch-bad-pattern": (
        _project_with(backend="hatchling.build", after="[tool.hatch.version]\npath = 'v'\npattern = '('\n"),
        {"v": ""},
        "regular expression",
    ),
    "hatch-no-match": (
        _project_with(backend="hatchling.build", after="[tool.hatch.version]\npath = 'v'\n"),
        {"v": "x"},
        "no plain string",
    ),
    "computed": (
        _project_with(after='[tool.setuptools.dynamic]\nversion = {attr = "m.V"}\n'),
        {"m.py": "V = '.'.join('12')\n"},
        "no plain string",
    ),
    "module-absent": (_project_with(after='[tool.setuptools.dynamic]\nversion = {attr = "m.V"}\n'), {}, "no module"),
    "file-absent": (_project_with(after='[tool.setuptools.dynamic]\nversion = {file = "V"}\n'), {}, "cannot be read"),
    "file-outside": (
        _project_with(after='[tool.setuptools.dynamic]\nversion = {file = "../V"}\n'),
        {},
        "cannot be read",
    ),
    "file-with-nul": (
        _project_with(after='[tool.setuptools.dynamic]\nversion = {file = "V\\u0000"}\n'),
        {},
        "cannot be read",
    ),
    "neither": (_project_with(), {}, "neither a file nor an attribute"),
    "backend": (_project_with(backend="mesonpy"), {}, "mesonpy"),
    "pdm-scm": (
        _project_with(backend="pdm.backend", after='[tool.pdm.version]\nsource = "scm"\n'),
        {},
        "does not ship",
    ),
    "pdm-absent": (
        _project_with(backend="pdm.backend", after='[tool.pdm.version]\nsource = "file"\npath = "v"\n'),
        {},
        "cannot be read",
    ),
    "flit-no-name": (
        '[build-system]\nbuild-backend = "flit_core.buildapi"\n[project]\ndynamic = ["version"]\n',
        {},
        "no name",
    ),
    "nothing": ("", {}, "no name and version"),
    "half-a-manifest": ("", {"manifest.json": '{"name": "model"}'}, "no version"),
}


@pytest.mark.parametrize(("text", "files", "reason"), _NO_VERSIONS.values(), ids=_NO_VERSIONS)
def test_a_version_that_does_not_ship_is_found(text: str, files: dict[str, str], reason: str, tmp_path: Path) -> None:
    """A version from git would be another one, or none, on the worker."""
    write_tree(tmp_path, {"pyproject.toml": text, **files})
    found = [problem.message for problem in read_project(tmp_path).problems if problem.code == "BK105"]
    assert any(reason in message for message in found)


def test_the_directory_must_exist(tmp_path: Path) -> None:
    """A mistyped path is the user's error, not the bundle's."""
    with pytest.raises(UsageError, match="not a directory"):
        read_project(tmp_path / "no")


def test_requirements_txt_counts_without_a_project_table(tmp_path: Path) -> None:
    """Comments, options and included files are the installer's grammar."""
    write_tree(
        tmp_path,
        {
            "wire.py": GOOD_WIRE,
            "requirements.txt": "# a\n-i https://h.invalid\nnumpy>=2  # why\n-r more.txt\n-r absent.txt\n-r ../out.txt\n",
            "more.txt": "scipy\n",
        },
    )
    project = read_project(tmp_path)
    assert project.dependencies.declared == ("numpy>=2", "scipy")
    assert [(item.place.path, item.place.line) for item in project.requirements] == [
        ("requirements.txt", 3),
        ("requirements.txt", None),
    ]


def test_dynamic_requirements_are_read_from_their_files(tmp_path: Path) -> None:
    """Setuptools reads them at build time; so can we."""
    text = _project_with(
        dynamic='version = "1"\ndynamic = ["dependencies"]',
        after='[tool.setuptools.dynamic]\ndependencies = {file = ["deps.txt", "../out.txt"]}\n',
    )
    write_tree(tmp_path, {"pyproject.toml": text, "deps.txt": "numpy\n"})
    assert read_project(tmp_path).dependencies.declared == ("numpy",)
    (tmp_path / "pyproject.toml").write_text(text.replace('["deps.txt", "../out.txt"]', '"deps.txt"'))
    assert read_project(tmp_path).dependencies.declared == ("numpy",)


def test_a_lock_changes_the_dependency_hash(tmp_path: Path) -> None:
    """The lock says what is really installed."""
    make_bundle(tmp_path, {})
    before = read_project(tmp_path).dependencies
    (tmp_path / "uv.lock").write_text("version = 1\n")
    after = read_project(tmp_path).dependencies
    assert before.lock is None
    assert after.lock is not None
    assert (after.lock.path, after.hash != before.hash) == ("uv.lock", True)


def test_an_unreadable_pyproject_declares_nothing(tmp_path: Path) -> None:
    """Half-read declarations would be judged as if they were whole."""
    write_tree(tmp_path, {"pyproject.toml": "[project", "requirements.txt": "numpy\n"})
    project = read_project(tmp_path)
    assert (project.table, project.dependencies.declared, project.wires) == (ProjectTable.UNREADABLE, (), ())


def test_wires_come_in_warm_order(tmp_path: Path) -> None:
    """The first one is the one that runs."""
    make_bundle(
        tmp_path,
        {
            ".modelops/manifest.json": '{"wire": "a:b"}',
            ".modelops/modelops.toml": '[modelops]\nwire = "c:d"\n',
            "wire.py": GOOD_WIRE,
        },
    )
    assert [(wire.source, wire.value) for wire in read_project(tmp_path).wires] == [
        (WireSource.ENTRY_POINT, "model.wire:wire"),
        (WireSource.MANIFEST_JSON, "a:b"),
        (WireSource.MODELOPS_TOML, "c:d"),
        (WireSource.WIRE_PY, "wire:wire"),
    ]


_SETUP_CFG = {
    "declares": ("[options.entry_points]\nmodelops.wire =\n    run = model.wire:wire\n", ["model.wire:wire"]),
    "comments": ("# modelops.wire\n[metadata]\nname = x\n", []),
    "broken": ("modelops.wire\n", []),
    "silent": ("[metadata]\nname = x\n", []),
}


@pytest.mark.parametrize(("text", "values"), _SETUP_CFG.values(), ids=_SETUP_CFG)
def test_setup_cfg_declares_a_wire_where_entry_points_are_dynamic(text: str, values: list[str], tmp_path: Path) -> None:
    """Setuptools looks there only then."""
    project = _project_with(dynamic='version = "1"\ndynamic = ["entry-points"]')
    make_bundle(tmp_path, {"pyproject.toml": project, "setup.cfg": text})
    assert [wire.value for wire in read_project(tmp_path).wires] == values
    (tmp_path / "setup.cfg").unlink()
    (tmp_path / "setup.cfg").symlink_to("nowhere")
    assert read_project(tmp_path).wires == ()


_SETTINGS_ALONE = "[tool.bundlekit]\n"
_POETRY = '[tool.poetry]\nname = "model"\n'
_MADE_BY: dict[str, tuple[dict[str, str], bool]] = {
    "project": ({"pyproject.toml": _project_with(dynamic='version = "1"')}, True),
    "settings-alone": ({"pyproject.toml": _SETTINGS_ALONE}, False),
    "build-system-alone": ({"pyproject.toml": "[build-system]\nrequires = []\n"}, False),
    "poetry": ({"pyproject.toml": "[build-system]\nrequires = []\n" + _POETRY}, True),
    "poetry-without-build-system": ({"pyproject.toml": _POETRY}, False),
    "setup.py": ({"pyproject.toml": _SETTINGS_ALONE, "setup.py": ""}, True),
    "setup.py-alone": ({"setup.py": "", "wire.py": ""}, True),
    "setup.cfg": ({"pyproject.toml": _SETTINGS_ALONE, "setup.cfg": "[metadata]\nname = model\n"}, True),
    "setup.cfg-twice": ({"pyproject.toml": _SETTINGS_ALONE, "setup.cfg": "[metadata]\n[metadata]\n"}, True),
    "setup.cfg-of-a-linter": ({"pyproject.toml": _SETTINGS_ALONE, "setup.cfg": "[flake8]\n"}, False),
    "setup.cfg-without-metadata": ({"pyproject.toml": _SETTINGS_ALONE, "setup.cfg": "[options]\n"}, False),
    "requirements": ({"requirements.txt": "six\n", "wire.py": ""}, False),
}


@pytest.mark.parametrize(("files", "installed"), _MADE_BY.values(), ids=_MADE_BY)
def test_the_reader_and_the_runner_agree_on_what_is_installed(
    files: dict[str, str], *, installed: bool, tmp_path: Path
) -> None:
    """The one decides which entry points are believed, the other which there are."""
    write_tree(tmp_path, files)
    listed = inventory(str(tmp_path), lambda _line: None)
    assert (read_declaration(str(tmp_path), listed).build is not None) is installed
    assert read_project(tmp_path).build.is_installed is installed


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_requirements_in_utf_16_are_one_finding(encoding: str, tmp_path: Path) -> None:
    """PowerShell's `pip freeze > requirements.txt` writes them so; each line was called an invalid requirement."""
    text = "\ufeff" * (encoding == "utf-16-be") + "numpy==2.1.0\r\nscipy==1.14\r\n"
    write_tree(tmp_path, {"wire.py": f"import numpy, scipy\n{GOOD_WIRE}", "requirements.txt": text.encode(encoding)})
    (found,) = [one for one in findings_of(tmp_path) if one.path == "requirements.txt" or one.code == "BK505"]
    assert (found.code, found.severity) == ("BK106", Severity.ERROR)
    assert "UTF-16" in found.message


_DOCUMENTS = {
    "json-syntax": (".modelops/manifest.json", b'{"wire": ', 1),
    "json-nan": (".modelops/manifest.json", b'{"wire": NaN}', 1),
    "json-deep": (".modelops/manifest.json", b"[" * 100_000, 1),
    "json-array": (".modelops/manifest.json", b"[]", 1),
    "json-type": (".modelops/manifest.json", b'{"wire": 3}', 1),
    "json-latin-1": (".modelops/manifest.json", b'{"wire": "\xe9"}', 1),
    "toml-syntax": (".modelops/modelops.toml", b"wire =", 1),
    "toml-type": (".modelops/modelops.toml", b"modelops = 3", 1),
    "yaml-syntax": (".modelops-bundle/registry.yaml", b"models: [", 1),
    "yaml-control": (".modelops-bundle/registry.yaml", b"a: \x01", 1),
    "yaml-latin-1": (".modelops-bundle/registry.yaml", b"a: \xe9", 1),
    "yaml-deep": (".modelops-bundle/registry.yaml", b"[" * 1000, 1),
    "yaml-list": (".modelops-bundle/registry.yaml", b"- a", 1),
    "yaml-types": (".modelops-bundle/registry.yaml", b"models: 1\ntargets: {a: 2, b: true, c: null, d: 1.5}", 5),
    "yaml-bomb": (
        ".modelops-bundle/registry.yaml",
        b"a0: &a0 [x]\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 9)),
        1,
    ),
    "yaml-loop": (".modelops-bundle/registry.yaml", b"a: &a [*a]", 1),
    "toml-too-large": (".modelops/modelops.toml", b"#" * (MAX_DOCUMENT_BYTES + 1), 1),
    "manifest-too-large": ("manifest.json", b" " * (MAX_DOCUMENT_BYTES + 1), 0),
}


@pytest.mark.parametrize(("path", "data", "count"), _DOCUMENTS.values(), ids=_DOCUMENTS)
def test_an_unusable_document_is_found_and_never_a_crash(path: str, data: bytes, count: int, tmp_path: Path) -> None:
    """Runners skip some of these in silence, and fail on others an hour later."""
    make_bundle(tmp_path, {path: data})
    assert [problem.code for problem in read_project(tmp_path).problems] == ["BK106"] * count


def test_an_empty_registry_declares_nothing(tmp_path: Path) -> None:
    """`init` writes such a file."""
    make_bundle(tmp_path, {".modelops-bundle/registry.yaml": "# nothing yet\n"})
    assert read_project(tmp_path).problems == ()


def test_registry_models_give_smoke_tasks_and_files(tmp_path: Path) -> None:
    """They are the last resort before the default task."""
    registry = (
        "models:\n  sir:\n    entrypoint: model.sir:Sir\n    path: model/sir.py\n    data: [d.csv]\n    code: [c.py]\n"
    )
    make_bundle(tmp_path, {".modelops-bundle/registry.yaml": registry})
    project = read_project(tmp_path)
    assert [(task.entrypoint, task.seed) for task in project.smoke] == [("model.sir:Sir", 0)]
    assert [(item.path, item.place.line) for item in project.references] == [
        ("model/sir.py", 4),
        ("d.csv", 5),
        ("c.py", 6),
    ]


_SPECS: dict[str, tuple[object, list[str], list[tuple[str, object, int]]]] = {
    "simulation-job": (
        {
            "tasks": [
                {"entrypoint": "m.a/x", "params": {"param_id": "1", "params": {"b": 1}}, "seed": 3},
                {"entrypoint": "m.a/x", "params": {}},
            ]
        },
        [],
        [("m.a/x", {"b": 1}, 3)],
    ),
    "targets": (
        {
            "target_entrypoint": "t.a:f",
            "targets": ["t.b:f", 3],
            "target_spec": {"loss_function": "t.c:f"},
            "tasks": [{"target_entrypoint": "t.d:f"}],
        },
        ["t.a:f", "t.b:f", "t.c:f", "t.d:f"],
        [],
    ),
    "grid": (
        {"entrypoint": "main", "grid": {"b": [1, 2], "c": [], "d": 3}, "seeds": [7, 8]},
        [],
        [("main", {"b": 1}, 7)],
    ),
    "parameter-sets": ({"entrypoint": "main", "params": [{"b": 1}, {"b": 2}], "seed": 4}, [], [("main", {"b": 1}, 4)]),
    "no-sets": ({"entrypoint": "main", "params": []}, [], [("main", {}, 0)]),
    "one-set": ({"entrypoint": "main", "params": {"b": 1}, "seeds": []}, [], [("main", {"b": 1}, 0)]),
    "nothing": ({"loss_function": "rmse"}, [], []),
}


@pytest.mark.parametrize(("spec", "targets", "tasks"), _SPECS.values(), ids=_SPECS)
def test_a_job_specification_gives_targets_and_tasks(
    spec: object, targets: list[str], tasks: list[tuple[str, object, int]], tmp_path: Path
) -> None:
    """Jobs and grid files in the forms that the ecosystem writes."""
    make_bundle(tmp_path, {"job.json": json.dumps(spec)})
    project = read_project(tmp_path, job_spec=tmp_path / "job.json")
    assert [target.value for target in project.targets] == targets
    assert [(task.entrypoint, task.params, task.seed) for task in project.smoke] == tasks
    assert {target.place.path for target in project.targets} <= {"job.json"}


_BAD_SPECS = {
    "seed": '{"entrypoint": "m", "seed": -1}',
    "target": '{"target_entrypoint": 3}',
    "tasks": '{"tasks": [{"entrypoint": "m", "seed": true}]}',
    "list": "[]",
    "broken": "{",
}


@pytest.mark.parametrize("text", _BAD_SPECS.values(), ids=_BAD_SPECS)
def test_a_wrong_job_specification_is_found(text: str, tmp_path: Path) -> None:
    """It would be refused after submission."""
    make_bundle(tmp_path, {"job.json": text})
    assert "BK106" in {problem.code for problem in read_project(tmp_path, job_spec=tmp_path / "job.json").problems}


_ASKING_NOTHING = {
    "empty": ("{}", "it may have the keys: entrypoint, tasks, target_entrypoints, targets, target_entrypoint"),
    "misspelt-targets": ('{"id": "1", "targts": ["m:f"]}', "did you mean 'targets', not 'targts'?"),
    "misspelt-task": ('{"entry_point": "main", "seed": 1}', "did you mean 'entrypoint', not 'entry_point'?"),
    "no-array": ('{"targets": "m:f", "spec": {}}', "it may have the keys"),
    "no-entrypoint": ('{"tasks": [{"params": {}}]}', "it may have the keys"),
    "loss": ('{"loss_function": "rmse"}', "it may have the keys"),
}


@pytest.mark.parametrize(("text", "hint"), _ASKING_NOTHING.values(), ids=_ASKING_NOTHING)
def test_a_job_specification_that_asks_nothing_is_a_warning(text: str, hint: str, tmp_path: Path) -> None:
    """Its targets would stay unchecked, and nobody would notice."""
    make_bundle(tmp_path, {"job.json": text})
    (found,) = read_project(tmp_path, job_spec=tmp_path / "job.json").problems
    assert (found.code, found.severity, found.path) == ("BK106", Severity.WARNING, "job.json")
    assert (found.hint or "").startswith(hint)


def test_a_missing_job_specification_is_found(tmp_path: Path) -> None:
    """A mistyped option must not pass as a bundle without targets."""
    make_bundle(tmp_path, {})
    assert [problem.code for problem in read_project(tmp_path, job_spec=tmp_path / "no.json").problems] == ["BK106"]


_ROOTS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "flat": (pyproject(), {}, ("",)),
    "src": (pyproject(), {"src/m.py": ""}, ("src", "")),
    "package-dir": (
        pyproject(after='[tool.setuptools]\npackage-dir = {"" = "./lib/", m = "code\\\\m"}\n'),
        {},
        ("lib", ""),
    ),
    "where": (pyproject(after='[tool.setuptools.packages.find]\nwhere = ["a", "b"]\n'), {}, ("a", "b", "")),
    "hatch": (
        pyproject(
            after='[build-system]\nbuild-backend = "hatchling.build"\n[tool.hatch.build.targets.wheel]\npackages = ["python/m"]\nsources = ["x"]\n'
        ),
        {},
        ("python", "x", ""),
    ),
    "hatch-sources": (
        pyproject(
            after='[build-system]\nbuild-backend = "hatchling.build"\n[tool.hatch.build.targets.wheel]\nsources = {"lib" = "", "o" = "p"}\n'
        ),
        {},
        ("lib", ""),
    ),
    "poetry": (
        pyproject(
            after='[build-system]\nbuild-backend = "poetry.core.masonry.api"\n[[tool.poetry.packages]]\ninclude = "m"\nfrom = "lib"\n'
        ),
        {},
        ("lib", ""),
    ),
    "uv": (pyproject(after='[build-system]\nbuild-backend = "uv_build"\n'), {}, ("src", "")),
    "pdm": (
        pyproject(after='[build-system]\nbuild-backend = "pdm.backend"\n[tool.pdm.build]\npackage-dir = "lib"\n'),
        {},
        ("lib", ""),
    ),
    "maturin": (
        pyproject(after='[build-system]\nbuild-backend = "maturin"\n[tool.maturin]\npython-source = "python"\n'),
        {},
        ("python", ""),
    ),
    "scikit": (
        pyproject(
            after='[build-system]\nbuild-backend = "scikit_build_core.build"\n[tool.scikit-build.wheel]\npackages = ["lib/m", 3]\n'
        ),
        {},
        ("lib", "python", ""),
    ),
    "other": (pyproject(after='[build-system]\nbuild-backend = "mesonpy"\n'), {}, ("",)),
    "no-project": ("[tool.bundlekit]\n", {"src/m.py": ""}, ("",)),
}


@pytest.mark.parametrize(("text", "files", "roots"), _ROOTS.values(), ids=_ROOTS)
def test_source_roots_follow_the_build_settings(
    text: str, files: dict[str, str], roots: tuple[str, ...], tmp_path: Path
) -> None:
    """Where the backend finds packages is where imports find them."""
    make_bundle(tmp_path, {"pyproject.toml": text, **files})
    assert read_project(tmp_path).source_roots == roots


_GENERATES = {
    "scikit": '[build-system]\nbuild-backend = "scikit_build_core.build"\n',
    "ext-modules": "[tool.setuptools]\next-modules = []\n",
    "hatch-hook": '[build-system]\nbuild-backend = "hatchling.build"\n[tool.hatch.build.hooks.x]\n',
    "force-include": '[build-system]\nbuild-backend = "hatchling.build"\n[tool.hatch.build.targets.wheel.force-include]\n',
    "scm": "[tool.setuptools_scm]\n",
    "poetry-script": '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n[tool.poetry]\nbuild = "b.py"\n',
}


@pytest.mark.parametrize("after", _GENERATES.values(), ids=_GENERATES)
def test_a_build_that_may_add_modules_leaves_missing_ones_open(after: str, tmp_path: Path) -> None:
    """Compiled or generated modules are not in the tree."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(wire="model._core:wire", after=after)})
    assert [finding.code for finding in findings_of(tmp_path) if finding.code.startswith("BK3")] == ["BK309"]


def test_a_package_may_lie_elsewhere(tmp_path: Path) -> None:
    """Setuptools' package-dir maps single packages too."""
    for name, files in {"regular": {"code/m/__init__.py": GOOD_WIRE}, "namespace": {"code/m/w.py": GOOD_WIRE}}.items():
        root = tmp_path / name
        wire = "m:wire" if name == "regular" else "m.w:wire"
        text = pyproject(wire=wire, after='[tool.setuptools]\npackage-dir = {m = "code/m", n = "absent"}\n')
        make_bundle(root, {"pyproject.toml": text, **files})
        assert findings_of(root) == []


def test_a_source_over_the_limit_is_not_looked_at(tmp_path: Path) -> None:
    """It is a warning, and a wire in it is unknown."""
    make_bundle(tmp_path, {"model/wire.py": GOOD_WIRE + "#" * MAX_DOCUMENT_BYTES})
    assert sorted(finding.code for finding in findings_of(tmp_path)) == ["BK309", "BK311"]


def test_an_unreadable_source_is_found(tmp_path: Path) -> None:
    """It could not be packed either. Root reads everything, so the source is taken away after the walk."""
    make_bundle(tmp_path, {})
    members = walk(tmp_path).members
    (tmp_path / "model/wire.py").unlink()
    problems: list[Finding] = []
    assert list(sources.read_sources(tmp_path, members, problems)) == ["model/__init__.py"]
    assert [(each.code, each.severity, each.path) for each in problems] == [("BK311", Severity.ERROR, "model/wire.py")]
    assert problems[0].message == "model/wire.py cannot be read: No such file or directory"


def test_unshipped_files_are_listed_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule must tell a file that is left out from one that never was; an environment is not searched."""
    monkeypatch.setattr(sources, "MAX_UNSHIPPED", 20)
    files = {f"out/{number // 10}/{number}.csv": "" for number in range(50)}
    make_bundle(tmp_path, {**files, ".modelopsignore": "out/\n", ".venv/x.py": ""})
    unshipped = read_project(tmp_path).unshipped
    assert 20 < len(unshipped) < 50
    assert not any(path.startswith(".venv") for path in unshipped)


def _bundle_at(root: Path, *paths: str) -> None:
    for path in paths:
        make_bundle(root / path, {})


def test_bundles_of_a_repository_are_found(tmp_path: Path) -> None:
    """The hook runs at the root of the repository."""
    (tmp_path / ".git").mkdir()
    _bundle_at(tmp_path, "b", "a", "deep/er/c", "build/no", ".venv/no", "py312/no")
    (tmp_path / "py312/pyvenv.cfg").touch()
    write_tree(
        tmp_path,
        {
            "lib/pyproject.toml": "[project]\nname = 'x'\n",
            "m1/.modelops/manifest.json": "{}",
            "m2/.modelops/modelops.toml": "",
            "m3/.modelops-bundle/registry.yaml": "",
            "m4/wire.py": "",
            "m4/requirements.txt": "",
            "m5/wire.py": "",
            "m6/pyproject.toml": "[tool.bundlekit]\n",
            "m7/pyproject.toml": "[tool.modelops]\n",
        },
    )
    names = [path.relative_to(tmp_path).as_posix() for path in find_bundles(tmp_path)]
    assert names == ["a", "b", "deep/er/c", "m1", "m2", "m3", "m4", "m6", "m7"]


def test_a_bundle_that_is_no_repository_is_the_only_one(tmp_path: Path) -> None:
    """What lies below a bundle is its own, test data included."""
    _bundle_at(tmp_path, "", "tests/data/other")
    assert find_bundles(tmp_path) == [tmp_path]
    (tmp_path / ".git").mkdir()
    assert find_bundles(tmp_path) == [tmp_path, tmp_path / "tests/data/other"]


def test_a_directory_without_bundles_has_none(tmp_path: Path) -> None:
    """The hook then has nothing to do."""
    assert find_bundles(tmp_path) == []


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (True, "a boolean (True)"),
        pytest.param(10**5000, "an integer", id="huge"),
        (1.5, "a number (1.5)"),
        ("x" * 50, "a string"),
        ({}, "a table"),
        ([], "an array"),
        (None, "null"),
        (set(), "a value of type set"),
    ],
)
def test_types_are_named_as_documents_name_them(value: object, name: str) -> None:
    """A message must not fail on the value it complains about."""
    assert type_name(value) == name
