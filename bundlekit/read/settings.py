"""Reads [tool.bundlekit] and the one key of [tool.modelops] that bundlekit honours."""

import math
from collections.abc import Mapping

from bundlekit.model.declaration import Settings, SmokeTask, TargetDeclaration, WorkerSettings
from bundlekit.model.place import Place
from bundlekit.read.document import finding_at
from bundlekit.read.pyproject import Pyproject
from bundlekit.read.typed_table import TypedTable

__all__ = ["DEFAULT_SMOKE_TIMEOUT_S", "MAX_SEED", "not_json", "read_settings", "smoke_task"]

DEFAULT_SMOKE_TIMEOUT_S = 60.0
MAX_SEED = 2**64 - 1

_KEYS = ("include", "exclude", "targets", "smoke", "requires-fresh-process", "network", "pass-env", "python", "worker")
_SMOKE_KEYS = ("entrypoint", "params", "seed", "timeout-s")
_WORKER_KEYS = ("python", "platform")
_MAX_DEPTH = 100


def read_settings(pyproject: Pyproject) -> Settings:
    """Return the settings of a bundle; unknown keys are warnings, wrong types are findings."""
    table = pyproject.tool("bundlekit")
    table.report_unknown(_KEYS, "BK107")
    smoke = tuple(task for entry in table.tables("smoke") if (task := _smoke_entry(entry)) is not None)
    fresh = table.flag("requires-fresh-process")
    modelops_fresh = pyproject.tool("modelops").flag("requires-fresh-process")
    python = table.text("python")
    return Settings(
        include=tuple(text.value for text in table.texts("include")),
        exclude=tuple(text.value for text in table.texts("exclude")),
        targets=tuple(TargetDeclaration(text.value, text.place) for text in table.texts("targets")),
        smoke=smoke,
        requires_fresh_process=bool(modelops_fresh if fresh is None else fresh),
        network=bool(table.flag("network")),
        pass_env=tuple(text.value for text in table.texts("pass-env")),
        python=python.value if python else None,
        worker=_worker(table.table("worker")),
    )


def smoke_task(table: TypedTable, place: Place, *, params: Mapping[str, object], seed: object) -> SmokeTask | None:
    """Return the task that `table` asks for, None after a finding about its parameters or seed."""
    document = table.document
    reason = not_json(params)
    if reason is not None:
        where = table.place("params") if "params" in table else place
        document.problems.append(finding_at(document.shape_code, f"params of a task {reason}", where))
        return None
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        where = table.place("seed") if "seed" in table else place
        message = "seed must be an integer from 0 to 2**64 - 1"
        document.problems.append(finding_at(document.shape_code, message, where))
        return None
    entrypoint = table.text("entrypoint")
    timeout_s = table.number("timeout-s")
    if timeout_s is not None and not (math.isfinite(timeout_s) and timeout_s > 0):
        message = "timeout-s must be a positive number of seconds"
        document.problems.append(finding_at(document.shape_code, message, table.place("timeout-s")))
        timeout_s = None
    return SmokeTask(
        entrypoint.value if entrypoint else "main",
        params,
        seed,
        DEFAULT_SMOKE_TIMEOUT_S if timeout_s is None else float(timeout_s),
        place,
    )


def not_json(value: object, depth: int = 0) -> str | None:
    """Return why `value` cannot go into a task as strict JSON, None if it can."""
    if depth > _MAX_DEPTH:
        return "are nested too deeply"
    match value:
        case None | bool() | str() | int():
            return None
        case float():
            return None if math.isfinite(value) else f"hold {value}, which JSON has no number for"
        case Mapping():
            items: list[object] = list(value.values())
        case list():
            items = value
        case _:
            return f"hold a {type(value).__name__}, which JSON does not have"
    return next((reason for item in items if (reason := not_json(item, depth + 1)) is not None), None)


def _smoke_entry(entry: TypedTable) -> SmokeTask | None:
    entry.report_unknown(_SMOKE_KEYS, "BK107")
    seed = entry.integer("seed") if "seed" in entry else 0
    if seed is None:
        return None
    return smoke_task(entry, entry.place(), params=entry.table("params").values, seed=seed)


def _worker(table: TypedTable) -> WorkerSettings:
    table.report_unknown(_WORKER_KEYS, "BK107")
    python, platform = table.text("python"), table.text("platform")
    return WorkerSettings(python.value if python else None, platform.value if platform else None)
