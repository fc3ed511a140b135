"""Bundles for the checker's tests: written to a directory, read, checked."""

from collections.abc import Mapping
from pathlib import Path

from builders.projects import write_tree

from bundlekit.api.trial_parse import trial_parse
from bundlekit.check.engine import check
from bundlekit.model.finding import Finding
from bundlekit.probe.rules import DYNAMIC_RULES
from bundlekit.read.project import read_project

__all__ = ["GOOD_PYPROJECT", "GOOD_WIRE", "findings_of", "make_bundle", "pyproject"]

GOOD_WIRE = 'def wire(entrypoint, params, seed):\n    return {"result": b"1"}\n'


def pyproject(*, wire: str = "model.wire:wire", project: str = "", after: str = "") -> str:
    """Return a pyproject.toml with the lines `project` in [project] and the tables `after` at its end."""
    return (
        f'[project]\nname = "model"\nversion = "1.0"\n{project}\n'
        f'[project.entry-points."modelops.wire"]\nexecute = "{wire}"\n{after}\n'
    )


GOOD_PYPROJECT = pyproject()


def make_bundle(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write the good bundle with `files` over it; a path that ends in a slash is an empty directory."""
    start: dict[str, str | bytes] = {
        "pyproject.toml": GOOD_PYPROJECT,
        "model/__init__.py": "",
        "model/wire.py": GOOD_WIRE,
    }
    for path in files:
        if path.endswith("/"):
            (root / path).mkdir(parents=True)
    return write_tree(root, start | {path: text for path, text in files.items() if not path.endswith("/")})


def findings_of(root: Path, *, job_spec: Path | None = None) -> list[Finding]:
    """Return what the static stage finds in the directory `root`."""
    project = read_project(root, job_spec=job_spec, trial=trial_parse)
    return check(project, later=[rule.code for rule in DYNAMIC_RULES])
