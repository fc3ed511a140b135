"""The manifest of a project, or the reason why it can have none."""

from collections.abc import Sequence

from bundlekit.cold_runner.exclusions import REGISTRY
from bundlekit.errors import EntryPointRefusedError, NameRefusedError, PyprojectRefusedError, SecretRefusedError
from bundlekit.model.declaration import WireDeclaration, WireSource
from bundlekit.model.finding import Severity
from bundlekit.model.manifest import Manifest, ManifestFile, ManifestWire
from bundlekit.model.member import component_error
from bundlekit.model.project import Project, ProjectTable
from bundlekit.pack.hashing import manifest_file

__all__ = ["check_document", "check_entries", "check_secrets", "manifest_of", "unhashed_files"]

_SHOWN = 10
_NOT_YET_HASHED = "0" * 64
_DECLARING_FILES = frozenset({"pyproject.toml", REGISTRY})
"""Where a target is declared by the bundle; one that a job specification names is no part of its identity."""


def manifest_of(project: Project, files: Sequence[ManifestFile]) -> Manifest:
    """Return the manifest of what `project` declares and of `files`, which are those of its members.

    Raises:
        PyprojectRefusedError: pyproject.toml is unusable, or gives no name or version.
        EntryPointRefusedError: no wire, or two that compete.
        NameRefusedError: entries of the directory cannot ship.
    """
    check_document(project)
    name = _usable(project, "name", project.name, "give it in [project], or pack with --name")
    version = _usable(project, "version", project.version, "give it in [project]")
    wire = _wire(project)
    check_entries(project)
    _check_lock(project)
    declared = {target.value for target in project.targets if target.place.path in _DECLARING_FILES}
    return Manifest(
        name=name,
        version=version,
        requires_python=project.requires_python,
        wire=ManifestWire(wire.source, wire.name, wire.value),
        targets=tuple(sorted(declared)),
        dependencies=project.dependencies,
        requires_fresh_process=project.settings.requires_fresh_process,
        files=tuple(sorted(files, key=lambda file: file.path.encode())),
    )


def check_entries(project: Project) -> None:
    """Refuse a directory with entries that would have to be left out in silence.

    Raises:
        NameRefusedError: there are such, each named with the reason.
    """
    if not project.refused:
        return
    shown = [f"{entry.path!a} {entry.reason}" for entry in project.refused[:_SHOWN]]
    if len(project.refused) > _SHOWN:
        shown.append(f"and {len(project.refused) - _SHOWN} more")
    message = f"{len(project.refused)} of the bundle's entries cannot ship: {'; '.join(shown)}"
    hint = "rename or replace them, or leave them out with .modelopsignore"
    raise NameRefusedError(message, subject=tuple(entry.path for entry in project.refused), hint=hint)


def check_secrets(project: Project) -> None:
    """Refuse a bundle with files that look like credentials, whatever its settings say of the rule about them.

    Raises:
        SecretRefusedError: there are such, and `allow-secrets` does not name them.
    """
    found = [f"{secret.path!a} ({secret.what})" for secret in project.secrets if secret.is_certain]
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        message = f"{len(found)} of the files that would ship look like credentials: {', '.join(found[:_SHOWN])}{more}"
        hint = "leave them out with .modelopsignore; or, where they are none, allow-secrets in [tool.bundlekit]"
        raise SecretRefusedError(message, subject=tuple(secret.path for secret in project.secrets), hint=hint)


def unhashed_files(project: Project) -> tuple[ManifestFile, ...]:
    """Return the members as the manifest lists them, with zeros for hashes: enough for its length."""
    return tuple(manifest_file(member, _NOT_YET_HASHED) for member in project.members)


def check_document(project: Project) -> None:
    """Refuse a bundle whose pyproject.toml cannot be read.

    Raises:
        PyprojectRefusedError: it cannot, with the first reason.
    """
    if project.table is not ProjectTable.UNREADABLE:
        return
    errors = [problem for problem in project.problems if problem.severity is Severity.ERROR]
    reason = f": {errors[0].message}" if errors else ""
    line = f" line {errors[0].line}" if errors and errors[0].line else ""
    message = f"pyproject.toml{line} cannot be read{reason}"
    raise PyprojectRefusedError(message, subject="pyproject.toml", hint="`bundlekit validate` lists all problems")


def _usable(project: Project, what: str, value: str | None, hint: str) -> str:
    if not value:
        message = f"the bundle in {project.root} has no {what} that can be read without running its build"
        raise PyprojectRefusedError(message, subject=what, hint=hint)
    reason = component_error(value)
    if reason is not None:
        message = f"the bundle's {what} {value!a} {reason}"
        raise PyprojectRefusedError(message, subject=value, hint=hint)
    return value


def _wire(project: Project) -> WireDeclaration:
    entry_points = [wire for wire in project.wires if wire.source is WireSource.ENTRY_POINT]
    if len(entry_points) > 1:
        named = ", ".join(f"{wire.name} = {wire.value}" for wire in entry_points)
        message = (
            f"pyproject.toml declares {len(entry_points)} modelops.wire entry points, and runners take one: {named}"
        )
        raise EntryPointRefusedError(message, subject=named)
    if not project.wires:
        message = f"the bundle in {project.root} declares no wire function"
        hint = 'add [project.entry-points."modelops.wire"] with one line such as `wire = "package.module:function"`'
        raise EntryPointRefusedError(message, subject=project.root, hint=hint)
    return project.wires[0]


def _check_lock(project: Project) -> None:
    lock = project.dependencies.lock
    if lock is not None and not any(member.path == lock.path for member in project.members):
        message = f"{lock.path} decides the dependencies of the bundle, and it would not ship"
        raise PyprojectRefusedError(message, subject=lock.path, hint="take it out of the exclusions, or remove it")
