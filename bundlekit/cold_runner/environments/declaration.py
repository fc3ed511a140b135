"""What a bundle's own files ask for: Python, dependencies or a lock, how its code is built, and how it is run.

Read from files whose digests are verified, so that what is built is what was listed. Only what building needs is
checked here; the checker reports everything else that may be wrong.
See: PEP 518, PEP 517, PEP 621; DESIGN decisions 3 and 4.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..codes import ErrorCode, Phase
from ..dependency_hash import LOCK_NAMES, choose_lock, dependency_hash, parse_index_options, parse_requirements
from ..limits import Limits, limits_of
from ..runner_error import RunnerError
from .bundle_copy import read_listed
from .tree_digest import ListedFile

__all__ = ["BuildSystem", "Declaration", "read_declaration"]


class BuildSystem(NamedTuple):
    """How a wheel is made. `backend` is `module:object`; `backend_path` holds directories relative to the root."""

    requires: tuple[str, ...] = ("setuptools>=40.8.0",)
    backend: str = "setuptools.build_meta:__legacy__"
    backend_path: tuple[str, ...] = ()


class Declaration(NamedTuple):
    """`build` is None where the bundle runs from its files alone. `index_options` stand in requirements.txt.

    With `complete` False only building tells the dependencies: a setup.py, or `dynamic` without a file behind it.
    `python`, `pass_env`, `network` and `limits` are settings of [tool.bundlekit]: an interpreter, names of variables
    to pass, whether a sandbox leaves the network open, and what a task may use.
    """

    requires_python: str | None
    declared: tuple[str, ...]
    index_options: tuple[str, ...]
    lock: tuple[str, bytes] | None
    build: BuildSystem | None
    pyproject: bytes | None
    complete: bool
    python: str | None
    pass_env: tuple[str, ...]
    network: bool
    limits: Limits

    def dependency_hash(self, *, with_lock: bool) -> str:
        """Return the lexical hash of what is asked for, from the lock if it is honoured (DESIGN decision 3)."""
        lock = self.lock if with_lock else None
        return dependency_hash(lock=lock, declared=self.declared, requires_python=self.requires_python)


def read_declaration(root: str, files: Sequence[ListedFile]) -> Declaration:
    """Return what the listed files of the bundle at `root` declare.

    Raises:
        RunnerError: E_PYPROJECT when pyproject.toml cannot be read as what building needs; E_SOURCE when a file is not
            as listed.
    """
    listed = {file[0]: file for file in files}

    def read(path: str) -> bytes | None:
        file = listed.get(path.removeprefix("./"))
        return None if file is None else read_listed(root, file)

    pyproject = read("pyproject.toml")
    document = _parsed(pyproject)
    project = _table(document, "project")
    requirements = _text(read("requirements.txt"))
    declared, sources = _declared(document, project, requirements, read)
    locks = {name: data for name in LOCK_NAMES if (data := read(name)) is not None}
    settings = _table(_table(document, "tool") or {}, "bundlekit", "tool.bundlekit") or {}
    build = _build_system(document) if _is_buildable(document, project, read) else None
    return Declaration(
        requires_python=_optional_text(project or {}, "requires-python", "project.requires-python"),
        declared=declared,
        index_options=() if project is not None else tuple(parse_index_options(requirements or "")),
        lock=choose_lock(locks),
        build=build,
        pyproject=pyproject,
        complete=build is None or bool(sources),
        python=_optional_text(settings, "python", "tool.bundlekit.python"),
        pass_env=_strings(settings, "pass-env", "tool.bundlekit.pass-env"),
        network=_flag(settings, "network", "tool.bundlekit.network"),
        limits=_limits(_table(settings, "limits", "tool.bundlekit.limits") or {}),
    )


def _parsed(data: bytes | None) -> Mapping[str, object]:
    if data is None:
        return {}
    import tomllib  # noqa: PLC0415 - a declaration that is remembered is not parsed, and this import is slow

    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _refused(f"pyproject.toml cannot be read: {error}") from error


def _declared(
    document: Mapping[str, object],
    project: Mapping[str, object] | None,
    requirements: str | None,
    read: Callable[[str], bytes | None],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the declared requirements and the files that they stand in, none if none says."""

    def include(path: str) -> str | None:
        return _text(read(path))

    if project is not None and "dependencies" not in _strings(project, "dynamic", "project.dynamic"):
        return _strings(project, "dependencies", "project.dependencies"), ("pyproject.toml",)
    paths = [] if project is None else _dynamic_files(document)
    paths = paths or (["requirements.txt"] if requirements is not None else [])
    found = {path: text for path in paths if (text := include(path)) is not None}
    declared = [requirement for text in found.values() for requirement in parse_requirements(text, include)]
    return tuple(declared), tuple(found)


def _dynamic_files(document: Mapping[str, object]) -> list[str]:
    table = document
    for key in ("tool", "setuptools", "dynamic", "dependencies"):
        inner = table.get(key)
        if not isinstance(inner, dict):
            return []
        table = inner
    files = table.get("file")
    return [str(path) for path in files] if isinstance(files, list) else ([files] if isinstance(files, str) else [])


def _is_buildable(
    document: Mapping[str, object], project: Mapping[str, object] | None, read: Callable[[str], bytes | None]
) -> bool:
    if project is not None or read("setup.py") is not None:
        return True
    tool = document.get("tool")
    if isinstance(tool, dict) and "poetry" in tool and "build-system" in document:
        return True
    # A setup.cfg may hold nothing but settings of linters.
    return any(line.strip() == "[metadata]" for line in (_text(read("setup.cfg")) or "").splitlines())


def _build_system(document: Mapping[str, object]) -> BuildSystem:
    table = _table(document, "build-system")
    if table is None:
        return BuildSystem()
    if "requires" not in table:
        raise _refused("build-system.requires is missing, which PEP 518 wants in every [build-system]")
    backend = table.get("build-backend", BuildSystem().backend)
    if not isinstance(backend, str):
        raise _refused(f"expected text in build-system.build-backend, found {backend!r:.100}")
    return BuildSystem(
        requires=_strings(table, "requires", "build-system.requires"),
        backend=backend,
        backend_path=_strings(table, "backend-path", "build-system.backend-path"),
    )


def _optional_text(table: Mapping[str, object], key: str, name: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise _refused(f"expected text in {name}, found {value!r:.100}")
    return value


def _flag(table: Mapping[str, object], key: str, name: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise _refused(f"expected true or false in {name}, found {value!r:.100}")
    return value


def _limits(table: Mapping[str, object]) -> Limits:
    try:
        return limits_of(table)
    except ValueError as error:
        raise _refused(f"pyproject.toml cannot be used: {error}") from None


def _table(document: Mapping[str, object], key: str, name: str | None = None) -> Mapping[str, object] | None:
    value = document.get(key)
    if value is not None and not isinstance(value, dict):
        raise _refused(f"expected a table [{name or key}], found {value!r:.100}")
    return value


def _strings(table: Mapping[str, object], key: str, name: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _refused(f"expected an array of text in {name}, found {value!r:.100}")
    return tuple(value)


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8-sig", "replace")


def _refused(message: str) -> RunnerError:
    return RunnerError(ErrorCode.PYPROJECT, Phase.ENVIRONMENT, f"the bundle's {message}", type_name="PyprojectError")
