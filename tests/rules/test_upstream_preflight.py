"""CONTRACT section 6, line by line: where the platform's own preflight is wrong or crashes, bundlekit is right."""

# ruff: noqa: E501 - a row of a table is one line

from pathlib import Path

import pytest
from builders.bundles import GOOD_PYPROJECT, GOOD_WIRE, findings_of, make_bundle, pyproject
from builders.projects import write_tree

from bundlekit.model.finding import Finding, Severity

_REGISTRY = ".modelops-bundle/registry.yaml"
_SIR = "class Sir:\n    pass\n"
_LOSS = 'def loss(sim_returns, target_data=None):\n    return {"loss": 1.0}\n'
_UNNAMED = '[project]\nname = "model"\nversion = "1.0"\n'


def _model(entrypoint: str, path: str) -> str:
    return f"models:\n  sir:\n    entrypoint: {entrypoint}\n    path: {path}\n    class_name: Sir\n    outputs: [x]\n"


def _target(entrypoint: str, path: str) -> str:
    return f"{_model('model.sir:Sir', 'model/sir.py')}targets:\n  fit:\n    entrypoint: {entrypoint}\n    path: {path}\n    model_output: x\n"


def _errors(root: Path) -> list[Finding]:
    return [finding for finding in findings_of(root) if finding.severity is Severity.ERROR]


_WITH_MODEL = {
    "pyproject.toml": GOOD_PYPROJECT,
    "model/__init__.py": "",
    "model/wire.py": GOOD_WIRE,
    "model/sir.py": _SIR,
}
_CALABRIAN = "class Loss:\n    model_output = 'x'\n\n    def evaluate(self, replicates):\n        return 1.0\n"

_FALSE_ERRORS: dict[str, dict[str, str | bytes]] = {
    "src-layout-with-installed-name": {
        "pyproject.toml": pyproject(wire="sir.wire:wire"),
        "src/sir/__init__.py": "",
        "src/sir/wire.py": GOOD_WIRE,
        "src/sir/model.py": _SIR,
        _REGISTRY: _model("sir.model:Sir", "src/sir/model.py"),
    },
    "package-level-module": {**_WITH_MODEL, "models/__init__.py": _SIR, _REGISTRY: _model("models:Sir", "models/__init__.py")},
    "package-level-target": {**_WITH_MODEL, "targets/__init__.py": _LOSS, _REGISTRY: _target("targets:loss", "targets/__init__.py")},
    "re-exported-class": {
        **_WITH_MODEL,
        "models/__init__.py": "from .sir import *\n",
        "models/sir.py": f"__all__ = ['Sir']\n{_SIR}",
        _REGISTRY: _model("models:Sir", "models/sir.py"),
    },
    "re-exported-target": {
        **_WITH_MODEL,
        "targets/__init__.py": "from targets.fit import fitted as loss\n",
        "targets/fit.py": _LOSS.replace("loss(", "fitted("),
        _REGISTRY: _target("targets:loss", "targets/fit.py"),
    },
    "class-target": {**_WITH_MODEL, "targets/fit.py": _CALABRIAN, "targets/__init__.py": "", _REGISTRY: _target("targets.fit:Loss", "targets/fit.py")},
    "partial-target": {
        **_WITH_MODEL,
        "model/fit.py": "from functools import partial\n\ndef f(weight, sim_returns, target_data=None):\n    return {'loss': 1.0}\n\nloss = partial(f, 2)\n",
        _REGISTRY: _target("model.fit:loss", "model/fit.py"),
    },
    "requirements-only-bundle": {"wire.py": GOOD_WIRE, "requirements.txt": "numpy\n", "models/__init__.py": "", "models/sir.py": _SIR, _REGISTRY: _model("models.sir:Sir", "models/sir.py")},
    "modelops-toml-only-wire": {
        **_WITH_MODEL,
        "pyproject.toml": _UNNAMED,
        ".modelops/modelops.toml": '[modelops]\nwire = "model.wire:wire"\n',
        _REGISTRY: _model("model.sir:Sir", "model/sir.py"),
    },
    "root-level-module": {**_WITH_MODEL, "sir.py": _SIR, _REGISTRY: _model("sir:Sir", "sir.py")},
    "byte-order-mark": {**_WITH_MODEL, "model/sir.py": b"\xef\xbb\xbfclass Sir:\n    pass\n", _REGISTRY: _model("model.sir:Sir", "model/sir.py")},
    "latin-1-cookie": {**_WITH_MODEL, "model/sir.py": b"# coding: latin-1\nNAME = '\xe9'\nclass Sir:\n    pass\n", _REGISTRY: _model("model.sir:Sir", "model/sir.py")},
    "missing-init": {**_WITH_MODEL, "models/sir.py": _SIR, _REGISTRY: _model("models.sir:Sir", "models/sir.py")},
    "inner-class-by-its-name": {**_WITH_MODEL, "model/sir.py": "class All:\n    class Sir:\n        pass\n", _REGISTRY: _model("model.sir:All.Sir", "model/sir.py")},
    "class-under-a-condition": {**_WITH_MODEL, "model/sir.py": "import sys\nif sys.platform == 'linux':\n    class Sir:\n        pass\nelse:\n    class Sir:\n        pass\n", _REGISTRY: _model("model.sir:Sir", "model/sir.py")},
    "base-from-a-dependency": {**_WITH_MODEL, "pyproject.toml": pyproject(project='dependencies = ["lab"]'), "model/sir.py": "from lab import Base\n\nclass Sir(Base):\n    pass\n", _REGISTRY: _model("model.sir:Sir", "model/sir.py")},
}  # fmt: skip


@pytest.mark.parametrize("files", _FALSE_ERRORS.values(), ids=_FALSE_ERRORS)
def test_a_false_error_of_the_preflight_is_none_here(files: dict[str, str | bytes], tmp_path: Path) -> None:
    """Each of these runs on the platform, and its own preflight blocks the push."""
    write_tree(tmp_path, files)
    assert _errors(tmp_path) == []


_FALSE_PASSES: dict[str, tuple[dict[str, str | bytes], str, Severity, str]] = {
    "two-wires": ({"pyproject.toml": GOOD_PYPROJECT.replace("execute =", 'other = "model.wire:wire"\nexecute =')}, "BK302", Severity.ERROR, "pyproject.toml"),
    "entry-point-to-nothing": ({"pyproject.toml": pyproject(wire="model.wires:wire")}, "BK304", Severity.ERROR, "pyproject.toml"),
    "garbage-manifest": ({"pyproject.toml": _UNNAMED, ".modelops/manifest.json": "garbage"}, "BK106", Severity.ERROR, ".modelops/manifest.json"),
    "wire-py-without-wire": ({"pyproject.toml": _UNNAMED, "wire.py": "def run(entrypoint, params, seed):\n    return {}\n"}, "BK305", Severity.ERROR, "wire.py"),
    "nested-class": ({"model/sir.py": "def make():\n    class Sir:\n        pass\n    return Sir\n", _REGISTRY: _model("model.sir:Sir", "model/sir.py")}, "BK123", Severity.ERROR, _REGISTRY),
    "nested-function": ({"model/sir.py": _SIR, "model/fit.py": "class Fit:\n    def loss(self, sim_returns):\n        return {}\n", _REGISTRY: _target("model.fit:loss", "model/fit.py")}, "BK405", Severity.ERROR, _REGISTRY),
    "deleted-class": ({"model/sir.py": f"{_SIR}del Sir\n", _REGISTRY: _model("model.sir:Sir", "model/sir.py")}, "BK123", Severity.ERROR, _REGISTRY),
    "async-target": ({"model/sir.py": _SIR, "model/fit.py": f"async {_LOSS}", _REGISTRY: _target("model.fit:loss", "model/fit.py")}, "BK408", Severity.ERROR, "model/fit.py"),
    "untracked-observation-data": (
        {
            ".modelops-bundle/tracked.txt": "model/__init__.py\nmodel/sir.py\nmodel/wire.py\npyproject.toml\n",
            "model/sir.py": _SIR,
            "data/observed.csv": "t,x\n",
            _REGISTRY: _model("model.sir:Sir", "model/sir.py") + "    data: [data/observed.csv]\n",
        },
        "BK201",
        Severity.ERROR,
        _REGISTRY,
    ),
    "empty-registry": ({_REGISTRY: "version: '1.0'\nmodels: {}\ntargets: {}\n"}, "BK136", Severity.WARNING, _REGISTRY),
    "empty-document": ({_REGISTRY: "# nothing yet\n"}, "BK136", Severity.WARNING, _REGISTRY),
}  # fmt: skip


@pytest.mark.parametrize(("files", "code", "severity", "path"), _FALSE_PASSES.values(), ids=_FALSE_PASSES)
def test_a_false_pass_of_the_preflight_is_found_here(
    files: dict[str, str | bytes], code: str, severity: Severity, path: str, tmp_path: Path
) -> None:
    """Each of these passes there, and fails or goes missing on the worker."""
    make_bundle(tmp_path, files)
    found = {(finding.code, finding.severity, finding.path) for finding in findings_of(tmp_path)}
    assert (code, severity, path) in found


_CRASHES: dict[str, tuple[str, str]] = {
    "path-escaping-the-root": ("../elsewhere/sir.py", "lies outside the bundle"),
    "absolute-path": ("/etc/sir.py", "lies outside the bundle"),
    "path-in-the-root-by-detour": ("model/../../sir.py", "lies outside the bundle"),
}


@pytest.mark.parametrize(("path", "reason"), _CRASHES.values(), ids=_CRASHES)
def test_a_crash_of_the_preflight_is_a_finding_here(path: str, reason: str, tmp_path: Path) -> None:
    """There a ValueError ends the push; the working directory is never inside this bundle, which crashes it too."""
    assert not Path.cwd().is_relative_to(tmp_path)
    make_bundle(tmp_path, {"model/sir.py": _SIR, _REGISTRY: _model("model.sir:Sir", path)})
    (found,) = _errors(tmp_path)
    assert (found.code, found.path, found.line) == ("BK201", _REGISTRY, 4)
    assert reason in found.message


@pytest.mark.parametrize("text", ["project = 3\n", "[project]\nname = 'm'\nversion = '1'\ndependencies = [1]\n"])
def test_a_mistyped_pyproject_beside_a_registry_is_a_finding(text: str, tmp_path: Path) -> None:
    """Two more crashes of the preflight."""
    make_bundle(
        tmp_path, {"pyproject.toml": text, "model/sir.py": _SIR, _REGISTRY: _model("model.sir:Sir", "model/sir.py")}
    )
    assert "BK104" in {finding.code for finding in _errors(tmp_path)}
