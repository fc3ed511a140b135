"""The epidemic itself: parameters and a seed in, one trajectory out; no files and no global state.

Time is in days, rates are per day, and people are counted as whole numbers.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["STEPS_PER_DAY", "Parameters", "Trajectory", "basic_reproduction_number", "simulate"]

STEPS_PER_DAY = 10
"""Short against 1/beta and 1/gamma: a step lengthens the mean infection by half of itself, 0.5 % at gamma = 0.1."""

Counts = NDArray[np.int64]


class Parameters(NamedTuple):
    """What one task may set.

    Attributes:
        beta: Infectious contacts that one person makes per day.
        gamma: Rate at which one infectious person recovers, per day; the mean infectious period is 1/gamma days.
        population: People, all susceptible but for `initial_infectious`.
        initial_infectious: People who are infectious on day 0.
        days: Days to simulate.
        lockdown_day: First day of the lockdown, in the scenario that has one.
        lockdown_effect: Share of contacts that the lockdown prevents, from 0 to 1.
    """

    beta: float = 0.3
    gamma: float = 0.1
    population: int = 10_000
    initial_infectious: int = 10
    days: int = 120
    lockdown_day: int = 30
    lockdown_effect: float = 0.6


class Trajectory(NamedTuple):
    """Counts at the end of each day, day 0 being the start; `new_infections` are those of the day that ends there."""

    susceptible: Counts
    infectious: Counts
    recovered: Counts
    new_infections: Counts


def basic_reproduction_number(parameters: Parameters) -> float:
    """Return R0 = beta / gamma: infections that one person causes in a population where all others are susceptible."""
    return parameters.beta / parameters.gamma


def simulate(parameters: Parameters, seed: int, *, lockdown: bool = False) -> Trajectory:
    """Return one epidemic, drawn with a generator of its own that `seed` starts.

    In each step every susceptible person escapes infection with probability exp(-beta I/N dt), and every infectious one
    stays so with probability exp(-gamma dt): two binomial draws.
    """
    generator = np.random.default_rng(seed)
    counts = np.zeros((parameters.days + 1, 4), dtype=np.int64)
    susceptible = parameters.population - parameters.initial_infectious
    infectious, recovered = parameters.initial_infectious, 0
    counts[0] = susceptible, infectious, recovered, 0
    dt = 1.0 / STEPS_PER_DAY
    recovery = -math.expm1(-parameters.gamma * dt)
    for day in range(1, parameters.days + 1):
        # The interval that ends at the close of day d is day d - 1 of the calendar that starts at 0.
        beta = _contact_rate(parameters, day - 1, lockdown=lockdown)
        infected_today = 0
        for _ in range(STEPS_PER_DAY):
            infection = -math.expm1(-beta * infectious / parameters.population * dt)
            newly_infected = int(generator.binomial(susceptible, infection))
            newly_recovered = int(generator.binomial(infectious, recovery))
            susceptible -= newly_infected
            infectious += newly_infected - newly_recovered
            recovered += newly_recovered
            infected_today += newly_infected
        counts[day] = susceptible, infectious, recovered, infected_today
    return Trajectory(*counts.T)


def _contact_rate(parameters: Parameters, elapsed_days: int, *, lockdown: bool) -> float:
    if lockdown and elapsed_days >= parameters.lockdown_day:
        return parameters.beta * (1.0 - parameters.lockdown_effect)
    return parameters.beta
