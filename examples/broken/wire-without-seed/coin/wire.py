"""A coin that is tossed `n` times."""

import json
import random


def wire(entrypoint, params):
    heads = sum(random.random() < 0.5 for _ in range(params.get("n", 100)))
    return {"heads": json.dumps(heads).encode()}
