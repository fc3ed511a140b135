"""A bundle made ready to be run in this very process: a private copy, and what is needed to import from it.

Nothing is built or installed: dependencies are whatever this interpreter has.
"""

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import NamedTuple

from bundlekit.cold_runner.codes import ErrorCode, Phase
from bundlekit.cold_runner.entry_point import parse_file_reference, parse_reference
from bundlekit.cold_runner.environments.bundle_copy import ListedBundle, copy_bundle
from bundlekit.cold_runner.environments.requires_python import admits
from bundlekit.cold_runner.environments.tree_digest import ListedFile, inventory_digest
from bundlekit.cold_runner.runner_error import RunnerError
from bundlekit.errors import FileAccessError
from bundlekit.executors.backend import BundleToRun
from bundlekit.model.declaration import WireSource
from bundlekit.model.project import Project
from bundlekit.pack.manifest import check_document
from bundlekit.read.project import read_project

__all__ = ["Stage", "digest_of", "made_stage"]

_MODULE_SUFFIXES = frozenset({".py", ".so", ".pyd"})
_FILE_MODULE = "bundle_wire"
"""The name under which a wire that is named by its file is loaded."""


class Stage(NamedTuple):
    """`roots` go on the import path, `names` are the modules at the top of them, `modules` those that are loaded.

    `modules` changes with each task; `wire` is a sentence in `wire_error` where there is none.
    """

    scratch: "tempfile.TemporaryDirectory[str]"
    tree: str
    home: str
    tmp: str
    roots: tuple[str, ...]
    names: frozenset[str]
    wire: str | None
    wire_error: str
    modules: dict[str, ModuleType]


def digest_of(bundle: BundleToRun) -> str:
    """Return the digest of `bundle`: the one that it was given, else that of its files, as the cold runner has it."""
    return bundle.digest or inventory_digest(_listed(bundle))


def made_stage(bundle: BundleToRun) -> Stage:
    """Return `bundle`, copied.

    Raises:
        RunnerError: E_SOURCE when a file is not as listed, E_VENV when this interpreter is not one for the bundle.
        PyprojectRefusedError: pyproject.toml cannot be read.
        FileAccessError: the copy cannot be made.
    """
    scratch = tempfile.TemporaryDirectory(prefix="bundlekit-direct-")
    try:
        tree, home, tmp = (Path(scratch.name, name) for name in ("bundle", "home", "tmp"))
        _copy(bundle, tree, home, tmp)
        project = read_project(tree)
        check_document(project)
        _check_interpreter(project)
    except BaseException:
        scratch.cleanup()
        raise
    roots = tuple(dict.fromkeys(str(tree / root) for root in (*project.source_roots, "")))
    wire, wire_error = _wire(project)
    names = _top_level_names((file.path for file in bundle.files), (*project.source_roots, ""))
    return Stage(scratch, str(tree), str(home), str(tmp), roots, names, wire, wire_error, {})


def _copy(bundle: BundleToRun, tree: Path, *others: Path) -> None:
    try:
        copy_bundle(ListedBundle(str(bundle.path), _listed(bundle)), str(tree))
        for other in others:
            other.mkdir(mode=0o700)
    except OSError as error:
        msg = f"the bundle cannot be copied to {tree}: {error.strerror or error}"
        raise FileAccessError(msg, subject=tree) from error


def _listed(bundle: BundleToRun) -> tuple[ListedFile, ...]:
    return tuple((file.path, file.mode, file.size, file.sha256) for file in bundle.files)


def _check_interpreter(project: Project) -> None:
    wanted = (project.requires_python or "").strip()
    release = sys.version_info[:3]
    try:
        is_admitted = admits(wanted, release)
    except ValueError as error:
        raise RunnerError(ErrorCode.PYPROJECT, Phase.ENVIRONMENT, f"requires-python: {error}") from None
    if not is_admitted:
        found = ".".join(map(str, release))
        message = f"expected a Python {wanted} for this bundle, found {found}, and direct runs in no other"
        raise RunnerError(ErrorCode.VENV, Phase.ENVIRONMENT, message, type_name="InterpreterError")


def _wire(project: Project) -> tuple[str | None, str]:
    """Return the reference of the wire function, or None and a sentence why there is none."""
    entry_points = [wire for wire in project.wires if wire.source is WireSource.ENTRY_POINT]
    if len(entry_points) > 1:
        named = "; ".join(f"{wire.name} = {wire.value}" for wire in entry_points)
        return (
            None,
            f"expected one entry point in the group modelops.wire, found {len(entry_points)}: {named}; keep one",
        )
    if not project.wires:
        return None, "the bundle has no wire function"
    wire = project.wires[0]
    try:
        (parse_reference if entry_points else parse_file_reference)(wire.value)
    except ValueError as error:
        return None, f"the wire function is declared but malformed: {error}"
    return wire.value, ""


def _top_level_names(paths: Iterable[str], roots: Iterable[str]) -> frozenset[str]:
    """Return the modules that can be imported from `roots`, without those that Python itself has."""
    names = {_FILE_MODULE}
    folders = [PurePosixPath(root) for root in roots]
    for path in map(PurePosixPath, paths):
        for folder in folders:
            if path.is_relative_to(folder):
                first, *below = path.relative_to(folder).parts
                if below or path.suffix in _MODULE_SUFFIXES:
                    names.add(first.partition(".")[0])
    return frozenset(names - sys.stdlib_module_names - {"bundlekit"})
