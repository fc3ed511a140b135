"""Reads what a lock pins: uv.lock, pylock.toml (PEP 751), or requirements.txt with a hash on every line.

What is malformed is a finding; the file's bytes are never changed. Unknown keys are passed over: a newer tool may have
written them.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bundlekit.cold_runner.dependency_hash import normalised_name, parse_requirements
from bundlekit.model.declaration import Lock
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.installed import LockContent
from bundlekit.model.place import Place
from bundlekit.read.document import finding_at, read_document
from bundlekit.read.toml_limits import MAX_PARTS, key_of_many_parts

__all__ = ["read_lock"]

_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*===?\s*([^\s;]+)")
_LOCAL_SOURCES = ("editable", "virtual", "directory")


def read_lock(root: Path, lock: Lock | None, name: str | None, problems: list[Finding]) -> LockContent | None:
    """Return what the bundle's lock pins, None where none can be read; `name` is the project's."""
    if lock is None:
        return None
    data = read_document(root / lock.path, lock.path, "BK106", problems)
    if data is None:
        return None
    if lock.path.endswith(".txt"):
        return LockContent(lock.path, _hashed_requirements(data.decode("utf-8", "replace")))
    try:
        document = _document(data.decode())
    except (ValueError, RecursionError) as error:
        hint = "make it anew with the tool that wrote it, for uv: uv lock"
        problems.append(finding_at("BK106", f"{lock.path} is not valid TOML: {error}", Place(lock.path), hint=hint))
        return None
    packages = document.get("packages" if lock.path == "pylock.toml" else "package", [])
    if not isinstance(packages, list) or not all(isinstance(each, Mapping) for each in packages):
        message = f"{lock.path} holds no list of packages"
        problems.append(finding_at("BK106", message, Place(lock.path), severity=Severity.ERROR))
        return None
    requires_python = document.get("requires-python")
    return LockContent(
        lock.path,
        _versions(packages),
        next(_roots(packages, name), None),
        requires_python if isinstance(requires_python, str) else None,
    )


def _document(text: str) -> Mapping[str, object]:
    import tomllib  # noqa: PLC0415 - only a bundle with a lock in TOML pays for its parser

    if key_of_many_parts(text) is not None:
        raise ValueError(f"a key has more than {MAX_PARTS} parts")
    return tomllib.loads(text)


def _versions(packages: list[Mapping[str, object]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for package in packages:
        name, version = package.get("name"), package.get("version")
        if isinstance(name, str):
            found.setdefault(normalised_name(name), []).extend([version] if isinstance(version, str) else [])
    return {name: tuple(versions) for name, versions in found.items()}


def _roots(packages: list[Mapping[str, object]], name: str | None) -> Iterator[tuple[str, ...]]:
    """Yield the requirements that uv.lock records of the project itself."""
    for package in packages:
        source, metadata = package.get("source"), package.get("metadata")
        is_local = isinstance(source, Mapping) and any(source.get(kind) in {".", ""} for kind in _LOCAL_SOURCES)
        own = name is None or normalised_name(str(package.get("name"))) == normalised_name(name)
        if is_local and own and isinstance(metadata, Mapping):
            listed = metadata.get("requires-dist", [])
            yield (
                tuple(_recorded(each) for each in listed if isinstance(each, Mapping))
                if isinstance(listed, list)
                else ()
            )
        elif is_local and own:
            yield ()


def _recorded(requirement: Mapping[str, object]) -> str:
    """Return a requirement as uv records it as text of PEP 508, without its marker."""
    extras = requirement.get("extras")
    shown = f"[{','.join(str(each) for each in extras)}]" if isinstance(extras, list) and extras else ""
    specifier = requirement.get("specifier")
    marker = requirement.get("marker")
    behind = f" ; {marker}" if isinstance(marker, str) else ""
    return f"{requirement.get('name')}{shown}{specifier if isinstance(specifier, str) else ''}{behind}"


def _hashed_requirements(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in parse_requirements(text, lambda _: None):
        match = _PINNED.match(line)
        if match:
            found[normalised_name(match[1])] = (match[2],)
    return found
