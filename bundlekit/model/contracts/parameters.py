"""A set of parameters and its id, which is the same everywhere in the ecosystem.

See: CONTRACT section 3; tests/unit/contract_vectors.json.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from bundlekit.cold_runner.task import param_id as id_of
from bundlekit.errors import ContractError
from bundlekit.model.contracts.fields import check_text, frozen_mapping

if TYPE_CHECKING:
    from bundlekit.cold_runner.strict_json import JsonValue

__all__ = ["Scalar", "SimParams", "UniqueParameterSet"]

Scalar: TypeAlias = bool | int | float | str


@dataclass(frozen=True)
class UniqueParameterSet:
    """Parameters by name, and their id: 64 hex digits of BLAKE2b over their canonical JSON.

    1, 1.0 and true differ, and so do 0.0 and -0.0. The id is computed where none is given.
    """

    params: Mapping[str, Scalar]
    param_id: str = ""

    def __post_init__(self) -> None:
        """Check and freeze.

        Raises:
            ContractError: a name is no text, a value no finite scalar, or the id is that of other parameters.
        """
        given = frozen_mapping("params", self.params)
        params: dict[str, JsonValue] = {_name(name): _scalar(name, value) for name, value in given.items()}
        try:
            computed = id_of(params)
        except ValueError as error:
            # A lone surrogate, or an integer of more digits than the interpreter writes.
            msg = f"params: expected values that JSON can hold, found one that it cannot: {error}"
            raise ContractError(msg, subject=params) from None
        if self.param_id and self.param_id != computed:
            msg = f"param_id: expected {computed}, which is the id of these params, found {self.param_id!r:.100}"
            raise ContractError(msg, subject=self.param_id)
        object.__setattr__(self, "params", frozen_mapping("params", params))
        object.__setattr__(self, "param_id", computed)

    @classmethod
    def from_dict(cls, params: Mapping[str, Scalar]) -> "UniqueParameterSet":
        """Return the set of `params` with its id.

        Raises:
            ContractError: as the constructor.
        """
        return cls(params)


SimParams = UniqueParameterSet
"""The name by which the first executors' documents know it."""


def _name(name: str) -> str:
    check_text("params: names", name)
    return str(name)


def _scalar(name: str, value: object) -> Scalar:
    """Return `value` as a plain scalar: what is one with a library's own type must not need that library to load."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, str):
        return str(value)
    found = repr(value) if isinstance(value, float) else f"{value!r:.60} ({type(value).__name__})"
    msg = f"params[{name!r:.80}]: expected a bool, an int, a finite float or text, found {found}"
    raise ContractError(msg, subject=value)
