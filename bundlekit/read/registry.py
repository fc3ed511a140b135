"""Reads .modelops-bundle/registry.yaml whole: models, targets, target sets, and the digests of the files it states.

See: CONTRACT section 5.
"""

import math
import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path

from bundlekit.cold_runner.exclusions import REGISTRY
from bundlekit.model.declaration import ReferencedFile, SmokeTask, TargetDeclaration
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name
from bundlekit.model.place import Text
from bundlekit.model.project import Member
from bundlekit.model.registry import RegisteredModel, RegisteredTarget, Registry, StatedDigest, TargetSet, Weight
from bundlekit.read.document import finding_at, is_file
from bundlekit.read.file_digests import file_digests
from bundlekit.read.settings import DEFAULT_SMOKE_TIMEOUT_S
from bundlekit.read.typed_table import TypedTable
from bundlekit.read.yaml_document import read_yaml

__all__ = ["read_registry", "registered_files", "registered_targets", "smoke_tasks", "with_digests"]

_UNKNOWN_KEY = "BK137"
_DUPLICATE_KEY = "BK138"
_KEYS = ("version", "models", "targets", "target_sets")
_MODEL_KEYS = tuple(name for name in RegisteredModel._fields if name not in {"id", "place"})
_TARGET_KEYS = tuple(name for name in RegisteredTarget._fields if name not in {"id", "place"})
_SET_KEYS = ("targets", "weights")


def read_registry(root: Path, problems: list[Finding]) -> Registry | None:
    """Return what the registry declares, None where there is none or it cannot be read."""
    if not is_file(root / REGISTRY):
        return None
    table = read_yaml(root / REGISTRY, REGISTRY, problems, duplicates=_DUPLICATE_KEY)
    if table is None:
        return None
    _report_unknown(table, _KEYS)
    return Registry(
        version=table.text("version"),
        models=tuple(_model(entry) for entry in _entries(table, "models")),
        targets=tuple(_target(entry) for entry in _entries(table, "targets")),
        target_sets=tuple(_target_set(entry) for entry in _entries(table, "target_sets")),
    )


def with_digests(registry: Registry, root: Path, members: Iterable[Member]) -> Registry:
    """Return `registry` with the digests of those members that it states a digest for, directly or in a whole."""
    wanted: set[str] = set()
    for entry in registry.entries:
        if entry.digest is not None:
            wanted.update(posixpath.normpath(text.value) for text in entry.files)
    for model in registry.models:
        wanted.update(posixpath.normpath(stated.path) for stated in (*model.data_digests, *model.code_digests))
    actual, uncompared = file_digests(root, [member for member in members if member.path in wanted])
    return registry._replace(actual=actual, uncompared=uncompared)


def registered_targets(registry: Registry) -> tuple[TargetDeclaration, ...]:
    """Return the targets that are registered, as declarations of a bundle."""
    named = (target.entrypoint for target in registry.targets)
    return tuple(TargetDeclaration(text.value, text.place) for text in named if text)


def registered_files(registry: Registry) -> tuple[ReferencedFile, ...]:
    """Return each file that an entry names, and which entry that is."""
    return tuple(
        ReferencedFile(text.value, text.place, f"the registry's {entry.kind} {entry.id!r:.60} names it")
        for entry in registry.entries
        for text in entry.files
    )


def smoke_tasks(registry: Registry) -> tuple[SmokeTask, ...]:
    """Return one task without parameters for each model."""
    named = (model.entrypoint for model in registry.models)
    return tuple(SmokeTask(text.value, {}, 0, DEFAULT_SMOKE_TIMEOUT_S, text.place) for text in named if text)


def _entries(table: TypedTable, key: str) -> list[TypedTable]:
    """Return the tables at `key`; what is no table is a finding, and nothing more is asked of it."""
    entries = table.table(key)
    tables = [(entries.values[name], entries.table(name)) for name in entries.values]
    return [entry for value, entry in tables if isinstance(value, Mapping)]


def _model(entry: TypedTable) -> RegisteredModel:
    _report_unknown(entry, _MODEL_KEYS)
    return RegisteredModel(
        id=str(entry.keys[-1]),
        place=entry.document.key_place(entry.keys),
        entrypoint=_required(entry, "entrypoint"),
        path=_required(entry, "path"),
        class_name=_required(entry, "class_name"),
        scenarios=entry.texts("scenarios"),
        parameters=entry.texts("parameters"),
        outputs=entry.texts("outputs"),
        data=entry.texts("data"),
        data_digests=_digests(entry.table("data_digests")),
        code=entry.texts("code"),
        code_digests=_digests(entry.table("code_digests")),
        model_digest=_optional(entry, "model_digest"),
    )


def _target(entry: TypedTable) -> RegisteredTarget:
    _report_unknown(entry, _TARGET_KEYS)
    return RegisteredTarget(
        id=str(entry.keys[-1]),
        place=entry.document.key_place(entry.keys),
        entrypoint=_required(entry, "entrypoint"),
        path=_required(entry, "path"),
        model_output=_required(entry, "model_output"),
        data=entry.texts("data"),
        target_digest=_optional(entry, "target_digest"),
    )


def _target_set(entry: TypedTable) -> TargetSet:
    _report_unknown(entry, _SET_KEYS)
    weights = entry.table("weights")
    found = [
        Weight(target, _as_float(value), weights.place(target))
        for target in weights.values
        if (value := weights.number(target)) is not None
    ]
    place = entry.document.key_place(entry.keys)
    return TargetSet(str(entry.keys[-1]), place, entry.texts("targets"), tuple(found))


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _digests(table: TypedTable) -> tuple[StatedDigest, ...]:
    return tuple(StatedDigest(path, text.value, text.place) for path, text in table.pairs())


def _required(entry: TypedTable, key: str) -> Text | None:
    if key not in entry:
        message = f"{_dotted(entry)} has no {key}"
        entry.document.problems.append(finding_at("BK106", message, entry.place()))
    return entry.text(key)


def _optional(entry: TypedTable, key: str) -> Text | None:
    return None if entry.values.get(key) is None else entry.text(key)


def _report_unknown(table: TypedTable, known: tuple[str, ...]) -> None:
    """Append a finding for each key that the platform drops: a warning where another one was probably meant."""
    for key in table.values:
        if key in known:
            continue
        near = nearest_name(key, known)
        message = f"{_dotted(table)} has the unknown key {key!r:.60}: the platform drops it"
        hint = f"did you mean {near!r}?" if near else f"its keys are: {', '.join(known)}"
        severity = Severity.WARNING if near else Severity.INFO
        place = table.document.key_place((*table.keys, key))
        table.document.problems.append(finding_at(_UNKNOWN_KEY, message, place, severity=severity, hint=hint))


def _dotted(table: TypedTable) -> str:
    return ".".join(str(part) for part in table.keys) or "the registry"
