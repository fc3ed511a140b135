"""What is said of the libraries that a bundle's build made."""

from pathlib import Path

import pytest
from builders.elf_files import ALLOC, PROGBITS, WRITE, Part, Variable, elf_file
from builders.projects import write_tree

from bundlekit.model.finding import Finding, Severity
from bundlekit.probe.built_libraries import built_libraries
from bundlekit.probe.evidence import Evidence
from bundlekit.probe.library_rules import LIBRARY_RULES
from bundlekit.read.project import read_project

_DATA = Part(".data", PROGBITS, WRITE | ALLOC, 0x4000, bytes(256))
_PROJECT = "[project]\nname = 'tiny'\nversion = '1'\n"


def library(*names: str) -> bytes:
    """Return a library with variables of these names."""
    variables = tuple(Variable(name, 0x4000 + 8 * number, 8) for number, name in enumerate(names))
    return elf_file((_DATA,), variables=variables)


def found(root: Path, site: Path, settings: str = "") -> list[Finding]:
    """Return what is said when the libraries below `site` were built."""
    write_tree(root, {"pyproject.toml": _PROJECT + settings})
    evidence = Evidence(read_project(root), {}, libraries=built_libraries(site))
    return [finding for rule in LIBRARY_RULES for finding in rule.check(evidence)]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return where a bundle is installed."""
    (tmp_path / "site" / "tiny").mkdir(parents=True)
    return tmp_path / "site"


def test_a_library_is_told_with_its_variables(site: Path, tmp_path: Path) -> None:
    """One line for each library, however many they are."""
    (site / "tiny" / "core.so").write_bytes(library("_ZZ4stepdE4last"))
    (site / "tiny" / "more.cpython-311-x86_64-linux-gnu.so").write_bytes(library(*(f"v{n}" for n in range(8))))
    core, more = found(tmp_path / "bundle", site)
    assert core.message == "tiny/core.so keeps 1 variable: static step(double)::last (8 bytes)"
    assert (core.code, core.severity, core.entity) == ("BK812", Severity.INFO, "tiny/core.so")
    assert more.message.endswith("v5 (8 bytes), 2 more")


def test_what_keeps_nothing_is_left_alone(site: Path, tmp_path: Path) -> None:
    """Bookkeeping is in all of them, and what is called a library may be none."""
    (site / "tiny" / "core.so").write_bytes(library("_ZGV1a", "__pyx_table"))
    (site / "tiny" / "notes.so.txt").write_text("no library")
    assert found(tmp_path / "bundle", site) == []


def test_a_bundle_that_asks_for_fresh_processes_is_left_alone(site: Path, tmp_path: Path) -> None:
    """Nothing survives there."""
    (site / "tiny" / "core.so").write_bytes(library("last"))
    settings = "[tool.bundlekit]\nrequires-fresh-process = true\n"
    assert found(tmp_path / "bundle", site, settings) == []
