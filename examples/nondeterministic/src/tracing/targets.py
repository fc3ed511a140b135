"""The target function: how far the size of the outbreak lies from what was seen."""

import base64
import json
from collections.abc import Mapping, Sequence

__all__ = ["size_target"]

OBSERVED_SIZE = 15


def size_target(
    sim_returns: Sequence[Mapping[str, Mapping[str, Mapping[str, bytes | str]]]], target_data: object = None
) -> dict[str, float]:
    """Return the squared distance of the mean size from the observed one."""
    del target_data  # one number, which stands above
    inlines = [sim_return["outputs"]["outbreak"]["inline"] for sim_return in sim_returns]
    # Some runners hand over the bytes themselves, others their base64 text.
    texts = [base64.b64decode(inline) if isinstance(inline, str) else inline for inline in inlines]
    sizes = [json.loads(text)["infected"][-1] for text in texts]
    return {"loss": float((sum(sizes) / len(sizes) - OBSERVED_SIZE) ** 2)}
