"""Reads all tasks of a grid file, of a simulation job or of a study; `job_spec` reads the first ones of the same files.

See: DESIGN, "Shapes" (grid files); CONTRACT section 7 (SimJob, SimulationStudy).
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from bundlekit.cold_runner.strict_json import JsonValue
from bundlekit.cold_runner.task import param_id
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.grid import Grid, GridTask
from bundlekit.model.nearest import nearest_name
from bundlekit.model.place import Place
from bundlekit.read.document import finding_at
from bundlekit.read.grid_table import is_grid, parameter_sets, plain_parameters, seeds
from bundlekit.read.job_spec import TARGET_WORDS
from bundlekit.read.json_document import read_json
from bundlekit.read.settings import MAX_SEED, smoke_task
from bundlekit.read.typed_table import TypedTable

__all__ = ["MAX_TASKS", "read_grid"]

MAX_TASKS = 1_000_000
"""They are held in memory, with their results."""

_AUTO_SEED_BYTES = 8
_AUTO_SEEDS = 2**32
_GRID_KEYS = ("entrypoint", "params", "grid", "seeds", "seed", "outputs", "env")


def read_grid(path: Path, problems: list[Finding]) -> Grid | None:
    """Return every task that the file at `path` asks for; None after a finding, which says why it asks for none."""
    name = str(path)
    table = read_json(path, name, problems)
    if table is None:
        return None
    _report_unknown(table)
    tasks = []
    for task in _tasks(table):
        tasks.append(task)
        if _has_errors(problems):
            return None
    if _has_errors(problems):
        return None
    if not tasks:
        problems.append(finding_at("BK106", f"{name} asks for no task: {_lacking(table)}", Place(name)))
        return None
    return Grid(name, tuple(tasks))


def _lacking(table: TypedTable) -> str:
    if "algorithm" in table:
        return (
            "a calibration has tasks only once its algorithm asks for them; `validate --job-spec` tries what it names"
        )
    return "expected 'entrypoint' with 'params' or 'grid' and 'seeds', or 'tasks', or 'model' and 'scenario'"


def _has_errors(problems: list[Finding]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)


def _report_unknown(table: TypedTable) -> None:
    """Warn of keys that a grid file does not have: misspelt ones would give another grid in silence."""
    for key in table.values:
        if is_grid(table) and "tasks" not in table and key not in (*_GRID_KEYS, *TARGET_WORDS):
            near = nearest_name(key, _GRID_KEYS)
            hint = f"did you mean {near!r}?" if near else f"its keys are: {', '.join(_GRID_KEYS)}"
            name = table.document.path
            message = f"{name} has a key that grid files do not have, {key!r:.60}, so it has no effect"
            problem = finding_at("BK106", message, Place(name), severity=Severity.WARNING, hint=hint)
            table.document.problems.append(problem)


def _tasks(table: TypedTable) -> Iterator[GridTask]:
    if "tasks" in table:
        for entry in table.tables("tasks"):
            yield from _task(entry)
    elif "entrypoint" in table:
        yield from _combinations(table)
    elif "model" in table and "scenario" in table:
        yield from _study(table)


def _combinations(table: TypedTable) -> Iterator[GridTask]:
    sets, each_seed = parameter_sets(table), seeds(table)
    if _too_many(table, sets.total * len(each_seed)):
        return
    for params in sets.each():
        for seed in each_seed:
            yield from _checked(table, table.values["entrypoint"], params, seed)


def _task(entry: TypedTable) -> Iterator[GridTask]:
    params = plain_parameters(entry.table("params"))
    yield from _checked(entry, entry.values.get("entrypoint"), params, entry.values.get("seed", 0))


def _study(table: TypedTable) -> Iterator[GridTask]:
    """Yield each replicate of each parameter set; without a seed of its own a set gets the platform's derived ones."""
    model, scenario = table.text("model"), table.text("scenario")
    replicates = table.values.get("n_replicates", 1)
    if not isinstance(replicates, int) or isinstance(replicates, bool) or replicates < 1:
        table.refuse(("n_replicates",), "an integer of at least 1", replicates)
    entries = table.tables("parameter_sets")
    if model is None or scenario is None or not isinstance(replicates, int):
        return
    if _too_many(table, len(entries) * replicates):
        return
    for entry in entries:
        inner = entry.values.get("params")
        params = inner if isinstance(inner, Mapping) else entry.values
        base = entry.values.get("seed") if isinstance(inner, Mapping) else None
        for number in range(replicates):
            seed = _auto_seed(params, number) if base is None else _later(base, number)
            yield from _checked(entry, f"{model.value}/{scenario.value}", params, seed)


def _checked(table: TypedTable, entrypoint: object, params: Mapping[str, object], seed: object) -> Iterator[GridTask]:
    """Yield the task, or append what in it no task can have."""
    if not isinstance(entrypoint, str) or not entrypoint:
        table.refuse((*table.keys, "entrypoint"), "a text that is not empty", entrypoint)
        return
    smoke = smoke_task(table, Place(table.document.path), params=params, seed=seed)
    if smoke is not None:
        outputs = (
            tuple(sorted({text.value for text in table.texts("outputs")})) if table.values.get("outputs") else None
        )
        env = {name: text.value for name, text in table.table("env").pairs()} if table.values.get("env") else {}
        yield GridTask(entrypoint, _json_table(smoke.params), smoke.seed, outputs, env)


def _too_many(table: TypedTable, count: int) -> bool:
    if count > MAX_TASKS:
        name = table.document.path
        message = f"{name} asks for {count:,} tasks, more than the {MAX_TASKS:,} that one grid may have"
        table.document.problems.append(finding_at("BK106", message, Place(name), hint="split it into several files"))
    return count > MAX_TASKS


def _auto_seed(params: Mapping[str, object], number: int) -> int:
    """Return the seed that the platform derives for replicate `number` of a set (CONTRACT section 7)."""
    text = f"{param_id(_json_table(params))}:{number}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=_AUTO_SEED_BYTES).digest(), "big") % _AUTO_SEEDS


def _json_table(values: Mapping[str, object]) -> dict[str, JsonValue]:
    return {str(name): _json(value) for name, value in values.items()}


def _json(value: object) -> JsonValue:
    match value:
        case bool() | str() | int() | float():
            return value
        case list():
            return [_json(each) for each in value]
        case Mapping():
            return _json_table(value)
        case _:
            # There is nothing else in JSON but null.
            return None


def _later(base: object, number: int) -> object:
    """Return the seed of replicate `number` as ReplicateSet counts; what is no seed is left to be refused."""
    if isinstance(base, bool) or not isinstance(base, int) or base > MAX_SEED:
        return base
    return base + number
