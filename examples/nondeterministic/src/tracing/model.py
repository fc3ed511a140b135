"""The outbreak: each infectious person meets all contacts once a day, for a few days."""

import csv
import random
from pathlib import Path

__all__ = ["read_contacts", "simulate"]

INFECTIOUS_DAYS = 4


def read_contacts(path: Path) -> dict[str, set[str]]:
    """Return whom each person meets, by name; contacts are mutual."""
    contacts: dict[str, set[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            contacts.setdefault(row["person"], set()).add(row["other"])
            contacts.setdefault(row["other"], set()).add(row["person"])
    return contacts


def simulate(contacts: dict[str, set[str]], first: str, transmission: float, days: int, seed: int) -> list[int]:
    """Return how many people have been infected at the end of each day; `transmission` is the risk of one meeting."""
    generator = random.Random(seed)  # noqa: S311 - a simulation, no secret
    infected_on = {first: 0}
    totals = []
    for day in range(1, days + 1):
        infectious = {person for person, since in infected_on.items() if day - since <= INFECTIOUS_DAYS}
        for person in infectious:
            for other in contacts[person]:
                if other not in infected_on and generator.random() < transmission:
                    infected_on[other] = day
        totals.append(len(infected_on))
    return totals
