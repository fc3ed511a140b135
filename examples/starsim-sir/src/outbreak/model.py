"""The outbreak: agents with ten contacts a day that are drawn anew each day, infectious for eight days on average."""

from typing import NamedTuple

import numpy as np
import starsim as ss
from numpy.typing import NDArray

__all__ = ["Parameters", "simulate"]


class Parameters(NamedTuple):
    """What one task may set.

    Attributes:
        beta: Rate, per day, at which one infectious contact infects.
        infectious_days: Mean of the time that one agent is infectious.
        agents: Agents, of whom two in a hundred start infectious.
        days: Days to simulate.
    """

    beta: float = 0.03
    infectious_days: float = 8.0
    agents: int = 1000
    days: int = 70


def simulate(parameters: Parameters, seed: int) -> NDArray[np.int64]:
    """Return how many agents were infected on each day, of one outbreak that `seed` fixes."""
    sir = ss.SIR(
        beta=ss.perday(parameters.beta),
        init_prev=ss.bernoulli(p=0.02),
        dur_inf=ss.expon(scale=ss.days(parameters.infectious_days)),
        p_death=ss.bernoulli(p=0.0),
    )
    sim = ss.Sim(
        diseases=sir,
        networks=ss.RandomNet(n_contacts=ss.constant(10)),
        n_agents=parameters.agents,
        start="2024-01-01",
        dur=ss.days(parameters.days),
        dt=ss.days(1),
        # NumPy's older generator, which Starsim seeds too, takes 32 bits.
        rand_seed=seed % 2**32,
        verbose=0,
    )
    sim.run()
    return np.asarray(sim.results.sir.new_infections, dtype=np.int64)
