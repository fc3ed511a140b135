"""Fields of contract types as anybody may fill them, and the refusals that name the field.

Types are promised by annotations alone: a task is made by code that no type checker may have seen.
"""

import math
from collections.abc import Mapping

from bundlekit.errors import ContractError
from bundlekit.model.contracts.read_only_map import ReadOnlyMap

__all__ = ["check_bool", "check_finite", "check_text", "check_whole", "frozen_mapping", "wrong"]


def check_text(field: str, value: object, *, may_be_empty: bool = False) -> None:
    """Refuse anything but text.

    Raises:
        ContractError: `value` is no text, or is empty where it may not be.
    """
    if not isinstance(value, str) or not (value or may_be_empty):
        raise wrong(f"{field}: expected {'text' if may_be_empty else 'non-empty text'}", value)


def check_whole(field: str, value: object, least: int, most: int | None = None, *, told: str | None = None) -> None:
    """Refuse anything but a whole number from `least` to `most`; `told` says so in other words.

    Raises:
        ContractError: `value` is no int, is a bool, or lies outside.
    """
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not isinstance(value, int) or value < least or (most is not None and value > most):
        raise wrong(f"{field}: expected {told or f'a whole number from {least}'}", value)


def check_finite(field: str, value: object) -> None:
    """Refuse anything but a finite real number.

    Raises:
        ContractError: `value` is none.
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise wrong(f"{field}: expected a finite number", value)


def check_bool(field: str, value: object) -> None:
    """Refuse anything but True and False.

    Raises:
        ContractError: `value` is neither.
    """
    if not isinstance(value, bool):
        raise wrong(f"{field}: expected a bool", value)


def frozen_mapping(field: str, value: object) -> ReadOnlyMap[object]:
    """Return `value` as a mapping that stays as it is.

    Raises:
        ContractError: `value` is no mapping.
    """
    if not isinstance(value, Mapping):
        raise wrong(f"{field}: expected a mapping", value)
    return ReadOnlyMap(value)


def wrong(expected: str, found: object) -> ContractError:
    """Return the refusal of `found`, where something else was `expected`."""
    return ContractError(f"{expected}, found {found!r:.100}", subject=found)
