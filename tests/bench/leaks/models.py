"""What the models do with the number that a kind works out: short runs, and ways to write them down."""

__all__ = ["ENCODERS", "RUNS"]

RUNS = (
    """
    size, sizes = 1.0, []
    for _ in range(12):
        size += 0.02 * level * size * (1 - size / 50) + 0.001 * generator.random()
        sizes.append(size)
    return sizes
    """,
    """
    place, places = 0.0, []
    for _ in range(10):
        place += level * (1 + 0.1 * generator.random())
        places.append(place)
    return places
    """,
    """
    noise = [generator.random() for _ in range(8)]
    return [level * math.exp(-0.2 * step) + 0.01 * noise[step] for step in range(8)]
    """,
)
"""Bodies of a function with `level` and `generator` at hand: different levels give different numbers."""

ENCODERS = (
    'json.dumps({"values": values}).encode()',
    'json.dumps([{"step": step, "value": value} for step, value in enumerate(values)]).encode()',
    '"\\n".join(["step,value", *(f"{step},{value!r}" for step, value in enumerate(values)), ""]).encode()',
)
"""Expressions that turn `values` into the bytes of an output: two shapes of JSON, and a table in text."""
