"""Environment variables of a worker: which there are for a setting, and how their texts are read.

An empty variable counts as unset, as a deployment file that leaves a value blank means it (DESIGN decision 11).
"""

import os
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeVar

from bundlekit.model.nearest import nearest_name

__all__ = [
    "Stated",
    "Variable",
    "clashes",
    "count",
    "directory",
    "is_on",
    "one_of",
    "stated",
    "switch",
]

WordT = TypeVar("WordT", bound=StrEnum)

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_NUMBER = re.compile(r"[0-9]{1,18}")


class Variable(NamedTuple):
    """The variables that a setting is read from, the one to use first; `has_effect` tells if this version uses it."""

    names: tuple[str, ...]
    has_effect: bool = True


class Stated(NamedTuple):
    """A variable that is set and not empty."""

    name: str
    text: str


def stated(variable: Variable, environ: Mapping[str, str]) -> Stated | None:
    """Return the first of the variables that is set, None when none is."""
    return next((Stated(name, environ[name]) for name in variable.names if environ.get(name)), None)


def clashes(variable: Variable, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a problem for each synonym that says other than the first one that is set."""
    first = stated(variable, environ)
    for name in variable.names:
        text = environ.get(name)
        if first is not None and text and text != first.text:
            yield f"{first.name}={first.text!r:.100} and {name}={text!r:.100} contradict each other: keep one of them"


def switch(value: object) -> bool:
    """Return what a switch says; capitals do not count.

    Raises:
        ValueError: it is none of the words that there are.
    """
    word = str(value).lower()
    if word not in _TRUE | _FALSE:
        msg = f"expected 1, true, yes, on or their opposites 0, false, no, off, found {value!r:.100}"
        raise ValueError(msg)
    return word in _TRUE


def is_on(found: Stated | None) -> bool:
    """Return whether a variable is there and is a switch that is on; what is no switch is told elsewhere."""
    return found is not None and found.text.lower() in _TRUE


def count(value: object) -> int:
    """Return a whole number above 0.

    Raises:
        ValueError: it is none, or has more than 18 digits.
    """
    text = str(value)
    if not _NUMBER.fullmatch(text) or int(text) == 0:
        msg = f"expected a whole number above 0 in decimal digits, found {value!r:.100}"
        raise ValueError(msg)
    return int(text)


def one_of(words: type[WordT], value: object) -> WordT:
    """Return the member of `words` that `value` is; capitals count.

    Raises:
        ValueError: it is none of them; the message names the nearest.
    """
    choices = [each.value for each in words]
    if value not in choices:
        near = nearest_name(str(value).lower(), choices)
        guess = f"; did you mean {near}?" if near else ""
        msg = f"expected one of {', '.join(choices)}, found {value!r:.100}{guess}"
        raise ValueError(msg)
    return words(value)


def directory(value: object) -> Path:
    """Return an absolute path, without looking whether it is there.

    Raises:
        ValueError: it is no text, or holds a zero byte.
    """
    if not isinstance(value, str | Path) or "\0" in str(value):
        msg = f"expected the path of a directory, found {value!r:.100}"
        raise ValueError(msg)
    return Path(os.path.abspath(value))  # noqa: PTH100 - `absolute` keeps the dots
