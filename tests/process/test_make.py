import os
import sys
import tomllib
from pathlib import Path

import pytest
from project_checkout import PROJECT, run

pytestmark = pytest.mark.process

MAKE = PROJECT / ".ci" / "make.py"
STEPS = ["example", "check", "test", "lint", "types", "layers", "schemas", "bench", "soak", "leaks", "build"]


def test_it_starts_with_nothing_but_the_standard_library(tmp_path: Path) -> None:
    """A fresh clone has no packages: without a site directory the script must still say what it can do."""
    ran = run([sys.executable, "-I", "-S", str(MAKE), "--help"], tmp_path)
    assert ran.status == 0, ran.output
    assert [step for step in STEPS if f" {step} " not in ran.stdout] == []


def test_an_unknown_step_is_a_usage_error_that_lists_the_steps(tmp_path: Path) -> None:
    """Nothing is set up for a step that is not there."""
    ran = run([sys.executable, "-I", "-S", str(MAKE), "tests"], tmp_path)
    assert ran.status == 2
    assert "invalid choice: 'tests'" in ran.stderr
    assert [step for step in STEPS if step not in ran.stderr] == []


def test_the_steps_of_contributing_are_the_steps_of_the_script() -> None:
    """A stranger copies commands from CONTRIBUTING.md; each must exist, and none be left out."""
    text = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert {step for step in STEPS if f"| `python3 .ci/make.py {step}" in text} == set(STEPS)


def test_the_development_tools_are_those_of_the_project(tmp_path: Path) -> None:
    """The list comes from pyproject.toml, so that a tool is named in one place."""
    program = (
        f"import sys; sys.path.insert(0, {str(MAKE.parent)!r}); import make; print(make.development_requirements())"
    )
    ran = run([sys.executable, "-I", "-S", "-B", "-c", program], tmp_path)
    group = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["dev"]
    assert ran.stdout.strip() == repr(group), ran.output


def test_ci_can_start_it() -> None:
    """CI starts .ci/run as a program."""
    assert os.access(PROJECT / ".ci" / "run", os.X_OK)
