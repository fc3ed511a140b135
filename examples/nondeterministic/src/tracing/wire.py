"""The wire function: one task in, one JSON document out."""

import json
from pathlib import Path

from tracing.model import read_contacts, simulate

__all__ = ["wire"]

ENTRYPOINT = "tracing.model/outbreak"
# Runners start tasks in the bundle's root, and the file ships with the bundle.
CONTACTS = Path("data/contacts.csv")


def wire(entrypoint: str, params: dict[str, float], seed: int) -> dict[str, bytes]:
    """Return the output `outbreak`: people infected by the end of each day.

    Raises:
        ValueError: an unknown entrypoint, or a risk of transmission that is none.
    """
    if entrypoint != ENTRYPOINT:
        msg = f"unknown entrypoint {entrypoint!r}: expected {ENTRYPOINT}"
        raise ValueError(msg)
    transmission = params.get("transmission", 0.1)
    if not 0 <= transmission <= 1:
        msg = f"transmission must be from 0 to 1, found {transmission}"
        raise ValueError(msg)
    infected = simulate(read_contacts(CONTACTS), "Ada", transmission, int(params.get("days", 30)), seed)
    return {"outbreak": json.dumps({"infected": infected}).encode()}
