"""Declarations kept by the content of the bundle, so that a ready bundle is run without reading its TOML again.

A declaration is a pure function of the listed files, whose digests are the key. One that does not read back as it was
written is read from the bundle again.
"""

import os
from typing import TypeGuard

from ..limits import LIMIT_KEYS, Limits, is_limit
from .bundle_copy import ListedBundle
from .declaration import BuildSystem, Declaration, read_declaration
from .memory import keep, kept

__all__ = ["remembered_declaration"]

_SCHEMA = "bundlekit/declaration/3"


def remembered_declaration(bundle: ListedBundle, content: str, cache_dir: str) -> Declaration:
    """Return what `bundle` declares; `content` is the digest of its inventory.

    Raises:
        RunnerError: as :func:`read_declaration`.
    """
    path = os.path.join(cache_dir, "declarations", content.removeprefix("sha256:") + ".json")
    known = _declaration(kept(path) or {})
    if known is None:
        known = read_declaration(bundle.root, bundle.files)
        keep(path, _document(known))
    return known


def _document(declaration: Declaration) -> dict[str, object]:
    lock, pyproject = declaration.lock, declaration.pyproject
    return {
        **declaration._asdict(),
        "schema": _SCHEMA,
        "lock": None if lock is None else [lock[0], lock[1].decode("latin-1")],
        "pyproject": None if pyproject is None else pyproject.decode("latin-1"),
    }


def _declaration(document: dict[str, object]) -> Declaration | None:
    requires_python, pyproject = document.get("requires_python"), document.get("pyproject")
    declared, options, lock = document.get("declared"), document.get("index_options"), document.get("lock")
    complete, python, pass_env = document.get("complete"), document.get("python"), document.get("pass_env")
    network, limits = document.get("network"), document.get("limits")
    if (
        document.get("schema") != _SCHEMA
        or not isinstance(complete, bool)
        or not _is_texts(declared)
        or not _is_texts(options)
        or not _is_texts(pass_env)
        or not _is_text(python)
        or not isinstance(network, bool)
        or not _is_limits(limits)
    ):
        return None
    if not (_is_text(requires_python) and _is_text(pyproject)) or not (lock is None or _is_texts(lock)):
        return None
    build = _build_system(document.get("build"))
    if build is None and document.get("build") is not None:
        return None
    return Declaration(
        requires_python=requires_python,
        declared=tuple(declared),
        index_options=tuple(options),
        lock=None if lock is None else (lock[0], lock[1].encode("latin-1")),
        build=build,
        pyproject=None if pyproject is None else pyproject.encode("latin-1"),
        complete=complete,
        python=python,
        pass_env=tuple(pass_env),
        network=network,
        limits=Limits(*limits),
    )


def _build_system(value: object) -> BuildSystem | None:
    if not isinstance(value, list) or len(value) != len(BuildSystem._fields):
        return None
    requires, backend, backend_path = value
    if not _is_texts(requires) or not isinstance(backend, str) or not _is_texts(backend_path):
        return None
    return BuildSystem(tuple(requires), backend, tuple(backend_path))


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_limits(value: object) -> TypeGuard[list[int | None]]:
    return (
        isinstance(value, list)
        and len(value) == len(LIMIT_KEYS)
        and all(each is None or is_limit(each) for each in value)
    )


def _is_text(value: object) -> TypeGuard[str | None]:
    return value is None or isinstance(value, str)
