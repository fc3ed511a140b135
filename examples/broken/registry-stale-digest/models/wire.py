"""Runs the model for one task."""

import json

from models.growth import Growth


def wire(entrypoint, params, seed):
    return {"incidence": json.dumps(Growth(params).weekly(seed)).encode()}
