"""What a grid file varies: its parameter sets and its seeds. The one definition, for smoke tasks and for grids.

A grid file is ``{"entrypoint", "params": [{...}] or "grid": {name: [values]}, "seeds": [...]}``; one set of parameters
may stand without its array, and one seed under ``seed``.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bundlekit.read.typed_table import TypedTable

__all__ = ["ParameterSets", "is_grid", "parameter_sets", "plain_parameters", "seeds"]

_GRID_KEYS = ("seeds", "grid")


class ParameterSets(NamedTuple):
    """Sets of parameters: as they are listed, or (`axes`) every combination, the last name varying fastest."""

    listed: tuple[Mapping[str, object], ...] = ()
    axes: Mapping[str, list[object]] | None = None

    @property
    def total(self) -> int:
        """How many there are; nothing is made for it."""
        if self.axes is None:
            return len(self.listed)
        count = 1
        for values in self.axes.values():
            count *= len(values)
        return count

    def each(self) -> Iterator[Mapping[str, object]]:
        """Yield one after the other."""
        if self.axes is None:
            yield from self.listed
            return
        for values in itertools.product(*self.axes.values()):
            yield dict(zip(self.axes, values, strict=True))


def is_grid(table: TypedTable) -> bool:
    """Whether only bundlekit reads this file: as one task of the platform it could not stand."""
    return any(key in table for key in _GRID_KEYS) or isinstance(table.values.get("params"), list)


def parameter_sets(table: TypedTable) -> ParameterSets:
    """Return the sets that `table` lists or spans, one empty set where it says nothing; what is wrong is a finding."""
    if "grid" in table:
        if "params" in table:
            table.refuse((*table.keys, "params"), "absent beside 'grid', which varies them", table.values["params"])
        return ParameterSets(axes=_axes(table.table("grid")))
    if isinstance(table.values.get("params"), Mapping):
        return ParameterSets((table.table("params").values,))
    if "params" in table:
        return ParameterSets(tuple(plain_parameters(each) for each in table.tables("params")))
    return ParameterSets(({},))


def seeds(table: TypedTable) -> tuple[object, ...]:
    """Return the seeds as they stand, 0 where none does; whether each can be one is for whoever makes a task of it."""
    several = table.values.get("seeds")
    if isinstance(several, list):
        return tuple(several)
    if several is not None:
        table.refuse((*table.keys, "seeds"), "an array of integers", several)
    return (table.values.get("seed", 0),)


def plain_parameters(params: TypedTable) -> Mapping[str, object]:
    """Return the values of one set; a UniqueParameterSet wraps them: ``{"param_id": ..., "params": {...}}``."""
    nested = params.values.get("params")
    return nested if "param_id" in params and isinstance(nested, Mapping) else params.values


def _axes(grid: TypedTable) -> Mapping[str, list[object]]:
    axes: dict[str, list[object]] = {}
    for name, values in grid.values.items():
        if isinstance(values, list) and values:
            axes[name] = values
        else:
            grid.refuse((*grid.keys, name), "an array of at least one value", values)
    return axes
