"""Hints about targets: the line to write, and the module to move to."""

import json
from pathlib import Path

import pytest
from builders.bundles import findings_of, make_bundle, pyproject


def _targets(*values: str) -> str:
    return pyproject(after=f"[tool.bundlekit]\ntargets = {json.dumps(values)}\n")


_LINES: dict[str, tuple[str, str, str]] = {
    "three": ("(a, b, c)", "BK407", "write def loss(a, b=None, c=...), or for Calabaria"),
    "required-keyword": (
        "(sim_returns, *, weight)",
        "BK407",
        "write def loss(sim_returns, target_data=None, weight=...)",
    ),
    "keywords-alone": ("(**kwargs)", "BK407", "write def loss(sim_returns, target_data=None)"),
    "one": ("(sims)", "BK410", "write def loss(sims, target_data=None), which"),
    "two": ("(sims, data)", "BK410", "write def loss(sims, data=None), which"),
}


@pytest.mark.parametrize(("parameters", "code", "hint"), _LINES.values(), ids=_LINES)
def test_the_hint_is_the_line_to_write(parameters: str, code: str, hint: str, tmp_path: Path) -> None:
    """A line to copy is understood without knowing any runner."""
    files = {"pyproject.toml": _targets("model.fit:loss"), "model/fit.py": f"def loss{parameters}: ...\n"}
    make_bundle(tmp_path, files)
    (found,) = findings_of(tmp_path)
    assert found.code == code
    assert (found.hint or "").startswith(hint)


def test_calabaria_is_shown_with_its_decorator(tmp_path: Path) -> None:
    """Its name alone says nothing to those who do not use it."""
    files = {"pyproject.toml": _targets("model.fit:loss"), "model/fit.py": "def loss(a, b, c): ...\n"}
    make_bundle(tmp_path, files)
    (found,) = findings_of(tmp_path)
    assert "@calibration_target(model_output=..., data=...) above def loss(data_paths)" in (found.hint or "")


_MOVES: dict[str, tuple[dict[str, str], str]] = {
    "beside-the-wire": ({}, "name it 'model.fit:loss'"),
    "wire-at-the-root-too": (
        {
            "pyproject.toml": _targets("fit:loss").replace("model.wire:wire", "wire:wire"),
            "wire.py": "def wire(a, b, c): ...\n",
        },
        "name it 'package.fit:loss'",
    ),
    "brought-up-by-its-package": (
        {
            "fit.py": "",
            "fit/__init__.py": "from .losses import loss\n",
            "fit/losses.py": "def loss(a, b=None): ...\n",
        },
        "name it where it is defined: 'fit.losses:loss'",
    ),
    "defined-by-its-package": (
        {"fit.py": "", "fit/__init__.py": "def loss(a, b=None): ...\n"},
        "define it in a module of fit/ and name that: 'fit.module:loss'",
    ),
}


@pytest.mark.parametrize(("files", "hint"), _MOVES.values(), ids=_MOVES)
def test_a_target_at_the_root_is_told_where_to_go(files: dict[str, str], hint: str, tmp_path: Path) -> None:
    """The new reference is what the job specification must say then."""
    make_bundle(
        tmp_path,
        {"pyproject.toml": _targets("fit:loss"), "fit.py": "def loss(a, b=None): ...\n", **files},
    )
    (found,) = [finding for finding in findings_of(tmp_path) if finding.code == "BK411"]
    assert hint in (found.hint or "")
