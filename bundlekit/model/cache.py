"""What the cache of environments holds, what is wrong with it, and what went from it."""

from typing import NamedTuple

from bundlekit.cold_runner.environments.cache_leftovers import Leftover
from bundlekit.cold_runner.environments.cache_removal import Removal
from bundlekit.cold_runner.environments.cache_verification import Verification
from bundlekit.cold_runner.environments.cached_entries import CachedEntry

__all__ = ["Cleared", "Contents", "Verified"]


class Contents(NamedTuple):
    """What is in the cache `directory`, and what killed runs have left there and elsewhere."""

    directory: str
    entries: tuple[CachedEntry, ...]
    leftovers: tuple[Leftover, ...]


class Verified(NamedTuple):
    """The verdict on each entry; `removed` are directories of damaged ones that were removed."""

    directory: str
    verifications: tuple[Verification, ...]
    removed: frozenset[str]

    @property
    def damaged(self) -> tuple[Verification, ...]:
        """Those that differ from their inventory, removed or not."""
        return tuple(each for each in self.verifications if each.verdict == "damaged")


class Cleared(NamedTuple):
    """What went, or would go if this were no trial (`dry_run`); `spared` was taken into use meanwhile."""

    directory: str
    dry_run: bool
    removals: tuple[Removal, ...]
    leftovers: tuple[Leftover, ...]
    spared: tuple[CachedEntry, ...]
    held: tuple[CachedEntry, ...]
    left_bytes: int

    @property
    def freed_bytes(self) -> int:
        """The size of what went."""
        return sum(each.entry.size_bytes for each in self.removals) + sum(each.size_bytes for each in self.leftovers)
