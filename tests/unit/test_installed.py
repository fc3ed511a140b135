"""Environments are read from their files: what is installed, what it is imported as, and what it needs."""

from pathlib import Path

import pytest
from builders.installed import Installed, make_environment
from builders.projects import write_tree

from bundlekit.read.installed import read_environment

_SITE = "lib/python3.11/site-packages"


def test_a_distribution_is_read_from_its_metadata_and_record(tmp_path: Path) -> None:
    """Name and version as the metadata spells them; what stands in the description is no field."""
    files = ["PIL/__init__.py", "PIL/Image.py", "_imaging.cpython-311-x86_64-linux-gnu.so", "../../../bin/pil"]
    root = make_environment(tmp_path / "venv", {"Pillow": Installed("11.0", files, ["olefile; extra == 'x'"])})
    environment = read_environment(str(root), tmp_path)
    assert environment is not None
    (found,) = environment.distributions
    assert found == ("Pillow", "11.0", ("PIL", "_imaging"), ("olefile; extra == 'x'",))
    assert environment.library.is_complete


def test_a_namespace_package_is_told_apart_from_its_portions(tmp_path: Path) -> None:
    """`google` is nobody's, `google.protobuf` is one distribution's."""
    files = ["google/protobuf/__init__.py", "google/protobuf/json/__init__.py", "google/loose.py", "x-y/data.py"]
    root = make_environment(tmp_path / "venv", {"protobuf": Installed("5", files)})
    environment = read_environment(str(root), tmp_path)
    assert environment is not None
    assert environment.distributions[0].modules == ("google.loose", "google.protobuf")


_ALSO: dict[str, tuple[dict[str, str], tuple[str, ...] | None]] = {
    "egg-info": ({"lab.egg-info/PKG-INFO": "Name: lab\nVersion: 1\n", "lab.egg-info/top_level.txt": "lab\n"}, ("lab",)),
    "namespace": (
        {
            "lab-1.dist-info/METADATA": "Name: lab\nVersion: 1\n",
            "lab-1.dist-info/RECORD": "google/lab/__init__.py,,\n",
            "lab-1.dist-info/top_level.txt": "google\n",
        },
        ("google.lab",),
    ),
    "no-record": ({"lab-1.dist-info/METADATA": "Name: lab\nVersion: 1\n"}, None),
    "editable": (
        {
            "lab-1.dist-info/METADATA": "Name: lab\nVersion: 1\n",
            "lab-1.dist-info/RECORD": "__editable___lab_finder.py,,\n__editable__.lab.pth,,\n",
        },
        None,
    ),
    "link": (
        {"lab-1.dist-info/METADATA": "Name: lab\nVersion: 1\n", "lab-1.dist-info/RECORD": "lab.pth,,\n"},
        None,
    ),
    "commands-only": (
        {"lab-1.dist-info/METADATA": "Name: lab\nVersion: 1\n", "lab-1.dist-info/RECORD": "../../../bin/lab,,\n"},
        (),
    ),
}


@pytest.mark.parametrize(("files", "modules"), _ALSO.values(), ids=_ALSO)
def test_what_cannot_be_told_is_none(files: dict[str, str], modules: tuple[str, ...] | None, tmp_path: Path) -> None:
    """Nothing and unknown are different answers."""
    root = make_environment(tmp_path / "venv", {})
    write_tree(root / _SITE, files)
    environment = read_environment(str(root), tmp_path)
    assert environment is not None
    assert [found.modules for found in environment.distributions] == [modules]


def test_what_has_no_name_is_passed_over(tmp_path: Path) -> None:
    """An interrupted installation leaves such directories."""
    root = make_environment(tmp_path / "venv", {})
    write_tree(root / _SITE, {"lab-1.dist-info/METADATA": "Version: 1\n loose\nnothing\n", "x-1.dist-info/RECORD": ""})
    environment = read_environment(str(root), tmp_path)
    assert environment is not None
    assert environment.distributions == ()


@pytest.mark.parametrize("named", ["venv", "venv/bin/python", "./venv"])
def test_an_environment_is_named_by_its_directory_or_its_python(named: str, tmp_path: Path) -> None:
    """A relative path of the settings counts from the bundle."""
    make_environment(tmp_path / "venv", {"numpy": Installed("2", ["numpy/__init__.py"])})
    environment = read_environment(named, tmp_path)
    assert environment is not None
    assert [found.name for found in environment.distributions] == ["numpy"]
    assert all(root.startswith("/") for root in environment.library.site_roots)


@pytest.mark.parametrize("named", ["3.12", "3", "python3.11", "absent/bin/python", "empty"])
def test_what_is_no_environment_is_none(named: str, tmp_path: Path) -> None:
    """A version, a command of the PATH, or a directory of something else."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "3.12").mkdir()
    assert read_environment(named, tmp_path) is None


def test_an_interpreter_without_the_dependencies_is_not_the_bundles_environment(tmp_path: Path) -> None:
    """It names a Python to build with; what it lacks says nothing about the bundle."""
    root = make_environment(tmp_path / "venv", {"numpy": Installed("2", ["numpy/__init__.py"])})
    complete = [read_environment(str(root), tmp_path, needs) for needs in (["numpy"], ["numpy", "scipy"])]
    assert [environment is not None and environment.library.is_complete for environment in complete] == [True, False]


_PATH_FILES: dict[str, tuple[str, str, bool]] = {
    "directory": ("more.pth", "# where more is\n\nmore\n", True),
    "code": ("hook.pth", "import hook\n", False),
    "code-of-installers": ("distutils-precedence.pth", "import os\n", True),
}


@pytest.mark.parametrize(("name", "text", "is_complete"), _PATH_FILES.values(), ids=_PATH_FILES)
def test_path_files_add_directories_or_leave_it_open(name: str, text: str, is_complete: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a row's verdict
    """Code in one of them may add anything."""
    root = make_environment(tmp_path / "venv", {})
    write_tree(root / _SITE, {name: text})
    (root / "lib" / "python3.x").mkdir()
    environment = read_environment(str(root), tmp_path)
    assert environment is not None
    assert environment.library.is_complete is is_complete
    assert (str(root / _SITE / "more") in environment.library.site_roots) is (name == "more.pth")


def test_an_interpreter_of_its_own_is_an_environment_too(tmp_path: Path) -> None:
    """Containers have no virtual environment: the standard library lies beside site-packages."""
    write_tree(tmp_path / "usr", {"bin/python3": "", f"{_SITE}/x.py": "", "pyvenv.cfg": "version = 3.11\n"})
    environment = read_environment(str(tmp_path / "usr/bin/python3"), tmp_path)
    assert environment is not None
    assert environment.library.stdlib_roots[0] == str(tmp_path / "usr/lib/python3.11")
