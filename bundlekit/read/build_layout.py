"""Where a bundle's importable modules lie, as its build backend will see them, and what the build may add to them.

The answers are read from settings and from which files there are; no backend is run. Where a backend would look in
several places the result names them all: a module that may be there is never called missing.

See: setuptools "Package Discovery", hatch "Wheel builder", flit, poetry "packages", uv "Build backend", pdm, maturin.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from bundlekit.model.project import Build, ProjectTable
from bundlekit.read.document import is_file
from bundlekit.read.pyproject import Pyproject
from bundlekit.read.setup_cfg import SetupCfg
from bundlekit.read.typed_table import TypedTable

__all__ = ["BuildLayout", "build_layout", "is_installed"]

_COMPILING = ("scikit_build_core", "mesonpy", "maturin", "py_build_cmake", "sipbuild", "cffi_buildtool")
_NATIVE_SUFFIXES = (".pyx", ".pxd", ".c", ".cc", ".cpp", ".cxx", ".f", ".f90", ".rs", ".cu")


class BuildLayout(NamedTuple):
    """`source_roots` are directories of top-level modules ("" is the root of the bundle), in the order of the path."""

    source_roots: tuple[str, ...]
    build: Build


def is_installed(root: Path, pyproject: Pyproject, setup_cfg: SetupCfg) -> bool:
    """Whether runners build and install the bundle in `root`; else it runs from its tree alone.

    The cold runner decides so too, from the files that it lists: a test holds the two against each other.
    """
    if pyproject.state in {ProjectTable.PRESENT, ProjectTable.UNREADABLE}:
        return True
    is_poetry = "poetry" in pyproject.top.table("tool") and "build-system" in pyproject.top
    return is_poetry or setup_cfg.has_metadata or is_file(root / "setup.py")


def build_layout(root: Path, pyproject: Pyproject, setup_cfg: SetupCfg, files: frozenset[str]) -> BuildLayout:
    """Return the layout of the bundle in `root` whose members are `files`."""
    if not is_installed(root, pyproject, setup_cfg):
        return BuildLayout(("",), Build())
    backend = (pyproject.build_backend or "setuptools.build_meta").partition(".")[0]
    named = [_clean(root) for root in _named_roots(pyproject, backend)]
    if backend == "setuptools":
        named += map(_clean, setup_cfg.source_roots)
    if not named and any(path.startswith("src/") for path in files):
        named = ["src"]
    roots = [root for root in dict.fromkeys(named) if root]
    dynamic = tuple(text.value for text in pyproject.project.texts("dynamic"))
    generates = _generates(pyproject, backend, files)
    compiles = backend in _COMPILING or (
        generates is not None and any(path.endswith(_NATIVE_SUFFIXES) for path in files)
    )
    find = _setuptools_find(pyproject) if backend == "setuptools" else None
    needs_init = find is not None and find.values.get("namespaces") is False
    directories = _package_directories(pyproject, backend)
    build = Build(directories, dynamic, generates, compiles, needs_init, is_installed=True)
    # The bundle's own directory is on the import path of every runner, after the installed code.
    return BuildLayout((*roots, ""), build)


def _named_roots(pyproject: Pyproject, backend: str) -> Iterator[str]:
    match backend:
        case "setuptools":
            yield from _setuptools_roots(pyproject)
        case "hatchling":
            yield from _hatch_roots(pyproject.tool("hatch").table("build"))
        case "poetry":
            for package in pyproject.tool("poetry").tables("packages"):
                yield _text(package, "from")
        case "uv_build":
            yield _text(pyproject.tool("uv").table("build-backend"), "module-root", "src")
        case "pdm":
            yield _text(pyproject.tool("pdm").table("build"), "package-dir")
        case "maturin":
            yield _text(pyproject.tool("maturin"), "python-source")
        case "scikit_build_core":
            packages = pyproject.tool("scikit-build").table("wheel").values.get("packages")
            yield from _parents(packages if isinstance(packages, list) else [])
            yield "python"
        case _:
            return


def _setuptools_roots(pyproject: Pyproject) -> Iterator[str]:
    directories = pyproject.tool("setuptools").values.get("package-dir")
    if isinstance(directories, dict) and isinstance(directories.get(""), str):
        yield directories[""]
    find = _setuptools_find(pyproject)
    yield from () if find is None else (text.value for text in find.texts("where"))


def _setuptools_find(pyproject: Pyproject) -> TypedTable | None:
    """Return how packages are looked for, None where they are listed or nothing is said."""
    tool = pyproject.tool("setuptools")
    return tool.table("packages").table("find") if isinstance(tool.values.get("packages"), dict) else None


def _hatch_roots(build: TypedTable) -> Iterator[str]:
    wheel = build.table("targets").table("wheel")
    for table in (wheel, build):
        for key in ("packages", "only-include"):
            yield from _parents(text.value for text in table.texts(key))
        sources = table.values.get("sources")
        if isinstance(sources, list):
            yield from (source for source in sources if isinstance(source, str))
        elif isinstance(sources, dict):
            yield from (source for source, to in sources.items() if to == "")


def _package_directories(pyproject: Pyproject, backend: str) -> dict[str, str]:
    """Return the packages that do not lie below a source root, each with its directory."""
    if backend == "hatchling":
        build = pyproject.tool("hatch").table("build")
        sources = [table.values.get("sources") for table in (build.table("targets").table("wheel"), build)]
        renamed = [pair for each in sources if isinstance(each, dict) for pair in each.items()]
        return {_clean(to).replace("/", "."): _clean(path) for path, to in renamed if isinstance(to, str) and to}
    directories = pyproject.tool("setuptools").values.get("package-dir")
    if not isinstance(directories, dict):
        return {}
    return {name: _clean(path) for name, path in directories.items() if name and isinstance(path, str)}


def _generates(pyproject: Pyproject, backend: str, files: frozenset[str]) -> str | None:
    if backend in _COMPILING:
        return f"the build backend {backend} may add compiled modules"
    tool = pyproject.top.table("tool").values
    if "setup.py" in files and backend == "setuptools":
        return "setup.py may add modules or compile extensions"
    if "ext-modules" in pyproject.tool("setuptools").values:
        return "[tool.setuptools] ext-modules adds compiled modules"
    hatch = pyproject.tool("hatch").table("build")
    if "hooks" in hatch or "hooks" in hatch.table("targets").table("wheel"):
        return "a hatch build hook may add modules"
    if "setuptools_scm" in tool or "setuptools-scm" in tool:
        return "setuptools_scm may write a version module"
    if "force-include" in hatch.table("targets").table("wheel"):
        return "hatch's force-include places files elsewhere"
    if backend == "poetry" and any("to" in package for package in pyproject.tool("poetry").tables("packages")):
        return "poetry's packages place files elsewhere"
    if any(key in pyproject.tool(backend) for key in ("build", "build-data")) and backend in {"poetry", "pdm"}:
        return f"[tool.{backend}] build may run a script that adds modules"
    return None


def _parents(packages: Iterable[object]) -> Iterator[str]:
    for package in packages:
        if isinstance(package, str):
            yield _clean(package).rpartition("/")[0]


def _text(table: TypedTable, key: str, default: str = "") -> str:
    value = table.values.get(key)
    return value if isinstance(value, str) else default


def _clean(path: str) -> str:
    parts = [part for part in path.replace("\\", "/").split("/") if part not in {"", "."}]
    return "/".join(parts)
