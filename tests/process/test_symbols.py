"""Builds of bundles that keep the names of variables in libraries."""

import shutil
import subprocess
from pathlib import Path

import pytest
from builders.environments import BACKEND, Kitchen, own_bundle, write_bundle

from bundlekit.read.built_variables import built_variables
from bundlekit.read.elf import read_image

pytestmark = [pytest.mark.process, pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")]

_SOURCE = "static double last = 0.5;\ndouble simulate(double rate) { double now = last; last = rate; return now; }\n"
_COMPILE = """
import shlex, subprocess
subprocess.run(["gcc", "-O2", "-shared", "-fPIC", *{flags}, "mine/core.c", "-o", "mine/core.so"], check=True)
if "-DCMAKE_STRIP=" not in shlex.split(os.environ.get("CMAKE_ARGS", "")):
    subprocess.run({strip}, check=True)
"""
_PACKED = ("path.read_text()", "path.read_bytes()"), ('rglob("*.py")', 'rglob("*.[ps]*")')


def bundle(root: Path, *flags: str, strip: tuple[str, ...] = ("true",), broken_by: str = "") -> Path:
    """Return a bundle whose build compiles with these flags, and strips unless CMake would be told not to."""
    backend = BACKEND
    for old, new in _PACKED:
        backend = backend.replace(old, new)
    compiles = _COMPILE.format(flags=list(flags), strip=list(strip))
    backend = backend.replace("    project =", compiles.replace("\n", "\n    ") + "\n    project =", 1)
    backend = f"import os\n{broken_by}\n{backend}"
    return write_bundle(root, own_bundle(backend=backend) | {"mine/core.c": _SOURCE})


def library(site: str) -> Path:
    """Return the library that was built."""
    return Path(site) / "mine" / "core.so"


def code_of(path: Path) -> bytes:
    """Return the machine code in a library."""
    command = ["objcopy", "-O", "binary", "-j", ".text", str(path), "/dev/stdout"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_what_the_linker_strips_has_its_symbols(tmp_path: Path) -> None:
    """The code is the same, so what is examined is what runs; and what runs else is not touched."""
    kitchen = Kitchen(tmp_path / "cache")
    root = bundle(tmp_path / "bundle", "-Wl,-s", "-flto")
    with kitchen.prepared(root) as usual, kitchen.prepared(root, keep_symbols=True) as named:
        assert not read_image(library(usual.site)).has_symbol_table
        assert "last" in {each.name for each in built_variables(library(named.site))}
        assert code_of(library(usual.site)) == code_of(library(named.site))
        assert usual.site != named.site
    with kitchen.prepared(root, keep_symbols=True) as again:
        assert (again.code_reused, again.site) == (True, named.site)


def test_where_nothing_is_stripped_nothing_is_built_again(tmp_path: Path) -> None:
    """Most bundles are pure Python, or built by setuptools, which strips nothing."""
    kitchen = Kitchen(tmp_path / "cache")
    root = bundle(tmp_path / "bundle")
    with kitchen.prepared(root) as usual, kitchen.prepared(root, keep_symbols=True) as same:
        assert (same.code_reused, same.site) == (True, usual.site)


def test_what_cmake_strips_has_its_symbols_after_one_build(tmp_path: Path) -> None:
    """So do pybind11 and scikit-build; and a build may take minutes."""
    kitchen = Kitchen(tmp_path / "cache")
    root = bundle(tmp_path / "bundle", strip=("strip", "mine/core.so"))
    with kitchen.prepared(root, keep_symbols=True) as named:
        assert read_image(library(named.site)).has_symbol_table
    assert sum(line.startswith("Built the bundle") for line in kitchen.said) == 1


def test_a_bundle_that_cannot_be_built_with_symbols_is_built_without(tmp_path: Path) -> None:
    """What changes between tasks is seen all the same, if by its place alone."""
    kitchen = Kitchen(tmp_path / "cache")
    breaks = 'if "COMPILER_PATH" in os.environ:\n    raise SystemExit("no wrappers here")\n'
    with kitchen.prepared(bundle(tmp_path / "bundle", "-s", broken_by=breaks), keep_symbols=True) as usual:
        assert not read_image(library(usual.site)).has_symbol_table
    assert any(line.startswith("The bundle is built without symbols") for line in kitchen.said)
