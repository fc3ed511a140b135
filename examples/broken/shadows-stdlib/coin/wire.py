"""A coin that is tossed `n` times."""

import json

from random import toss


def wire(entrypoint, params, seed):
    return {"heads": json.dumps(int(toss(seed, params.get("n", 100)))).encode()}
