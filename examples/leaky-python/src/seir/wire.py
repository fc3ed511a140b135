"""The wire function: one task in, one JSON document out."""

import json
from pathlib import Path

from seir.model import contacts, simulate

__all__ = ["wire"]

ENTRYPOINT = "seir.model/schools"
# Runners start tasks in the bundle's root, and the file ships with the bundle.
CONTACTS = Path("data/contacts.csv")


def wire(entrypoint: str, params: dict[str, float], seed: int) -> dict[str, bytes]:
    """Return the output `infectious`: the share of infectious people at the end of each day.

    Raises:
        ValueError: an unknown entrypoint, or a share of schools that is none.
    """
    del seed  # the model draws nothing
    if entrypoint != ENTRYPOINT:
        msg = f"unknown entrypoint {entrypoint!r}: expected {ENTRYPOINT}"
        raise ValueError(msg)
    closure = params.get("closure", 0.0)
    if not 0 <= closure <= 1:
        msg = f"closure must be a share from 0 to 1, found {closure}"
        raise ValueError(msg)
    shares = simulate(contacts(CONTACTS), closure, int(params.get("days", 90)))
    return {"infectious": json.dumps({"share": shares}).encode()}
