"""Compares the heads of a simulation with those that were counted."""

import csv
import json
from pathlib import Path


def heads_target(sim_returns, target_data=None):
    with open("data/observed.csv", newline="") as file:
        observed = [int(row["heads"]) for row in csv.DictReader(file)]
    heads = [json.loads(sim_return["outputs"]["heads"]["inline"]) for sim_return in sim_returns]
    mean = sum(heads) / len(heads)
    return {"loss": sum((mean - count) ** 2 for count in observed) / len(observed)}
