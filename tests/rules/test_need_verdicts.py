"""BK505, BK506, BK508 and BK511 on bundles as people write them: what is found, and what is left alone."""

# ruff: noqa: E501 - a row of a table is one line

from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle, pyproject
from builders.installed import Installed, make_environment

from bundlekit.check.engine import check
from bundlekit.check.evidence import Evidence
from bundlekit.model.edit import AddRequirement
from bundlekit.model.finding import Finding, Severity
from bundlekit.read.project import read_project

_WARNING, _ERROR, _INFO = Severity.WARNING, Severity.ERROR, Severity.INFO
_NOTHING = pyproject(project="dependencies = []")
_NUMPY = pyproject(project='dependencies = ["numpy==2.1.0"]')
_OPTIONAL = pyproject(
    project='optional-dependencies = { plot = ["matplotlib"] }',
    after='[dependency-groups]\ndev = ["hypothesis", {include-group = "x"}]\n',
)


def _found(root: Path, *codes: str) -> list[Finding]:
    return [finding for finding in findings_of(root) if finding.code in (codes or ("BK505",))]


def test_a_missing_dependency_is_named_at_its_import(tmp_path: Path) -> None:
    """Absent starsim became `KeyError: 'incidence'` an hour later (PEERS item 3)."""
    source = "import math\n\nimport starsim as ss\n" + GOOD_WIRE
    make_bundle(tmp_path, {"pyproject.toml": _NOTHING, "model/wire.py": source})
    (found,) = findings_of(tmp_path)
    assert (found.code, found.severity, found.path, found.line, found.column) == (
        "BK505",
        _ERROR,
        "model/wire.py",
        3,
        1,
    )
    assert found.message == "imports 'starsim', which no declared dependency provides"
    assert found.hint == 'add "starsim" to [project] dependencies'
    assert found.edit == AddRequirement("starsim")


_FINDS: dict[str, tuple[str, str, Severity, str]] = {
    "another-name": (_NOTHING, "import yaml\n", _ERROR, 'add "PyYAML"'),
    "several-providers": (_NOTHING, "import cv2\n", _ERROR, 'add "opencv-python" or "opencv-python-headless"'),
    "of-a-namespace": (_NOTHING, "from google.cloud import storage\n", _ERROR, 'add "google-cloud-storage"'),
    "part-of-a-namespace": (_NOTHING, "from google.cloud import nowhere\n", _ERROR, 'add "google-cloud-nowhere"'),
    "unknown-name": (_NOTHING, "import acme_models\n", _ERROR, 'add "acme-models"'),
    "private-name": (_NOTHING, "import _acme_core\n", _ERROR, 'add "acme-core"'),
    "by-submodule": (_NOTHING, "import scipy.stats as st\n", _ERROR, 'add "scipy"'),
    "namespace-of-two": (_NOTHING, "import ruamel.yaml\n", _ERROR, 'add "ruamel.yaml"'),
    "unknown-of-two": (_NOTHING, "import sphinxcontrib.lab.deep\n", _ERROR, 'add "sphinxcontrib-lab"'),
    "star": (_NOTHING, "from numpy import *\n", _ERROR, 'add "numpy"'),
    "handler-raises": (
        _NOTHING,
        "try:\n    import numpy\nexcept ImportError as e:\n    raise RuntimeError from e\n",
        _ERROR,
        "numpy",
    ),
    "in-the-wire": (
        _NOTHING,
        "def wire(entrypoint, params, seed):\n    import numpy\n    return {}\n",
        _ERROR,
        "numpy",
    ),
    "in-a-function": (_NOTHING, "def plot():\n    import matplotlib.pyplot\n", _WARNING, "matplotlib"),
    "in-a-loop": (_NOTHING, "for _ in range(3):\n    import numpy\n", _WARNING, "numpy"),
    "in-a-class": (_NOTHING, "class A:\n    import numpy\n", _ERROR, "numpy"),
    "in-a-lock": (
        _NOTHING,
        "import threading\nlock = threading.Lock()\nwith lock:\n    import numpy\n",
        _ERROR,
        "numpy",
    ),
    "in-a-with": (_NOTHING, "with open('x') as f:\n    import numpy\n", _ERROR, "numpy"),
    "after-a-semicolon": (_NOTHING, "x = 1; import numpy\n", _ERROR, "numpy"),
    "in-a-finally": (
        _NOTHING,
        "try:\n    import numpy\nexcept ImportError:\n    pass\nfinally:\n    import scipy\n",
        _ERROR,
        "scipy",
    ),
    "in-another-handler": (_NOTHING, "try:\n    x = 1\nexcept KeyError:\n    import scipy\n", _WARNING, "scipy"),
    "on-linux": (_NOTHING, "import sys\nif sys.platform.startswith('linux'):\n    import numpy\n", _ERROR, "numpy"),
    "else-of-windows": (
        _NOTHING,
        "import os\nif os.name == 'nt':\n    pass\nelse:\n    import numpy\n",
        _ERROR,
        "numpy",
    ),
    "perhaps-by-another": (_NUMPY, "import pandas\n", _WARNING, "one of those that are declared may bring it"),
    "path-is-changed": (_NOTHING, "import sys\nsys.path.insert(0, 'vendor')\nimport numpy\n", _WARNING, "numpy"),
    "of-the-installer": (_NOTHING, "import pkg_resources\n", _WARNING, 'add "setuptools"'),
    "nearly-a-known-name": (_NOTHING, "import pandsa\n", _ERROR, "did you mean 'pandas'? Else add"),
    "requirements.txt": ("", "import numpy\n", _ERROR, "to requirements.txt"),
}


_GUESSES = frozenset(
    {
        *("several-providers", "part-of-a-namespace", "unknown-name", "private-name", "unknown-of-two"),
        "nearly-a-known-name",
    }
)
"""What an unknown name would bring from an index is nothing to be installed without being asked for."""


@pytest.mark.parametrize("case", _FINDS)
def test_an_undeclared_import_is_found(case: str, tmp_path: Path) -> None:
    """An error only where nothing else can bring it and every task runs the import."""
    project, source, severity, hint = _FINDS[case]
    text = source if "def wire" in source else source + GOOD_WIRE
    if project:
        make_bundle(tmp_path, {"pyproject.toml": project, "model/wire.py": text})
    else:
        (tmp_path / "wire.py").write_text(text)
    (found,) = _found(tmp_path)
    assert found.severity is severity
    assert hint in (found.hint or "")
    assert (found.edit is None) is (case in _GUESSES)


_LEAVES_ALONE: dict[str, tuple[str, str]] = {
    "declared": (_NUMPY, "import numpy as np\nimport numpy.typing\n"),
    "declared-under-another-name": (
        pyproject(project='dependencies = ["PyYAML", "scikit_learn==1.6"]'),
        "import yaml\nfrom sklearn import svm\n",
    ),
    "one-of-several": (pyproject(project='dependencies = ["opencv-contrib-python-headless"]'), "import cv2\n"),
    "prefix": (pyproject(project='dependencies = ["python-mystery"]'), "import mystery\n"),
    "suffix": (pyproject(project='dependencies = ["mystery-py"]'), "import mystery\n"),
    "namespace-of-unknown-parts": (
        pyproject(project='dependencies = ["google-mystery"]'),
        "import google.other.thing\n",
    ),
    "namespace": (pyproject(project='dependencies = ["google-cloud-mystery"]'), "from google.cloud import mystery\n"),
    "guarded": (_NOTHING, "try:\n    import numpy\nexcept ImportError:\n    numpy = None\n"),
    "guarded-by-exception": (_NOTHING, "try:\n    import numpy\nexcept Exception:\n    numpy = None\n"),
    "guarded-bare": (_NOTHING, "try:\n    import numpy\nexcept:\n    numpy = None\n"),
    "guarded-else": (
        _NOTHING,
        "try:\n    import numpy\nexcept ModuleNotFoundError:\n    ok = False\nelse:\n    import numpy.linalg\n",
    ),
    "suppressed": (_NOTHING, "import contextlib\nwith contextlib.suppress(ImportError):\n    import numpy\n"),
    "type-checking": (_NOTHING, "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy\n"),
    "find-spec": (_NOTHING, "from importlib.util import find_spec\nif find_spec('numpy'):\n    import numpy\n"),
    "flag": (_NOTHING, "from .other import HAS_NUMPY\nif HAS_NUMPY:\n    import numpy\n"),
    "matched": (_NOTHING, "match 1:\n    case 1:\n        import numpy\n"),
    "windows-only": (_NOTHING, "import sys\nif sys.platform == 'win32':\n    import win32api\n"),
    "old-python": (
        pyproject(project='requires-python = ">=3.11"'),
        "import sys\nif sys.version_info < (3, 11):\n    import tomli\nelse:\n    import tomllib\n",
    ),
    "pytest-raises": (_NOTHING, "pytest = None\nwith pytest.raises(ImportError):\n    import numpy\n"),
    "old-major-python": (
        _NOTHING,
        "from model import other as six\nimport model.other\nif six.PY2:\n    import urllib2\n",
    ),
    "not-on-linux": (_NOTHING, "import sys\nif sys.platform in ('win32', 'darwin'):\n    import numpy\n"),
    "not-on-linux-and-more": (
        _NOTHING,
        "import sys\nFLAG = bool(sys.argv)\nif FLAG and sys.platform == 'win32':\n    import numpy\n",
    ),
    "main": (_NOTHING, "if __name__ == '__main__':\n    import numpy\n"),
    "the-main-program": (_NOTHING, "import __main__\n"),
    "future": (_NOTHING, "from __future__ import annotations\n"),
    "own": (_NOTHING, "from model import other\nimport model.other\nfrom . import other as o\n"),
    "loose-script": (_NOTHING, "import helper\n"),
    "stub-packages": (_NOTHING, "import math\nimport xml.etree.ElementTree as E\n"),
    "dynamic": (
        pyproject(
            project='dynamic = ["dependencies"]',
            after='[build-system]\nbuild-backend = "hatchling.build"\nrequires = []\n',
        ),
        "import numpy\n",
    ),
    "build-may-make-it": (
        pyproject(
            project="dependencies = []", after='[build-system]\nbuild-backend = "maturin"\nrequires = ["maturin"]\n'
        ),
        "import mystery_core\n",
    ),
    "names-itself": (_NOTHING, "import model\n"),
}


@pytest.mark.parametrize(("project", "source"), _LEAVES_ALONE.values(), ids=_LEAVES_ALONE)
def test_an_import_that_is_declared_or_optional_is_left_alone(project: str, source: str, tmp_path: Path) -> None:
    """One false alarm and people remove the hook."""
    files = {
        "pyproject.toml": project,
        "model/wire.py": source + GOOD_WIRE,
        "model/other.py": "HAS_NUMPY = False\n",
        "tools/helper.py": "",
    }
    make_bundle(tmp_path, files)
    assert _found(tmp_path, "BK505", "BK508", "BK511") == []


_BESIDE: dict[str, tuple[str, str, Severity | None]] = {
    "tests": ("tests/test_a.py", "import hypothesis\n", _INFO),
    "pytest-in-tests": ("tests/conftest.py", "import pytest\n", None),
    "script": ("scripts/plot.py", "import matplotlib\n", _INFO),
    "setup.py": ("setup.py", "import numpy\n", None),
    "module-that-nothing-imports": ("model/extra.py", "import numpy\n", _WARNING),
    "function-of-such-a-module": ("model/extra.py", "def f():\n    import numpy\n", _INFO),
}


@pytest.mark.parametrize(("path", "source", "severity"), _BESIDE.values(), ids=_BESIDE)
def test_what_no_task_loads_is_no_error(path: str, source: str, severity: Severity | None, tmp_path: Path) -> None:
    """It ships, and perhaps it is imported by name; nothing from the wire and the targets leads to it."""
    make_bundle(tmp_path, {"pyproject.toml": _NOTHING, path: source})
    assert [finding.severity for finding in _found(tmp_path)] == ([severity] if severity else [])


def test_what_only_tests_import_is_not_given_to_every_worker(tmp_path: Path) -> None:
    """`--fix` wrote hypothesis into [project] dependencies; an extra that asks for it ends the matter."""
    make_bundle(tmp_path, {"pyproject.toml": _NOTHING, "tests/test_a.py": "import hypothesis\n"})
    (found,) = _found(tmp_path)
    assert found.hint == 'no task is seen to load it: add "hypothesis" to an extra or a dependency group'
    assert found.edit is None
    make_bundle(tmp_path, {"pyproject.toml": _OPTIONAL, "tests/test_a.py": "import hypothesis, matplotlib\n"})
    assert _found(tmp_path, "BK505", "BK508") == []


_LEADS: dict[str, tuple[dict[str, str], Severity]] = {
    "by-import": ({"model/wire.py": "from .steps import step\n" + GOOD_WIRE}, _ERROR),
    "by-its-package": ({"model/__init__.py": "from . import steps\n"}, _ERROR),
    "by-absolute-import": ({"model/wire.py": "import model.steps\n" + GOOD_WIRE}, _ERROR),
    "by-a-target": ({"pyproject.toml": pyproject(after='[tool.bundlekit]\ntargets = ["model.steps:fit"]')}, _ERROR),
    "by-a-smoke-task": (
        {"pyproject.toml": pyproject(after='[[tool.bundlekit.smoke]]\nentrypoint = "model.steps.Sir/baseline"')},
        _ERROR,
    ),
    "in-a-function": ({"model/wire.py": GOOD_WIRE + "def f():\n    from . import steps\n"}, _WARNING),
    "in-the-wire": (
        {"model/wire.py": "def wire(entrypoint, params, seed):\n    from model.steps import step\n    return {}\n"},
        _WARNING,
    ),
}


@pytest.mark.parametrize(("files", "severity"), _LEADS.values(), ids=_LEADS)
def test_imports_are_followed_to_what_tasks_load(files: dict[str, str], severity: Severity, tmp_path: Path) -> None:
    """The import that fails is rarely in the wire's own file."""
    make_bundle(
        tmp_path, {"model/steps.py": "import starsim\ndef fit(sim_returns):\n    return {'loss': 1.0}\n", **files}
    )
    (found,) = _found(tmp_path)
    assert (found.path, found.severity) == ("model/steps.py", severity)


def test_a_guarded_import_of_an_own_module_is_followed_without_harm(tmp_path: Path) -> None:
    """If the own module fails to load, so it is dealt with."""
    source = "try:\n    from . import steps\nexcept ImportError:\n    steps = None\n"
    make_bundle(tmp_path, {"model/wire.py": source + GOOD_WIRE, "model/steps.py": "import starsim\n"})
    assert _found(tmp_path) == []


def test_a_file_that_the_registry_names_may_be_loaded(tmp_path: Path) -> None:
    """The platform imports models by name; which, it says at run time."""
    registry = "models:\n  sir:\n    entrypoint: model.sir:Sir\n    path: model/sir.py\n    outputs: [a]\ntargets: {}\n"
    make_bundle(
        tmp_path, {".modelops-bundle/registry.yaml": registry, "model/sir.py": "import starsim\nclass Sir: ...\n"}
    )
    assert [finding.path for finding in _found(tmp_path)] == ["model/sir.py"]


def test_one_missing_requirement_is_one_finding(tmp_path: Path) -> None:
    """Forty files import numpy, and one line mends them all."""
    files = {f"model/part{number}.py": "import numpy\n" for number in range(3)}
    make_bundle(tmp_path, {"model/wire.py": "import numpy\n" + GOOD_WIRE, **files})
    (found,) = _found(tmp_path)
    assert (found.path, found.severity) == ("model/wire.py", _ERROR)
    assert found.message.endswith("(also in 3 other places)")


def test_what_only_an_extra_asks_for_is_a_warning(tmp_path: Path) -> None:
    """Runners install no extras and no groups."""
    source = "import matplotlib.pyplot\nimport hypothesis\n"
    make_bundle(tmp_path, {"pyproject.toml": _OPTIONAL, "model/wire.py": source + GOOD_WIRE})
    found = _found(tmp_path, "BK505", "BK508")
    assert [(f.code, f.severity) for f in found] == [("BK508", _WARNING)] * 2
    assert "only the extra 'plot' asks for" in found[0].message
    assert "only the group 'dev' asks for" in found[1].message


def test_an_extra_is_good_enough_for_what_is_optional(tmp_path: Path) -> None:
    """That is what extras are for."""
    files = {
        "pyproject.toml": _OPTIONAL,
        "model/wire.py": GOOD_WIRE + "def plot():\n    import matplotlib\n",
        "tests/test_a.py": "import hypothesis\n",
    }
    make_bundle(tmp_path, files)
    assert _found(tmp_path, "BK505", "BK508") == []


_MARKERS: dict[str, tuple[str, str, str, Severity | None]] = {
    "windows": ("pywin32 ; sys_platform == 'win32'", "", "import win32api\n", _ERROR),
    "old-python": ("tomli ; python_version < '3.11'", "", "import tomli\n", _ERROR),
    "some-python": ("tomli ; python_version < '3.12'", "", "import tomli\n", None),
    "workers-python": ("tomli ; python_version < '3.12'", 'python = "3.12"', "import tomli\n", _ERROR),
    "linux": ("numpy ; platform_system == 'Linux'", "", "import numpy\n", None),
    "macos": ("numpy ; sys_platform == 'darwin'", 'platform = "macos"', "import numpy\n", None),
    "arm": ("numpy ; platform_machine == 'aarch64'", 'platform = "aarch64-manylinux_2_28"', "import numpy\n", None),
    "not-arm": ("numpy ; platform_machine == 'aarch64'", "", "import numpy\n", _ERROR),
    "windows-arm": (
        "numpy ; platform_machine == 'ARM64' and os_name == 'nt'",
        'platform = "aarch64-pc-windows-msvc"',
        "import numpy\n",
        None,
    ),
    "not-to-be-told": ("numpy ; platform_release == '6'", "", "import numpy\n", None),
    "no-marker-at-all": ("numpy ; nonsense ==", "", "import numpy\n", None),
    "in-a-function": ("pywin32 ; sys_platform == 'win32'", "", "def f():\n    import win32api\n", _WARNING),
}


@pytest.mark.parametrize(("requirement", "worker", "source", "severity"), _MARKERS.values(), ids=_MARKERS)
def test_a_marker_is_judged_for_the_worker(
    requirement: str, worker: str, source: str, severity: Severity | None, tmp_path: Path
) -> None:
    """The scientist has a Mac, the cluster does not."""
    after = f"[tool.bundlekit.worker]\n{worker}\n" if worker else ""
    make_bundle(
        tmp_path,
        {
            "pyproject.toml": pyproject(project=f'dependencies = ["{requirement}"]', after=after),
            "model/wire.py": source + GOOD_WIRE,
        },
    )
    found = _found(tmp_path, "BK511", "BK505")
    assert [(finding.code, finding.severity) for finding in found] == ([("BK511", severity)] if severity else [])


_UNUSED: dict[str, tuple[str, str, list[str]]] = {
    "not-imported": ('["numpy==1", "scipy==1"]', "import numpy\n", ["scipy"]),
    "imported-in-tests": ('["numpy==1", "scipy==1"]', "import numpy\n\ndef f():\n    import scipy\n", []),
    "mentioned": ('["numpy==1", "pyarrow==1"]', "import numpy\nENGINE = 'pyarrow'\n", []),
    "plug-in": ('["numpy==1", "types-PyYAML", "pytest-xdist", "setuptools"]', "import numpy\n", []),
    "unknown-names": ('["numpy==1", "mystery"]', "import numpy\n", []),
    "nothing-is-imported": ('["numpy==1"]', "import math\n", []),
}


@pytest.mark.parametrize(("declared", "source", "unused"), _UNUSED.values(), ids=_UNUSED)
def test_a_dependency_that_nothing_imports_is_information(
    declared: str, source: str, unused: list[str], tmp_path: Path
) -> None:
    """Every worker installs it; what is found by name is not known to be unused."""
    make_bundle(
        tmp_path,
        {"pyproject.toml": pyproject(project=f"dependencies = {declared}"), "model/wire.py": source + GOOD_WIRE},
    )
    found = _found(tmp_path, "BK506")
    assert [(finding.entity, finding.severity) for finding in found] == [(name, _INFO) for name in unused]


def test_a_dependency_that_brings_the_wire_is_used(tmp_path: Path) -> None:
    """Nobody imports it; the entry point names it."""
    make_bundle(
        tmp_path,
        {
            "pyproject.toml": pyproject(wire="starsim.wire:wire", project='dependencies = ["starsim==3", "numpy==2"]'),
            "model/wire.py": "import numpy\n",
        },
    )
    assert _found(tmp_path, "BK506") == []


_ENVIRONMENT = {
    "numpy": Installed("2.1.0", ["numpy/__init__.py"]),
    "pandas": Installed(
        "2.2.0", ["pandas/__init__.py"], ["numpy>=1.26", "odfpy; extra == 'ods'", "tzdata; sys_platform == 'win32'"]
    ),
    "fast-things": Installed("1.0", ["quick/__init__.py"]),
    "google-auth": Installed("2.0", ["google/auth/__init__.py"]),
    "odfpy": Installed("1.0", ["odf/__init__.py"]),
    "scatter": Installed(
        "1.0",
        [
            "lab/one.py",
            "lab/two/__init__.py",
            "lab/two/deep.py",
            "../../bin/scatter",
            "not-a-module/x.py",
            "_c.cpython-311-x86_64-linux-gnu.so",
        ],
    ),
}


def _in_environment(tmp_path: Path, declared: str, source: str, **more: Installed) -> list[Finding]:
    environment = make_environment(tmp_path / "venv", _ENVIRONMENT | more)
    make_bundle(
        tmp_path / "sir",
        {"pyproject.toml": pyproject(project=f"dependencies = {declared}"), "model/wire.py": source + GOOD_WIRE},
    )
    found = check(read_project(tmp_path / "sir", python=str(environment)))
    return [finding for finding in found if finding.code in {"BK505", "BK506", "BK508"}]


_KNOWN: dict[str, tuple[str, str, list[tuple[str, Severity, str]]]] = {
    "declared": ('["pandas"]', "import pandas\n", []),
    "under-any-name": ('["fast-things"]', "import quick\n", []),
    "comes-along": ('["pandas"]', "import pandas, numpy\n", [("BK508", _INFO, "comes only with another")]),
    "not-reached": (
        '["numpy"]',
        "import numpy, pandas\n",
        [("BK505", _ERROR, "has it from pandas 2.2.0, which none of them needs")],
    ),
    "name-told-by-the-environment": ('["numpy"]', "import numpy, quick\n", [("BK505", _ERROR, "fast-things 1.0")]),
    "nowhere": ('["pandas"]', "import pandas, starsim\n", [("BK505", _ERROR, "no declared dependency provides")]),
    "of-an-extra-not-asked-for": ('["pandas"]', "import pandas, odf\n", [("BK505", _ERROR, "odfpy 1.0")]),
    "of-an-extra": ('["pandas[ods]"]', "import pandas, odf\n", [("BK508", _INFO, "comes only")]),
    "another-part-of-a-namespace": (
        '["google-auth"]',
        "import google.auth\nfrom google.cloud import storage\n",
        [("BK505", _ERROR, "'google.cloud.storage', which no declared dependency provides")],
    ),
    "namespace": ('["scatter"]', "import lab.one\nfrom lab import two\nimport _c\n", []),
    "not-all-is-installed": (
        '["pandas", "mystery"]',
        "import pandas, starsim\n",
        [("BK505", _WARNING, "is known to provide")],
    ),
    "holder-that-may-come-along": (
        '["numpy", "mystery"]',
        "import numpy, quick\n",
        [("BK505", _WARNING, "is known to provide")],
    ),
    "unused": ('["numpy", "fast-things"]', "import numpy\n", [("BK506", _INFO, "'quick'")]),
}


@pytest.mark.parametrize(("declared", "source", "expected"), _KNOWN.values(), ids=_KNOWN)
def test_an_environment_says_what_comes_along(
    declared: str, source: str, expected: list[tuple[str, Severity, str]], tmp_path: Path
) -> None:
    """What is installed is known to the file: which names, and who needs whom."""
    found = _in_environment(tmp_path, declared, source)
    assert [(finding.code, finding.severity) for finding in found] == [
        (code, severity) for code, severity, _ in expected
    ]
    for finding, (_, _, said) in zip(found, expected, strict=True):
        assert said in finding.message


def test_an_editable_install_leaves_it_open_what_it_provides(tmp_path: Path) -> None:
    """Its files are elsewhere, and its record does not list them."""
    found = _in_environment(
        tmp_path, '["lab-mine"]', "import starsim\n", **{"lab-mine": Installed("1.0", ["__editable___lab_finder.py"])}
    )
    assert [(finding.code, finding.severity) for finding in found] == [("BK505", _WARNING)]


_UV_LOCK = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "model"
version = "1.0"
source = {{ virtual = "." }}
dependencies = [{{ name = "pandas" }}]

[package.optional-dependencies]
plot = [{{ name = "matplotlib" }}]

[package.metadata]
requires-dist = [{{ name = "pandas", specifier = "{specifier}" }}, {{ name = "matplotlib", marker = "extra == 'plot'" }}]

[[package]]
name = "pandas"
version = "2.2.0"
source = {{ registry = "https://pypi.org/simple" }}
dependencies = [{{ name = "numpy" }}]

[[package]]
name = "numpy"
version = "2.1.0"

[[package]]
name = "matplotlib"
version = "3.9.0"
dependencies = [{{ name = "pillow" }}]
{more}"""

_LOCKED: dict[str, tuple[str, str, list[tuple[str, Severity]]]] = {
    "declared": ("import pandas\n", "", []),
    "comes-along": ("import pandas, numpy\n", "", [("BK508", _INFO)]),
    "not-in-the-lock": ("import pandas, starsim\n", "", [("BK505", _ERROR)]),
    "only-of-an-extra": ("import pandas, PIL\n", "", [("BK505", _ERROR)]),
    "unknown-name": ("import pandas, mystery\n", "", [("BK505", _ERROR)]),
    "unknown-name-that-comes-along": (
        "import pandas, odd\n",
        '[[package]]\nname = "numpy"\nversion = "1"\ndependencies = [{ name = "odd" }]\n[[package]]\nname = "odd"\nversion = "1"\n',
        [("BK508", _INFO)],
    ),
    "unknown-name-beside-unknown-distribution": (
        "import pandas, mystery\n",
        '[[package]]\nname = "numpy"\nversion = "1"\ndependencies = [{ name = "odd" }]\n[[package]]\nname = "odd"\nversion = "1"\n',
        [("BK505", _WARNING)],
    ),
}


@pytest.mark.parametrize(("source", "more", "expected"), _LOCKED.values(), ids=_LOCKED)
def test_a_lock_says_what_comes_along(
    source: str, more: str, expected: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    """It lists every distribution; what one of them is imported as is known of the well-known."""
    text = pyproject(project='requires-python = ">=3.11"\ndependencies = ["pandas>=2"]')
    lock = _UV_LOCK.format(specifier=">=2", more=more)
    make_bundle(tmp_path, {"pyproject.toml": text, "uv.lock": lock, "model/wire.py": source + GOOD_WIRE})
    assert [(finding.code, finding.severity) for finding in _found(tmp_path, "BK505", "BK508")] == expected


def test_what_an_extra_asks_for_may_come_along_all_the_same(tmp_path: Path) -> None:
    """A lock knows: pandas needs numpy, whichever extra asks for it as well."""
    text = pyproject(
        project='dependencies = ["pandas>=2"]\noptional-dependencies = { fast = ["numpy"], plot = ["matplotlib"] }'
    )
    make_bundle(
        tmp_path,
        {
            "pyproject.toml": text,
            "uv.lock": _UV_LOCK.format(specifier=">=2", more=""),
            "model/wire.py": "import numpy\nimport matplotlib\n" + GOOD_WIRE,
        },
    )
    found = _found(tmp_path, "BK505", "BK508")
    assert [(finding.entity, finding.severity) for finding in found] == [("numpy", _INFO), ("matplotlib", _WARNING)]


def test_a_lock_that_says_nothing_of_needs_brings_all_that_it_lists(tmp_path: Path) -> None:
    """Hashed requirements are a list, and all of it is installed."""
    lock = "pandas==2.2.0 --hash=sha256:aa\nnumpy==2.1.0 --hash=sha256:bb\n"
    make_bundle(
        tmp_path,
        {
            "pyproject.toml": pyproject(project='dependencies = ["pandas"]'),
            "requirements.txt": lock,
            "model/wire.py": "import pandas, numpy, scipy\n" + GOOD_WIRE,
        },
    )
    assert [(f.code, f.entity, f.severity) for f in _found(tmp_path, "BK505", "BK508")] == [
        ("BK505", "scipy", _ERROR),
        ("BK508", "numpy", _INFO),
    ]


def test_a_damaged_requirement_of_an_installed_distribution_is_passed_over(tmp_path: Path) -> None:
    """It is not the bundle's fault."""
    found = _in_environment(tmp_path, '["odd"]', "import odd\n", odd=Installed("1", ["odd.py"], ["=> nothing"]))
    assert found == []


_NAMED: dict[str, tuple[str, str, list[tuple[str, Severity, str]]]] = {
    "declared": ('["pandas"]', "pandas.core:f", []),
    "comes-along": ('["pandas"]', "numpy:norm", [("BK508", _INFO, "names 'numpy', which is not declared")]),
    "not-declared": (
        '["numpy"]',
        "quick:f",
        [("BK505", _ERROR, "names 'quick', which no declared dependency provides")],
    ),
    "of-python": ('["numpy"]', "statistics:mean", []),
    "own": ('["numpy"]', "model.wire:wire", []),
}


@pytest.mark.parametrize(("declared", "target", "expected"), _NAMED.values(), ids=_NAMED)
def test_a_target_of_a_dependency_needs_its_declaration(
    declared: str, target: str, expected: list[tuple[str, Severity, str]], tmp_path: Path
) -> None:
    """It is allowed to come from there only if that is declared (HOSTILE_CORPUS P06)."""
    environment = make_environment(tmp_path / "venv", _ENVIRONMENT)
    text = pyproject(project=f"dependencies = {declared}", after=f'[tool.bundlekit]\ntargets = ["{target}"]\n')
    make_bundle(tmp_path / "sir", {"pyproject.toml": text})
    found = check(read_project(tmp_path / "sir", python=str(environment)))
    found = [one for one in found if one.code in {"BK505", "BK508"}]
    assert [(one.code, one.severity, one.path) for one in found] == [
        (code, severity, "pyproject.toml") for code, severity, _ in expected
    ]
    assert all(said in one.message for one, (_, _, said) in zip(found, expected, strict=True))


def test_a_module_that_is_missing_anyhow_is_told_once(tmp_path: Path) -> None:
    """Where nothing is declared, the target's own rule says that its module does not exist."""
    text = pyproject(project="dependencies = []", after='[tool.bundlekit]\ntargets = ["scipy.stats:zmap"]\n')
    make_bundle(tmp_path, {"pyproject.toml": text})
    assert [one.code for one in findings_of(tmp_path) if "scipy" in one.message] == ["BK404"]


_PROVIDERS: dict[str, tuple[str, str | None]] = {
    "declared": ("pandas.io", "pandas 2.2.0"),
    "comes-along": ("numpy", "numpy 2.1.0"),
    "not-declared": ("quick", None),
    "nowhere": ("starsim", None),
}


@pytest.mark.parametrize(("module", "provider"), _PROVIDERS.values(), ids=_PROVIDERS)
def test_the_provider_of_a_module_is_named_with_its_version(module: str, provider: str | None, tmp_path: Path) -> None:
    """Where a wire comes from a dependency, the message says which (HOSTILE_CORPUS P06)."""
    environment = make_environment(tmp_path / "venv", _ENVIRONMENT)
    make_bundle(tmp_path / "sir", {"pyproject.toml": pyproject(project='dependencies = ["pandas"]')})
    assert Evidence(read_project(tmp_path / "sir", python=str(environment))).supply.provider(module) == provider


def test_the_provider_of_a_module_is_known_by_its_name_alone(tmp_path: Path) -> None:
    """Without an environment, the well-known names say it."""
    make_bundle(tmp_path, {"pyproject.toml": pyproject(project='dependencies = ["PyYAML"]')})
    assert Evidence(read_project(tmp_path)).supply.provider("yaml") == "PyYAML"


def test_a_wire_of_a_dependency_is_told_with_the_distribution(tmp_path: Path) -> None:
    """What runs the tasks is then not the scientist's own code (HOSTILE_CORPUS P06)."""
    environment = make_environment(tmp_path / "venv", _ENVIRONMENT)
    (environment / "lib/python3.11/site-packages/quick/__init__.py").write_text(GOOD_WIRE)
    text = pyproject(wire="quick:wire", project='dependencies = ["fast-things"]')
    make_bundle(tmp_path / "sir", {"pyproject.toml": text})
    found = check(read_project(tmp_path / "sir", python=str(environment)))
    (told,) = (one for one in found if one.code == "BK309")
    assert "it comes from the dependency 'fast-things 1.0', where it is wire(entrypoint, params, seed)" in told.message


_PASSED_ON: dict[str, tuple[str, str]] = {
    "function-of-a-dependency": ("from quick import wire\n", "the dependency 'fast-things 1.0'"),
    "class-of-a-dependency": ("from quick import Wire as wire\n", "outside of the bundle"),
}


@pytest.mark.parametrize(("source", "whose"), _PASSED_ON.values(), ids=_PASSED_ON)
def test_what_the_bundle_passes_on_is_told_with_where_it_is_from(source: str, whose: str, tmp_path: Path) -> None:
    """It was told with the distribution whose name is most like that of the bundle's own module."""
    environment = make_environment(tmp_path / "venv", _ENVIRONMENT)
    code = f"{GOOD_WIRE}class Wire:\n    def __init__(self, a, b, c): ...\n"
    (environment / "lib/python3.11/site-packages/quick/__init__.py").write_text(code)
    text = pyproject(wire="model.wire:wire", project='dependencies = ["fast-things", "model-things"]')
    make_bundle(tmp_path / "sir", {"pyproject.toml": text, "model/wire.py": source})
    found = check(read_project(tmp_path / "sir", python=str(environment)))
    (told,) = (one for one in found if one.code == "BK309")
    assert f"it comes from {whose}, where it is" in told.message


def test_what_is_passed_on_from_python_is_told_so(tmp_path: Path) -> None:
    """No dependency brings that."""
    make_bundle(tmp_path, {"model/wire.py": "from fnmatch import filter as wire\n"})
    (told,) = findings_of(tmp_path)
    whose = "the module 'fnmatch' of Python's standard library"
    assert f"it comes from {whose}, where it is filter(names, pat)" in told.message


_SOURCES: dict[str, tuple[str, str, list[tuple[str, Severity]]]] = {
    "repository": ("git+https://h.invalid/x/lab-utils.git@v1\n", "import lab_utils\n", []),
    "branch-with-a-slash": ("git+https://h.invalid/x/lab-utils@fix/this\n", "import lab_utils\n", []),
    "repository-of-a-prefix": ("git+https://h.invalid/x/python-lab\n", "import lab\n", []),
    "egg": ("git+ssh://git@h.invalid/x/other.git#subdirectory=a&egg=lab\n", "import lab\n", []),
    "wheel": ("https://h.invalid/lab-1.0-py3-none-any.whl\n", "import lab\n", []),
    "archive": ("https://h.invalid/lab-1.0.tar.gz\n", "import lab\n", []),
    "path": ("./vendor/lab/\n", "import lab\n", []),
    "another-name": ("git+https://h.invalid/x/lab.git\n", "import starsim\n", [("starsim", _WARNING)]),
    "no-name": ("./\n", "import starsim\n", [("starsim", _WARNING)]),
    "well-known": ("git+https://h.invalid/numpy/numpy\n", "import numpy\n", []),
}


@pytest.mark.parametrize(("requirements", "source", "wanted"), _SOURCES.values(), ids=_SOURCES)
def test_what_a_bare_source_most_likely_installs_is_declared(
    requirements: str, source: str, wanted: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    """`git+https://...` was taken for a distribution called git, whose lock entry was then asked for."""
    files = {"pyproject.toml": "[tool.bundlekit]\n", "requirements.txt": requirements, "wire.py": source + GOOD_WIRE}
    make_bundle(tmp_path, files)
    assert [(finding.entity, finding.severity) for finding in _found(tmp_path)] == wanted
    lock = 'lock-version = "1.0"\ncreated-by = "uv"\n[[packages]]\nname = "starsim"\nversion = "1.0"\n'
    make_bundle(tmp_path, {**files, "pylock.toml": lock})
    assert _found(tmp_path, "BK505", "BK513", "BK514") == []


_UNTOLD: dict[str, dict[str, str]] = {
    "poetry": {
        "pyproject.toml": '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
        '[tool.poetry]\nname = "model"\n[tool.poetry.dependencies]\nnumpy = "^2"\n'
        '[tool.poetry.plugins."modelops.wire"]\nexecute = "model.wire:wire"\n'
    },
    "setup.py": {"pyproject.toml": "[tool.bundlekit]\n", "setup.py": "setup(install_requires=['numpy'])\n"},
    "dynamic": {"pyproject.toml": pyproject(project='dynamic = ["dependencies"]')},
}


@pytest.mark.parametrize("files", _UNTOLD.values(), ids=_UNTOLD)
def test_an_environment_cannot_tell_what_only_the_build_declares(files: dict[str, str], tmp_path: Path) -> None:
    """What nobody has read was taken for nothing: numpy was an error, and `--fix` wrote a requirements.txt."""
    environment = make_environment(tmp_path / "venv", _ENVIRONMENT)
    make_bundle(tmp_path / "sir", {**files, "model/wire.py": f"import numpy\n{GOOD_WIRE}"})
    found = check(read_project(tmp_path / "sir", python=str(environment)))
    assert [one for one in found if one.code in {"BK505", "BK508"}] == []
