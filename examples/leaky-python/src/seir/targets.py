"""The target function: how far the height of the epidemic lies from what was seen."""

import base64
import json
from collections.abc import Mapping, Sequence

__all__ = ["peak_target"]

OBSERVED_PEAK = 0.12


def peak_target(
    sim_returns: Sequence[Mapping[str, Mapping[str, Mapping[str, bytes | str]]]], target_data: object = None
) -> dict[str, float]:
    """Return the squared distance of the mean peak from the observed one."""
    del target_data  # one number, which stands above
    inlines = [sim_return["outputs"]["infectious"]["inline"] for sim_return in sim_returns]
    # Some runners hand over the bytes themselves, others their base64 text.
    texts = [base64.b64decode(inline) if isinstance(inline, str) else inline for inline in inlines]
    peaks = [max(json.loads(text)["share"]) for text in texts]
    return {"loss": (sum(peaks) / len(peaks) - OBSERVED_PEAK) ** 2}
