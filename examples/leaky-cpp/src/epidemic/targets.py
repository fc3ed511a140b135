"""The target function: how far the replicates of one parameter set lie from what was observed."""

import base64
import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

__all__ = ["incidence_target"]

SimReturn = Mapping[str, Mapping[str, Mapping[str, bytes | str]]]
"""One replicate, as far as a target reads it: `outputs`, the output's name, `inline`."""

# Runners start tasks in the bundle's root, and the file ships with the bundle.
OBSERVED = Path("data/observed.csv")


def incidence_target(sim_returns: Sequence[SimReturn], target_data: object = None) -> dict[str, float]:
    """Return the mean squared difference of square roots of weekly new infections; noise alone gives about 0.25."""
    del target_data  # the observations ship with the bundle
    with OBSERVED.open(encoding="utf-8", newline="") as file:
        observed = {int(row["week"]): int(row["new_infections"]) for row in csv.DictReader(file)}
    replicates = [_weekly(sim_return) for sim_return in sim_returns]
    squares = [
        (math.sqrt(sum(weekly[week - 1] for weekly in replicates) / len(replicates)) - math.sqrt(count)) ** 2
        for week, count in observed.items()
    ]
    return {"loss": sum(squares) / len(squares)}


def _weekly(sim_return: SimReturn) -> list[int]:
    inline = sim_return["outputs"]["epidemic"]["inline"]
    # Some runners hand over the bytes themselves, others their base64 text.
    data = base64.b64decode(inline) if isinstance(inline, str) else inline
    daily = pa.ipc.open_file(data).read_all()["new_infections"].to_pylist()
    return [sum(daily[day : day + 7]) for day in range(1, len(daily), 7)]
