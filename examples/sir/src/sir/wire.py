"""The wire function: one task in, named tables in the Arrow file format out."""

import math
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from sir.model import Parameters, simulate

__all__ = ["wire"]

SCENARIOS = {"sir.model/baseline": False, "sir.model/lockdown": True}
"""Entrypoints that a task may name, and whether each has a lockdown."""

_WHOLE_NUMBERS = {"population", "initial_infectious", "days", "lockdown_day"}


def wire(entrypoint: str, params: dict[str, bool | float | str], seed: int) -> dict[str, bytes]:
    """Return the tables `prevalence` and `incidence` of one simulated epidemic.

    Raises:
        ValueError: an unknown entrypoint, an unknown parameter (a misspelt one must not run with its default), or a
            value outside its domain.
    """
    if entrypoint not in SCENARIOS:
        msg = f"unknown entrypoint {entrypoint!r}: expected one of {', '.join(SCENARIOS)}"
        raise ValueError(msg)
    trajectory = simulate(_parameters(params), seed, lockdown=SCENARIOS[entrypoint])
    day = np.arange(len(trajectory.infectious), dtype=np.int64)
    prevalence = {
        "day": day,
        "susceptible": trajectory.susceptible,
        "infectious": trajectory.infectious,
        "recovered": trajectory.recovered,
    }
    # No day has ended at the start, so incidence begins with day 1.
    incidence = {"day": day[1:], "new_infections": trajectory.new_infections[1:]}
    return {"prevalence": _arrow_file(prevalence), "incidence": _arrow_file(incidence)}


def _parameters(params: Mapping[str, bool | float | str]) -> Parameters:
    unknown = sorted(params.keys() - set(Parameters._fields))
    if unknown:
        msg = f"unknown parameters {', '.join(unknown)}: expected some of {', '.join(Parameters._fields)}"
        raise ValueError(msg)
    numbers = {name: _number(name, value) for name, value in params.items()}
    parameters = Parameters()._replace(**numbers)
    if not 1 <= parameters.initial_infectious <= parameters.population:
        msg = f"initial_infectious must be from 1 to the population of {parameters.population}"
        raise ValueError(msg)
    if parameters.gamma == 0 or parameters.lockdown_effect > 1:
        msg = "gamma must be above 0, and lockdown_effect at most 1"
        raise ValueError(msg)
    return parameters


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        msg = f"parameter {name} must be a finite number of at least 0, found {value!r}"
        raise ValueError(msg)
    if name not in _WHOLE_NUMBERS:
        return float(value)
    if value != int(value):
        msg = f"parameter {name} must be a whole number, found {value!r}"
        raise ValueError(msg)
    return int(value)


def _arrow_file(columns: Mapping[str, np.ndarray]) -> bytes:
    # The file format, not the stream: targets on the cluster read it with `read_ipc`, which refuses a stream.
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()
