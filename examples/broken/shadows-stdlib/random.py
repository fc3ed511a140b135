"""Random numbers as this group always drew them."""

import numpy as np


def toss(seed, n):
    return np.random.default_rng(seed).binomial(n, 0.5)
