"""Makes the synthetic observations in data/observed.csv: `python -m outbreak.observations > data/observed.csv`."""

import numpy as np

from outbreak.model import Parameters, simulate

__all__ = ["main"]

SEED = 2024


def main() -> None:
    """Print the weeks of one outbreak of the default parameters, each count seen through Poisson noise."""
    weekly = simulate(Parameters(), SEED)[:70].reshape(10, 7).sum(axis=1)
    print("week,new_infections")  # noqa: T201 - this is what it is for
    for week, count in enumerate(np.random.default_rng([SEED, 1]).poisson(weekly), start=1):
        print(f"{week},{count}")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
