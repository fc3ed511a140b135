"""Losses of a grid: what target functions make of the replicates of each set of parameters."""

from collections.abc import Mapping
from typing import NamedTuple

from bundlekit.cold_runner.codes import ErrorCode
from bundlekit.cold_runner.strict_json import JsonValue

__all__ = ["LossRow", "Replicates"]


class Replicates(NamedTuple):
    """The tasks of a grid that differ in nothing but their seeds, by their numbers; `number` counts such sets from 0.

    `targets` are the target functions that are to be run on the results of all of them.
    """

    number: int
    tasks: tuple[int, ...]
    targets: tuple[str, ...]


class LossRow(NamedTuple):
    """What the function `target` made of the replicates `tasks` of the set `number`.

    `loss` is None after a failure, which the fields from `error_code` on tell of, as in a GridRow; the process is the
    target function's own, and so is its word on how many replicates it took in.
    """

    number: int
    target: str
    tasks: tuple[int, ...]
    executor: str
    host: str
    pid: int | None
    started_s: float | None
    seconds: float
    timeout_s: float
    loss: float | None
    n_replicates: int | None
    diagnostics: Mapping[str, JsonValue]
    error_code: ErrorCode | None = None
    phase: str | None = None
    error_type: str | None = None
    message: str | None = None
    signal: str | None = None
