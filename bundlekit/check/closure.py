"""Everything that declared dependencies need in their turn, by a lock or by an environment."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bundlekit.cold_runner.dependency_hash import normalised_name
from bundlekit.model.installed import InstalledDistribution
from bundlekit.model.lock import LockedDistribution

__all__ = ["InstalledClosure", "installed_closure", "locked_closure"]


class InstalledClosure(NamedTuple):
    """An environment, and the normal names in it that the declared dependencies lead to.

    `is_complete`: all that they need is there, and what each of them is imported as is known.
    """

    by_name: Mapping[str, InstalledDistribution]
    reached: frozenset[str]
    is_complete: bool

    def holders(self, dotted: str) -> dict[str, str]:
        """Return the distributions that provide the module `dotted`: normal names, each with its version."""
        return {
            name: distribution.version
            for name, distribution in self.by_name.items()
            if any(_leads_to(module, dotted) for module in distribution.modules or ())
        }


def _leads_to(module: str, dotted: str) -> bool:
    """Whether importing `dotted` needs the module that a distribution has; a namespace needs any part of it."""
    return dotted == module or dotted.startswith(f"{module}.") or module.startswith(f"{dotted}.")


def locked_closure(
    distributions: Sequence[LockedDistribution], declared: Iterable[str], own: str
) -> frozenset[str] | None:
    """Return the normal names that a lock has for the `declared` ones and for what they need.

    All names of the lock where it does not say what needs what; `own` is the bundle itself.
    """
    needs: dict[str, set[str]] = {}
    for distribution in distributions:
        if distribution.requires is None:
            return frozenset(one.name for one in distributions)
        needs.setdefault(distribution.name, set()).update(distribution.requires)
    reached: set[str] = set()
    pending = [*declared, *needs.get(own, ())]
    while pending:
        name = pending.pop()
        if name in needs and name not in reached and name != own:
            reached.add(name)
            pending.extend(needs[name])
    return frozenset(reached)


def installed_closure(environment: Sequence[InstalledDistribution], declared: Sequence[str]) -> InstalledClosure:
    """Return what the requirements `declared` lead to in the environment."""
    by_name = {normalised_name(distribution.name): distribution for distribution in environment}
    reached: set[tuple[str, str]] = set()
    names: set[str] = set()
    is_complete = True
    pending = [need for text in declared for need in _needs(text, {""})]
    while pending:
        name, extra = pending.pop()
        if (name, extra) in reached:
            continue
        reached.add((name, extra))
        found = by_name.get(name)
        if found is None or found.modules is None:
            is_complete = False
        if found is not None:
            names.add(name)
            pending.extend(need for text in found.requires for need in _needs(text, {extra}))
    return InstalledClosure(by_name, frozenset(names), is_complete)


def _needs(text: str, extras: set[str]) -> list[tuple[str, str]]:
    """Return the name that a requirement asks for, with no extra and with each of its extras; [] if it does not hold.

    Markers are those of the interpreter that runs: it is nearly always of the environment's platform, and what an
    environment does not have because of its version is then only looked for in vain.
    """
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - only with an environment

    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError):
        return []
    marker = requirement.marker
    if marker is not None and not any(marker.evaluate({"extra": extra}) for extra in extras):
        return []
    return [(normalised_name(requirement.name), extra) for extra in ("", *requirement.extras)]
