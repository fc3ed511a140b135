"""The epidemic: time is in days, rates are per day, and people are shares of their age group."""

import csv
from functools import lru_cache
from pathlib import Path

__all__ = ["contacts", "simulate"]

STEPS_PER_DAY = 4
INCUBATION, RECOVERY = 1 / 4, 1 / 6
TRANSMISSION = 0.035
"""Probability that a contact of a susceptible with an infectious person infects."""


@lru_cache
def contacts(path: Path) -> list[list[float]]:
    """Return how many people of each age group (columns) one person of a group (rows) meets a day."""
    with path.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    return [[float(value) for value in row[1:]] for row in rows]


def simulate(matrix: list[list[float]], closure: float, days: int) -> list[float]:
    """Return the infectious share of people at the end of each day; `closure` is the share of closed schools."""
    matrix[0][0] *= 1 - closure
    groups = range(len(matrix))
    susceptible, exposed, infectious = [0.999 for _ in groups], [0.0 for _ in groups], [0.001 for _ in groups]
    shares = []
    for _ in range(days):
        for _ in range(STEPS_PER_DAY):
            force = [
                TRANSMISSION * sum(matrix[mine][other] * infectious[other] for other in groups) / STEPS_PER_DAY
                for mine in groups
            ]
            for group in groups:
                infected = force[group] * susceptible[group]
                fell_ill = INCUBATION * exposed[group] / STEPS_PER_DAY
                recovered = RECOVERY * infectious[group] / STEPS_PER_DAY
                susceptible[group] -= infected
                exposed[group] += infected - fell_ill
                infectious[group] += fell_ill - recovered
        shares.append(sum(infectious) / len(infectious))
    return shares
