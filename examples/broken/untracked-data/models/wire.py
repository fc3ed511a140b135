"""Runs the model for one task, from the cases of the first week."""

import json
from pathlib import Path

from models.growth import Growth


def wire(entrypoint, params, seed):
    start = json.loads(Path("data/start.json").read_text())
    return {"incidence": json.dumps(Growth(params | start).weekly(seed)).encode()}
