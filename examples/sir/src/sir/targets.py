"""Target functions: how far a set of replicates lies from what was observed.

Both compare square roots of counts, which gives Poisson counts about the same spread at every size: their variance is
near 1/4. A loss near 0.25 therefore says that the replicates' mean fits as well as the noise of the observations
allows; a loss of 25 says that it is off by ten standard deviations on a typical day.
"""

import base64
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc

__all__ = ["incidence_target", "prevalence_target"]

SimReturn = Mapping[str, Mapping[str, Mapping[str, bytes | str]]]
"""One replicate, as far as a target reads it: `outputs`, the output's name, `inline`."""

# Runners start tasks in the bundle's root, and the file ships with the bundle.
OBSERVED = Path("data/observed.csv")


def prevalence_target(sim_returns: Sequence[SimReturn], target_data: object = None) -> dict[str, object]:
    """Return the loss of the number of infectious people at the end of each observed day."""
    del target_data  # the observations ship with the bundle
    return _square_root_loss(sim_returns, output="prevalence", column="infectious")


def incidence_target(sim_returns: Sequence[SimReturn], target_data: object = None) -> dict[str, object]:
    """Return the loss of the number of new infections of each observed day."""
    del target_data  # the observations ship with the bundle
    return _square_root_loss(sim_returns, output="incidence", column="new_infections")


def _square_root_loss(sim_returns: Sequence[SimReturn], *, output: str, column: str) -> dict[str, object]:
    if not sim_returns:
        msg = f"the loss of {output} needs at least one replicate, found none"
        raise ValueError(msg)
    observed = _observed(column)
    replicates = np.array([_simulated(returned, output, column, observed) for returned in sim_returns])
    differences = np.sqrt(replicates.mean(axis=0)) - np.sqrt(list(observed.values()))
    return {
        "loss": float(np.mean(differences**2)),
        "diagnostics": {"days": len(observed), "bias": float(np.mean(differences))},
        "n_replicates": len(replicates),
    }


def _observed(column: str) -> dict[int, int]:
    with OBSERVED.open(encoding="utf-8", newline="") as file:
        return {int(row["day"]): int(row[column]) for row in csv.DictReader(file)}


def _simulated(returned: SimReturn, output: str, column: str, days: Mapping[int, int]) -> list[int]:
    inline = returned["outputs"][output]["inline"]
    # Some runners hand over the bytes themselves, others their base64 text.
    data = base64.b64decode(inline) if isinstance(inline, str) else inline
    table = pa.ipc.open_file(data).read_all()
    by_day = dict(zip(table["day"].to_pylist(), table[column].to_pylist(), strict=True))
    missing = sorted(days.keys() - by_day.keys())
    if missing:
        msg = f"output {output} has no day {missing[0]}: simulate at least {max(days)} days"
        raise ValueError(msg)
    return [by_day[day] for day in days]
