"""The wire function: one task in, one table in the Arrow file format out."""

import math

import pyarrow as pa
import pyarrow.ipc

from outbreak.model import Parameters, simulate

__all__ = ["wire"]

ENTRYPOINT = "outbreak.model/baseline"
_WHOLE_NUMBERS = {"agents", "days"}


def wire(entrypoint: str, params: dict[str, float], seed: int) -> dict[str, bytes]:
    """Return the table `incidence` of one outbreak: `day` from 0, and `new_infections` of that day.

    Raises:
        ValueError: an unknown entrypoint, an unknown parameter, or one that is not above 0.
    """
    if entrypoint != ENTRYPOINT:
        msg = f"unknown entrypoint {entrypoint!r}: expected {ENTRYPOINT}"
        raise ValueError(msg)
    unknown = sorted(params.keys() - set(Parameters._fields))
    if unknown:
        msg = f"unknown parameters {', '.join(unknown)}: expected some of {', '.join(Parameters._fields)}"
        raise ValueError(msg)
    for name, value in params.items():
        if not math.isfinite(value) or value <= 0 or (name in _WHOLE_NUMBERS and value != int(value)):
            msg = f"parameter {name} must be a number above 0, whole for agents and days, found {value!r}"
            raise ValueError(msg)
    new_infections = simulate(Parameters()._replace(**params), seed)
    table = pa.table({"day": pa.array(range(len(new_infections))), "new_infections": pa.array(new_infections)})
    # The file format, not the stream: targets on the cluster read it with `read_ipc`, which refuses a stream.
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return {"incidence": sink.getvalue().to_pybytes()}
