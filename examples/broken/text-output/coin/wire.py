"""A coin that is tossed `n` times."""

import json
import random


def wire(entrypoint, params, seed) -> dict[str, str]:
    generator = random.Random(seed)
    heads = sum(generator.random() < 0.5 for _ in range(params.get("n", 100)))
    return {"heads": json.dumps(heads)}
