"""What an environment holds, as its files tell it without running anything."""

from typing import NamedTuple

__all__ = ["InstalledDistribution"]


class InstalledDistribution(NamedTuple):
    """One distribution of an environment.

    `modules` are what it can be imported as, dotted below a namespace package; None where that cannot be told (an
    editable install). `requires` are its own requirements as its metadata has them.
    """

    name: str
    version: str
    modules: tuple[str, ...] | None
    requires: tuple[str, ...]
