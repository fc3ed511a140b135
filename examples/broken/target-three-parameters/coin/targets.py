"""Compares the heads of a simulation with those that were counted."""

import json


def heads_target(sim_returns, target_data, weight):
    heads = [json.loads(sim_return["outputs"]["heads"]["inline"]) for sim_return in sim_returns]
    return {"loss": weight * (sum(heads) / len(heads) - 53) ** 2}
