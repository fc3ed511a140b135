"""What a lock lists, as far as rules compare it with what is declared."""

from typing import NamedTuple

from bundlekit.model.place import Place

__all__ = ["LockContent", "LockedDistribution", "RecordedRequirement"]


class LockedDistribution(NamedTuple):
    """One version of a distribution; `requires` are the normal names of what it needs, None where the lock is silent.

    `version` is None where it comes from a directory or a repository.
    """

    name: str
    version: str | None
    requires: tuple[str, ...] | None = None


class RecordedRequirement(NamedTuple):
    """A requirement of the bundle itself at the time of locking; `specifier` is None where its source decided instead.

    `extras` are the normal names of those that it asks for; `of_extra`: it belongs to an extra itself.
    """

    name: str
    specifier: str | None
    extras: frozenset[str] = frozenset()
    of_extra: bool = False


class LockContent(NamedTuple):
    """The lock that a bundle ships, read.

    `recorded` is what the bundle required when uv.lock was written, None for a lock that does not say so;
    `requires_python` likewise. `lists_bundle`: an installer finds the bundle itself in it, where it looks for that.
    """

    place: Place
    distributions: tuple[LockedDistribution, ...]
    recorded: tuple[RecordedRequirement, ...] | None = None
    requires_python: str | None = None
    lists_bundle: bool = True
