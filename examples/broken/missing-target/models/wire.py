"""Weekly cases from a growth rate."""

import json

import numpy as np


def wire(entrypoint, params, seed):
    generator = np.random.default_rng(seed)
    expected = np.exp(params.get("growth", 0.1) * np.arange(10))
    return {"incidence": json.dumps(generator.poisson(expected).tolist()).encode()}
