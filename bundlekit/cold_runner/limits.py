"""What one task may use: the limits of [tool.bundlekit.limits], as the kernel holds them for each of its processes.

See: getrlimit(2). There is no limit on the number of processes: the kernel has none that would hold for root, and what
it counts is all processes of the user.
"""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["LIMIT_KEYS", "NO_LIMITS", "Limits", "is_limit", "limits_of"]

_MIB = 1 << 20
_MOST = 1 << 40
LIMIT_KEYS = ("memory-mib", "cpu-s", "file-size-mib", "open-files")
"""The keys of the table, in the order of the fields of :class:`Limits`."""


class Limits(NamedTuple):
    """Limits of one process: address space and largest file in MiB, CPU time in seconds; None is no limit."""

    memory_mib: int | None = None
    cpu_s: int | None = None
    file_size_mib: int | None = None
    open_files: int | None = None

    def by_name(self) -> dict[str, int]:
        """Return the limits that are set, by the names of the module ``resource``, in its units."""
        units = (("RLIMIT_AS", _MIB), ("RLIMIT_CPU", 1), ("RLIMIT_FSIZE", _MIB), ("RLIMIT_NOFILE", 1))
        return {name: value * unit for value, (name, unit) in zip(self, units, strict=True) if value is not None}


NO_LIMITS = Limits()


def is_limit(value: object) -> bool:
    """Return whether `value` can be a limit: a whole number above 0 that the kernel can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST


def limits_of(table: Mapping[str, object]) -> Limits:
    """Return the limits that `table` sets; other keys have no effect.

    Raises:
        ValueError: a value is no limit; the message names it.
    """
    for key in LIMIT_KEYS:
        value = table.get(key)
        if value is not None and not is_limit(value):
            raise ValueError(f"expected a whole number above 0 in limits.{key}, found {value!r:.100}")
    return Limits(*(value if isinstance(value := table.get(key), int) else None for key in LIMIT_KEYS))
