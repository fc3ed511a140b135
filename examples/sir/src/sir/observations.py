"""Makes the synthetic observations in data/observed.csv: `python -m sir.observations > data/observed.csv`."""

import csv
import sys

import numpy as np

from sir.model import Parameters, simulate

__all__ = ["main"]

TRUTH = Parameters(beta=0.3, gamma=0.1)
SEED = 2024
DAYS = range(7, 85, 7)
"""Once a week for twelve weeks."""


def main() -> None:
    """Write one epidemic of known parameters to stdout, each count seen through Poisson noise."""
    truth = simulate(TRUTH, SEED)
    # A stream of its own: the noise of the observer is not that of the epidemic.
    noise = np.random.default_rng([SEED, 1])
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["day", "infectious", "new_infections"])
    for day in DAYS:
        rows.writerow([day, noise.poisson(truth.infectious[day]), noise.poisson(truth.new_infections[day])])


if __name__ == "__main__":
    main()
