"""A coin that is tossed `n` times, fair or not."""

import json
import random

SCENARIOS = {"coin.wire/fair": 0.5, "coin.wire/loaded": 0.6}


def wire(entrypoint, params, seed):
    generator = random.Random(seed)
    heads = sum(generator.random() < SCENARIOS[entrypoint] for _ in range(params.get("n", 100)))
    return {"heads": json.dumps(heads).encode()}
