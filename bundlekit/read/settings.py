"""Reads [tool.bundlekit] and the one key of [tool.modelops] that bundlekit honours."""

import math
import sys
from collections.abc import Iterable, Mapping

from bundlekit.cold_runner.limits import LIMIT_KEYS, Limits, is_limit, limits_of
from bundlekit.model.declaration import Settings, SmokeTask, TargetDeclaration, WorkerSettings
from bundlekit.model.place import Place
from bundlekit.read.policy_settings import POLICY_KEYS, read_policy_settings
from bundlekit.read.pyproject import Pyproject
from bundlekit.read.shipping_settings import SHIPPING_KEYS, read_shipping_settings
from bundlekit.read.typed_table import Keys, TypedTable

__all__ = ["DEFAULT_SMOKE_TIMEOUT_S", "MAX_SEED", "read_settings", "smoke_task"]

DEFAULT_SMOKE_TIMEOUT_S = 60.0
MAX_SEED = 2**64 - 1

_KEYS = (
    "targets",
    "smoke",
    "requires-fresh-process",
    "network",
    "pass-env",
    "python",
    "worker",
    "limits",
    *SHIPPING_KEYS,
    *POLICY_KEYS,
)
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
    python, policy, shipping = table.text("python"), read_policy_settings(table), read_shipping_settings(table)
    return Settings(
        include=shipping.include,
        exclude=shipping.exclude,
        targets=tuple(TargetDeclaration(text.value, text.place) for text in table.texts("targets")),
        smoke=smoke,
        requires_fresh_process=bool(modelops_fresh if fresh is None else fresh),
        network=table.flag("network"),
        pass_env=tuple(text.value for text in table.texts("pass-env")),
        python=python.value if python else None,
        worker=_worker(table.table("worker")),
        python_place=python.place if python else None,
        select=policy.select,
        ignore=policy.ignore,
        per_file_ignores=policy.per_file_ignores,
        severities=policy.severities,
        baseline=policy.baseline,
        named_codes=policy.named_codes,
        limits=_limits(table.table("limits")),
        copy_symlinks=shipping.copy_symlinks,
        allow_secrets=shipping.allow_secrets,
        large_bundle_bytes=shipping.large_bundle_bytes,
    )


def smoke_task(table: TypedTable, place: Place, *, params: Mapping[str, object], seed: object) -> SmokeTask | None:
    """Return the task that `table` asks for, None after a finding for each value in it that no task can have."""
    problems = table.document.problems
    found_before = len(problems)
    entrypoint = table.text("entrypoint")
    timeout_s = table.number("timeout-s")
    for name, value in params.items():
        wrong = _not_json(value, (*table.keys, "params", name))
        if wrong is not None:
            table.refuse(*wrong)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        table.refuse((*table.keys, "seed"), "an integer from 0 to 2**64 - 1", seed)
    # Compared and not converted: an integer may be too large for a float, and NaN is neither.
    if timeout_s is not None and not 0 < timeout_s <= sys.float_info.max:
        table.refuse((*table.keys, "timeout-s"), "a positive number of seconds", timeout_s)
    if len(problems) > found_before or not isinstance(seed, int):
        return None
    return SmokeTask(
        entrypoint.value if entrypoint else "main",
        params,
        seed,
        DEFAULT_SMOKE_TIMEOUT_S if timeout_s is None else float(timeout_s),
        place,
    )


def _not_json(value: object, keys: Keys, depth: int = 1) -> tuple[Keys, str, object] | None:
    """Return what in `value` cannot go into a task as strict JSON: where it stands, what may stand there, what does."""
    if depth > _MAX_DEPTH:
        return keys[: len(keys) - depth + 1], f"nested at most {_MAX_DEPTH} levels deep", value
    items: Iterable[tuple[str | int, object]]
    match value:
        case None | bool() | str() | int():
            return None
        case float():
            return None if math.isfinite(value) else (keys, "a number that JSON has", value)
        case Mapping():
            items = value.items()
        case list():
            items = enumerate(value)
        case _:
            return keys, "a value that JSON has", value
    return next((found for key, item in items if (found := _not_json(item, (*keys, key), depth + 1))), None)


def _smoke_entry(entry: TypedTable) -> SmokeTask | None:
    entry.report_unknown(_SMOKE_KEYS, "BK107")
    return smoke_task(entry, entry.place(), params=entry.table("params").values, seed=entry.values.get("seed", 0))


def _limits(table: TypedTable) -> Limits:
    table.report_unknown(LIMIT_KEYS, "BK107")
    wrong = [key for key in LIMIT_KEYS if key in table and not is_limit(table.values[key])]
    for key in wrong:
        table.refuse((*table.keys, key), "an integer above 0", table.values[key])
    return limits_of({key: value for key, value in table.values.items() if key not in wrong})


def _worker(table: TypedTable) -> WorkerSettings:
    table.report_unknown(_WORKER_KEYS, "BK107")
    python, platform = table.text("python"), table.text("platform")
    return WorkerSettings(
        python.value if python else None,
        platform.value if platform else None,
        python.place if python else None,
        platform.place if platform else None,
    )
