"""The wire function: one task in, one table in the Arrow file format out."""

import pyarrow as pa
import pyarrow.ipc

from epidemic._sir import simulate

__all__ = ["wire"]

ENTRYPOINT = "epidemic.model/baseline"
DEFAULTS: dict[str, float] = {"beta": 0.3, "gamma": 0.1, "population": 10_000, "initial_infectious": 10, "days": 120}


def wire(entrypoint: str, params: dict[str, float], seed: int) -> dict[str, bytes]:
    """Return the table `epidemic` of one simulated epidemic: a row for each day.

    Raises:
        ValueError: an unknown entrypoint or parameter, or a value outside its domain.
    """
    if entrypoint != ENTRYPOINT:
        msg = f"unknown entrypoint {entrypoint!r}: expected {ENTRYPOINT}"
        raise ValueError(msg)
    unknown = sorted(params.keys() - DEFAULTS.keys())
    if unknown:
        msg = f"unknown parameters {', '.join(unknown)}: expected some of {', '.join(DEFAULTS)}"
        raise ValueError(msg)
    values = DEFAULTS | params
    if not 1 <= values["initial_infectious"] <= values["population"] or min(values.values()) < 0:
        msg = "no parameter may be below 0, and initial_infectious must be from 1 to the population"
        raise ValueError(msg)
    infectious, new_infections = simulate(**values, seed=seed)
    return {"epidemic": _arrow_file(infectious, new_infections)}


def _arrow_file(infectious: list[int], new_infections: list[int]) -> bytes:
    # The file format, not the stream: targets on the cluster read it with `read_ipc`, which refuses a stream.
    days = range(len(infectious))
    table = pa.table({"day": pa.array(days), "infectious": infectious, "new_infections": new_infections})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()
