"""Reads a job specification or a grid file: the target functions it names and a smoke task for each entrypoint.

See: CONTRACT section 7 (jobs, studies) and DESIGN, "Shapes" (grid files).
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bundlekit.model.declaration import SmokeTask, TargetDeclaration
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.job import Job, TaskEntrypoint
from bundlekit.model.nearest import nearest_name
from bundlekit.model.place import Place, Text
from bundlekit.read.document import finding_at, is_file
from bundlekit.read.grid_table import is_grid, parameter_sets, plain_parameters, seeds
from bundlekit.read.json_document import read_json
from bundlekit.read.settings import DEFAULT_SMOKE_TIMEOUT_S, smoke_task
from bundlekit.read.typed_table import TypedTable

__all__ = ["TARGET_WORDS", "JobSpec", "read_job_spec"]

_TARGET_KEYS = ("target_entrypoint", "target", "loss_function")
_TASK_KEYS = ("entrypoint", "tasks")
_TARGET_LISTS = ("target_entrypoints", "targets")
_STUDY_KEYS = ("model", "scenario")
_ID_KEYS = ("target_set", "target_sets", "target_id", "target_ids")
TARGET_WORDS = (*_TARGET_KEYS, *_TARGET_LISTS, *_ID_KEYS)
"""The keys under which targets are named."""
_NESTED = ("target_spec", "job", "spec", "calibration", "aggregation")


class JobSpec(NamedTuple):
    """Targets and smoke tasks that a specification asks for, one task for each entrypoint; and the names in it."""

    targets: tuple[TargetDeclaration, ...] = ()
    smoke: tuple[SmokeTask, ...] = ()
    job: Job | None = None


class _Task(NamedTuple):
    entrypoint: TaskEntrypoint
    smoke: SmokeTask


def read_job_spec(path: Path, root: Path, problems: list[Finding]) -> JobSpec:
    """Return what the file at `path` asks of the bundle at `root`."""
    name = Path(os.path.relpath(path, root)).as_posix()
    if not is_file(path):
        problems.append(finding_at("BK106", f"the job specification {name} does not exist", Place(name)))
        return JobSpec()
    table = read_json(path, name, problems)
    if table is None:
        return JobSpec()
    found_before = len(problems)
    targets: dict[str, TargetDeclaration] = {}
    for target in _targets(table):
        targets.setdefault(target.value, TargetDeclaration(target.value, target.place))
    tasks: dict[str, _Task] = {}
    for task in _tasks(table):
        tasks.setdefault(task.entrypoint.value, task)
    if not targets and not tasks and len(problems) == found_before:
        problems.append(_asks_nothing(table))
    job = Job(
        name,
        tuple(task.entrypoint for task in tasks.values()),
        tuple(_names(table, *_ID_KEYS[:2])),
        tuple(_names(table, *_ID_KEYS[2:])),
    )
    return JobSpec(tuple(targets.values()), tuple(task.smoke for task in tasks.values()), job)


def _asks_nothing(table: TypedTable) -> Finding:
    path = table.document.path
    known = (*_TASK_KEYS, *_TARGET_LISTS, *_TARGET_KEYS)
    hint = f"it may have the keys: {', '.join(known)}"
    for key in table.values:
        near = None if key in (*known, *_NESTED) else nearest_name(key, known)
        if near is not None:
            hint = f"did you mean {near!r}, not {key!r:.60}?"
            break
    message = f"the job specification {path} names neither a target nor a task, so it has no effect"
    return finding_at("BK106", message, Place(path), severity=Severity.WARNING, hint=hint)


def _targets(table: TypedTable) -> Iterator[Text]:
    for key in _TARGET_KEYS:
        # `target` and `loss_function` also carry other things in the ecosystem's documents: only references count.
        value = table.values.get(key)
        if isinstance(value, str) and (key == "target_entrypoint" or ":" in value):
            yield Text(value, table.place(key))
        elif key == "target_entrypoint":
            table.text(key)
    for key in _TARGET_LISTS:
        yield from _texts(table, key)
    for nested in _nested(table):
        yield from _targets(nested)
    if isinstance(table.values.get("tasks"), list):
        for task in table.tables("tasks"):
            target = task.values.get("target_entrypoint")
            if isinstance(target, str):
                yield Text(target, task.place("target_entrypoint"))


def _nested(table: TypedTable) -> Iterator[TypedTable]:
    """Yield the tables of a job that may name targets; the `data` of a TargetSpec does, observed data does not."""
    for key in _NESTED:
        if isinstance(table.values.get(key), Mapping):
            yield table.table(key)
            if key == "target_spec":
                spec = table.table(key)
                yield from (spec.table(part) for part in ("data", "metadata") if _is_table(spec, part))


def _names(table: TypedTable, one: str, several: str) -> Iterator[Text]:
    """Yield the names under the keys `one` and `several` of a job, a study or their metadata."""
    metadata = [table.table("metadata")] if _is_table(table, "metadata") else []
    for place in (table, *metadata, *_nested(table)):
        value = place.values.get(one)
        if isinstance(value, str):
            yield Text(value, place.place(one))
        yield from _texts(place, several)


def _texts(table: TypedTable, key: str) -> Iterator[Text]:
    """Yield the strings of an array; what else may stand there is none of our business."""
    items = table.values.get(key)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, str):
            yield Text(item, table.document.place((*table.keys, key, index)))


def _is_table(table: TypedTable, key: str) -> bool:
    return isinstance(table.values.get(key), Mapping)


def _tasks(table: TypedTable) -> Iterator[_Task]:
    if "tasks" in table:
        for entry in table.tables("tasks"):
            if "entrypoint" in entry:
                params = plain_parameters(entry.table("params"))
                yield from _task(entry, params, entry.values.get("seed", 0), in_task=True)
        return
    if "entrypoint" in table:
        # Of what is varied the first; an array without any is for the grid to refuse.
        params, seed = next(parameter_sets(table).each(), {}), next(iter(seeds(table)), 0)
        yield from _task(table, params, seed, in_task=not is_grid(table))
    elif all(isinstance(table.values.get(key), str) for key in _STUDY_KEYS):
        yield from _study(table)


def _task(entry: TypedTable, params: Mapping[str, object], seed: object, *, in_task: bool) -> Iterator[_Task]:
    place = entry.place("entrypoint")
    smoke = smoke_task(entry, place, params=params, seed=seed)
    if smoke is not None:
        yield _Task(TaskEntrypoint(smoke.entrypoint, place, in_task), smoke)


def _study(table: TypedTable) -> Iterator[_Task]:
    """Yield the first task of a study or a calibration: the platform joins `model` and `scenario` to its entrypoint."""
    entrypoint = f"{table.values['model']}/{table.values['scenario']}"
    place = table.place("model")
    sets = table.values.get("parameter_sets")
    first = sets[0] if isinstance(sets, list) and sets and isinstance(sets[0], Mapping) else {}
    inner = first.get("params")
    params = {str(key): value for key, value in (inner if isinstance(inner, Mapping) else first).items()}
    yield _Task(
        TaskEntrypoint(entrypoint, place, in_task=True),
        SmokeTask(entrypoint, params, 0, DEFAULT_SMOKE_TIMEOUT_S, place),
    )
