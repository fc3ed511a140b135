"""Bundles as people build them: what a build backend or a newer Python understands is no error here."""

import sys
from pathlib import Path

import pytest
from builders.bundles import GOOD_WIRE, findings_of, make_bundle, pyproject
from builders.projects import write_tree

from bundlekit.model.finding import Severity
from bundlekit.read.project import read_project


def _built_by(backend: str, after: str = "", wire: str = "sir.wire:wire", project: str = "") -> str:
    return pyproject(
        wire=wire, project=project, after=f'[build-system]\nrequires = []\nbuild-backend = "{backend}"\n{after}'
    )


_SIR = {"sir/__init__.py": "", "sir/wire.py": GOOD_WIRE}
_SRC = {f"src/{path}": text for path, text in _SIR.items()}

_CLEAN: dict[str, dict[str, str]] = {
    "hatch-src": {
        "pyproject.toml": _built_by("hatchling.build", '[tool.hatch.build.targets.wheel]\npackages = ["src/sir"]\n'),
        **_SRC,
    },
    "hatch-renamed": {
        "pyproject.toml": _built_by(
            "hatchling.build",
            '[tool.hatch.build.targets.wheel]\nonly-include = ["lib/a"]\nsources = {"lib/a" = "sir"}\n',
        ),
        "lib/a/__init__.py": "",
        "lib/a/wire.py": GOOD_WIRE,
    },
    "hatch-renamed-deeper": {
        "pyproject.toml": _built_by(
            "hatchling.build", '[tool.hatch.build]\nsources = {"lib" = "lab/sir"}\n', "lab.sir.wire:wire"
        ),
        "lab/__init__.py": "",
        "lib/wire.py": GOOD_WIRE,
    },
    "poetry-from": {
        "pyproject.toml": _built_by(
            "poetry.core.masonry.api",
            '[tool.poetry]\npackages = [{include = "sir", from = "src"}, {include = "tools"}]\n',
        ),
        "tools/__init__.py": "",
        **_SRC,
    },
    "flit-module": {"pyproject.toml": _built_by("flit_core.buildapi", wire="sir:wire"), "src/sir.py": GOOD_WIRE},
    "setuptools-where": {
        "pyproject.toml": _built_by("setuptools.build_meta", '[tool.setuptools.packages.find]\nwhere = ["src"]\n'),
        **_SRC,
    },
    "setuptools-py-modules": {
        "pyproject.toml": _built_by("setuptools.build_meta", '[tool.setuptools]\npy-modules = ["sir"]\n', "sir:wire"),
        "sir.py": GOOD_WIRE,
    },
    "uv-flat": {"pyproject.toml": _built_by("uv_build", '[tool.uv.build-backend]\nmodule-root = ""\n'), **_SIR},
    "pkgutil-namespace": {
        "pyproject.toml": _built_by("setuptools.build_meta", wire="lab.sir.wire:wire"),
        "src/lab/__init__.py": '__path__ = __import__("pkgutil").extend_path(__path__, __name__)\n',
        **{path.replace("src/", "src/lab/"): text for path, text in _SRC.items()},
    },
    "types-only": {
        "sir/wire.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from nowhere import X\n" + GOOD_WIRE
    },
    "overloads": {"sir/wire.py": "from typing import overload\n@overload\ndef wire(a: str) -> None: ...\n" + GOOD_WIRE},
    "private-name-in-computed-all": {
        "pyproject.toml": pyproject(wire="sir.wire:_wire"),
        "sir/wire.py": "from .core import *\n",
        "sir/core.py": "__all__ = ['_w' + 'ire']\ndef _wire(a, b, c): ...\n",
    },
    "scripts-tests-and-docs": {**_SIR, "run.py": "import sys\nsys.exit()\n", "tests/test_a.py": "", "docs/conf.py": ""},
}


@pytest.mark.parametrize("files", _CLEAN.values(), ids=_CLEAN)
def test_a_bundle_that_runs_is_left_alone(files: dict[str, str], tmp_path: Path) -> None:
    """Whatever the backend, its own way to lay packages out is known."""
    start = {"pyproject.toml": pyproject(wire="sir.wire:wire"), "sir/__init__.py": ""} if "sir/wire.py" in files else {}
    write_tree(tmp_path, start | files)
    assert findings_of(tmp_path) == []


_OPEN: dict[str, dict[str, str]] = {
    "poetry-to": {
        "pyproject.toml": _built_by(
            "poetry.core.masonry.api", '[tool.poetry]\npackages = [{include = "wire.py", from = "lib", to = "sir"}]\n'
        ),
        "lib/wire.py": GOOD_WIRE,
    },
    "enumeration": {
        "sir/wire.py": "import enum\nclass W(enum.Enum):\n    A = 1\n    def __call__(self, a, b, c): ...\nwire = W.A\n"
    },
    "metaclass": {"sir/wire.py": "class W(metaclass=type):\n    A = 1\nwire = W.A\n"},
}


@pytest.mark.parametrize("files", _OPEN.values(), ids=_OPEN)
def test_a_bundle_in_doubt_is_left_to_the_import_stage(files: dict[str, str], tmp_path: Path) -> None:
    """What reading cannot tell is said, and is no error."""
    start = {"pyproject.toml": pyproject(wire="sir.wire:wire"), "sir/__init__.py": ""} if "sir/wire.py" in files else {}
    write_tree(tmp_path, start | files)
    assert [(finding.code, finding.severity) for finding in findings_of(tmp_path)] == [("BK309", Severity.INFO)]


_NEWER = f"{sys.version_info.major}.{sys.version_info.minor + 1}"


@pytest.mark.parametrize(
    ("requires", "severity"),
    [(f">={_NEWER}", Severity.WARNING), (">=3.11", Severity.ERROR), ("oops", Severity.ERROR)],
)
def test_a_source_for_a_newer_python_is_no_error(requires: str, severity: Severity, tmp_path: Path) -> None:
    """Its syntax may be fine there; the stages after this one use an interpreter that the bundle admits."""
    text = pyproject(project=f'requires-python = "{requires}"')
    make_bundle(tmp_path, {"pyproject.toml": text, "model/wire.py": "newer syntax\n" + GOOD_WIRE})
    assert [finding.severity for finding in findings_of(tmp_path) if finding.code == "BK311"] == [severity]


_VERSIONS: dict[str, tuple[dict[str, str], str | None]] = {
    "absolute": (
        {"model/__init__.py": "from model._v import __version__\n", "model/_v.py": '__version__ = "1.5"\n'},
        "1.5",
    ),
    "relative": (
        {"model/__init__.py": "from ._v import a, __version__  # x\n", "model/_v.py": '__version__ = "1.5"\n'},
        "1.5",
    ),
    "of-the-package": (
        {"model/__init__.py": "from .a import __version__\n", "model/a.py": "from . import __version__\n"},
        None,
    ),
    "two-steps": (
        {
            "model/__init__.py": "from .a.b import __version__\n",
            "model/a/b.py": "from ..c import __version__\n",
            "model/c.py": "__version__ = '2'\n",
        },
        "2",
    ),
    "literal-first": ({"model/__init__.py": 'from .a import __version__\n__version__ = "3"\n'}, "3"),
    "under-another-name": (
        {"model/__init__.py": "from .a import __version__ as v\n", "model/a.py": "__version__ = '2'\n"},
        None,
    ),
}


@pytest.mark.parametrize(("files", "version"), _VERSIONS.values(), ids=_VERSIONS)
def test_a_version_is_followed_through_imports(files: dict[str, str], version: str | None, tmp_path: Path) -> None:
    """Backends import the module when they must; a plain re-export can be read."""
    text = _built_by("flit_core.buildapi", wire="model.wire:wire").replace('version = "1.0"', 'dynamic = ["version"]')
    make_bundle(tmp_path, {"pyproject.toml": text, **files})
    assert read_project(tmp_path).version == version
