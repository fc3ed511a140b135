"""What an environment and a lock hold: distributions by normalised name (PEP 503)."""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["InstalledDistribution", "LockContent"]


class InstalledDistribution(NamedTuple):
    """A distribution of an environment: the top-level modules that it brings, and the names of what it requires.

    Requirements of extras are left out: who asks for an extra does not show in the metadata of what it brings.
    """

    name: str
    version: str
    modules: frozenset[str]
    requires: tuple[str, ...]


class LockContent(NamedTuple):
    """What a lock pins. `root` are the requirements that it was made from, None where it does not say."""

    path: str
    versions: Mapping[str, tuple[str, ...]]
    root: tuple[str, ...] | None = None
    requires_python: str | None = None
