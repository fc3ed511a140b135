"""Reads a job specification or a grid file: the target functions it names and a smoke task for each entrypoint.

See: CONTRACT section 7 (jobs) and DESIGN, "Shapes" (grid files).
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bundlekit.model.declaration import SmokeTask, TargetDeclaration
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name
from bundlekit.model.place import Place
from bundlekit.read.document import finding_at, is_file
from bundlekit.read.json_document import read_json
from bundlekit.read.settings import smoke_task
from bundlekit.read.typed_table import TypedTable

__all__ = ["JobSpec", "read_job_spec"]

_TARGET_KEYS = ("target_entrypoint", "target", "loss_function")
_TASK_KEYS = ("entrypoint", "tasks")
_TARGET_LISTS = ("target_entrypoints", "targets")
_NESTED = ("target_spec", "job", "spec", "calibration", "aggregation")


class JobSpec(NamedTuple):
    """Targets and smoke tasks that a specification asks for; one task for each entrypoint it names."""

    targets: tuple[TargetDeclaration, ...] = ()
    smoke: tuple[SmokeTask, ...] = ()


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
    targets = dict.fromkeys(TargetDeclaration(value, Place(name)) for value in _targets(table))
    tasks: dict[str, SmokeTask] = {}
    for task in _tasks(table):
        tasks.setdefault(task.entrypoint, task)
    if not targets and not tasks and len(problems) == found_before:
        problems.append(_asks_nothing(table))
    return JobSpec(tuple(targets), tuple(tasks.values()))


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


def _targets(table: TypedTable) -> Iterator[str]:
    for key in _TARGET_KEYS:
        # `target` and `loss_function` also carry other things in the ecosystem's documents: only references count.
        value = table.values.get(key)
        if isinstance(value, str) and (key == "target_entrypoint" or ":" in value):
            yield value
        elif key == "target_entrypoint":
            table.text(key)
    for key in _TARGET_LISTS:
        items = table.values.get(key)
        yield from (item for item in items if isinstance(item, str)) if isinstance(items, list) else ()
    for key in _NESTED:
        if isinstance(table.values.get(key), Mapping):
            yield from _targets(table.table(key))
    if isinstance(table.values.get("tasks"), list):
        for task in table.tables("tasks"):
            target = task.values.get("target_entrypoint")
            if isinstance(target, str):
                yield target


def _tasks(table: TypedTable) -> Iterator[SmokeTask]:
    place = Place(table.document.path)
    if "tasks" in table:
        for entry in table.tables("tasks"):
            if "entrypoint" in entry:
                params = entry.table("params").values
                nested = params.get("params")
                # A UniqueParameterSet wraps its values: {"param_id": ..., "params": {...}}.
                inner = nested if "param_id" in params and isinstance(nested, Mapping) else params
                task = smoke_task(entry, place, params=inner, seed=entry.values.get("seed", 0))
                yield from (task,) if task else ()
        return
    if "entrypoint" in table:
        task = smoke_task(table, place, params=_first_parameters(table), seed=_first_seed(table))
        yield from (task,) if task else ()


def _first_parameters(table: TypedTable) -> Mapping[str, object]:
    if "grid" in table:
        grid = table.table("grid").values
        return {name: values[0] for name, values in grid.items() if isinstance(values, list) and values}
    if isinstance(table.values.get("params"), Mapping):
        return table.table("params").values
    sets = table.tables("params")
    return sets[0].values if sets else {}


def _first_seed(table: TypedTable) -> object:
    seeds = table.values.get("seeds")
    if isinstance(seeds, list) and seeds:
        return seeds[0]
    return table.values.get("seed", 0)
