"""Environments for the checker's tests: directories that look as installers leave them, without an interpreter."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from builders.projects import write_tree

__all__ = ["Installed", "make_environment"]


class Installed(NamedTuple):
    """One distribution: its version, the files that its RECORD lists, and its requirements."""

    version: str = "1.0"
    files: Sequence[str] = ()
    requires: Sequence[str] = ()


def make_environment(root: Path, distributions: Mapping[str, Installed]) -> Path:
    """Write the virtual environment `root` with these distributions in it, and return its directory."""
    base = root.parent / f"{root.name}-base"
    (base / "lib" / "python3.11").mkdir(parents=True)
    files = {"pyvenv.cfg": f"home = {base / 'bin'}\n", "bin/python": ""}
    site = "lib/python3.11/site-packages"
    for name, (version, listed, requires) in distributions.items():
        info = f"{site}/{name.replace('-', '_')}-{version}.dist-info"
        needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
        files[f"{info}/METADATA"] = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\nName: no field\n"
        )
        files[f"{info}/RECORD"] = "".join(f"{path},sha256=x,1\n" for path in [*listed, f"{info}/RECORD"])
        files |= {f"{site}/{path}": "" for path in listed if not path.startswith("..")}
    return write_tree(root, files)
