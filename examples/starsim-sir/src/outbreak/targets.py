"""The target function: how far the replicates of one parameter set lie from what was observed."""

import base64
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc

__all__ = ["incidence_target"]

SimReturn = Mapping[str, Mapping[str, Mapping[str, bytes | str]]]
"""One replicate, as far as a target reads it: `outputs`, the output's name, `inline`."""

# Runners start tasks in the bundle's root, and the file ships with the bundle.
OBSERVED = Path("data/observed.csv")


def incidence_target(sim_returns: Sequence[SimReturn], target_data: object = None) -> dict[str, float]:
    """Return the mean squared difference of square roots of new infections, over the weeks simulated.

    Noise alone gives about 0.25: the square root of a Poisson count has a variance near 1/4.
    """
    del target_data  # the observations ship with the bundle
    with OBSERVED.open(encoding="utf-8", newline="") as file:
        observed = np.array([int(row["new_infections"]) for row in csv.DictReader(file)])
    simulated = np.mean([_weekly(sim_return) for sim_return in sim_returns], axis=0)
    weeks = min(len(observed), len(simulated))
    return {"loss": float(np.mean((np.sqrt(simulated[:weeks]) - np.sqrt(observed[:weeks])) ** 2))}


def _weekly(sim_return: SimReturn) -> np.ndarray:
    inline = sim_return["outputs"]["incidence"]["inline"]
    # Some runners hand over the bytes themselves, others their base64 text.
    data = base64.b64decode(inline) if isinstance(inline, str) else inline
    daily = pa.ipc.open_file(data).read_all()["new_infections"].to_numpy()
    weeks = len(daily) // 7
    return daily[: weeks * 7].reshape(weeks, 7).sum(axis=1)
