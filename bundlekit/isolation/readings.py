"""Two executions of a task that differ -> the first place where they do."""

from pathlib import Path

from bundlekit.isolation.compare import Observation, first_difference
from bundlekit.isolation.divergence import first_divergence
from bundlekit.model.isolation import Divergence
from bundlekit.model.outcome import Output

__all__ = ["divergence_of", "has_data"]


def has_data(observation: Observation) -> bool:
    """Whether the outputs themselves are there, if there are any."""
    return bool(observation.data) or not observation.outputs


def divergence_of(cold: Observation, warm: Observation) -> Divergence | None:
    """Return the first place where the outputs differ; None where one of the two failed, or the data is not there."""
    reading = first_difference(cold, warm)
    if reading is None or not has_data(cold) or not has_data(warm):
        return None
    if reading.cold is None or reading.warm is None:
        names = {True: "there", False: "not there"}
        return Divergence(reading.output, "", names[reading.cold is not None], names[reading.warm is not None])
    return first_divergence(reading.output, _bytes_of(reading.cold), _bytes_of(reading.warm))


def _bytes_of(output: Output) -> bytes:
    if output.inline is None:
        return Path(output.ref or "").read_bytes()
    return output.inline
