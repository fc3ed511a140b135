"""Call signatures as data: the same shape from source (`check`) and from the running object (`probe`)."""

from enum import StrEnum
from typing import NamedTuple

__all__ = ["CallableKind", "Parameter", "ParameterKind", "Signature", "Unknown"]


class ParameterKind(StrEnum):
    """The five kinds of :class:`inspect.Parameter`, by their names there."""

    POSITIONAL_ONLY = "POSITIONAL_ONLY"
    POSITIONAL_OR_KEYWORD = "POSITIONAL_OR_KEYWORD"
    VAR_POSITIONAL = "VAR_POSITIONAL"
    KEYWORD_ONLY = "KEYWORD_ONLY"
    VAR_KEYWORD = "VAR_KEYWORD"


class Parameter(NamedTuple):
    """One parameter; annotations and the values of defaults are not compared, so they are not kept."""

    name: str
    kind: ParameterKind
    has_default: bool = False


class CallableKind(StrEnum):
    """What calling the object gives: a value, a coroutine, or a generator (asynchronous ones included)."""

    PLAIN = "plain"
    COROUTINE = "coroutine"
    GENERATOR = "generator"


class Signature(NamedTuple):
    """Parameters in order, as :func:`inspect.signature` of the running object would give them."""

    parameters: tuple[Parameter, ...]
    kind: CallableKind = CallableKind.PLAIN

    def accepts_positional(self, count: int) -> bool:
        """Whether a call with `count` positional arguments and nothing else binds (PEP 362)."""
        required = limit = 0
        for parameter in self.parameters:
            if parameter.kind is ParameterKind.VAR_POSITIONAL:
                return required <= count and self._keywords_optional()
            if parameter.kind in {ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL_OR_KEYWORD}:
                limit += 1
                required += not parameter.has_default
        return required <= count <= limit and self._keywords_optional()

    def _keywords_optional(self) -> bool:
        return all(p.has_default for p in self.parameters if p.kind is ParameterKind.KEYWORD_ONLY)

    def __str__(self) -> str:
        """The signature as Python would print it, defaults shown as ``=...``."""
        return f"({', '.join(_parts(self.parameters))})"


class Unknown(NamedTuple):
    """A static answer that only running the code can give, and why.

    `is_there`: the name certainly exists once its module is imported, and only what it is cannot be told.
    """

    reason: str
    is_there: bool = False


_STARS = {ParameterKind.VAR_POSITIONAL: "*", ParameterKind.VAR_KEYWORD: "**"}


def _parts(parameters: tuple[Parameter, ...]) -> list[str]:
    parts: list[str] = []
    previous: ParameterKind | None = None
    for parameter in parameters:
        if previous is ParameterKind.POSITIONAL_ONLY and parameter.kind is not ParameterKind.POSITIONAL_ONLY:
            parts.append("/")
        if parameter.kind is ParameterKind.KEYWORD_ONLY and previous not in {
            ParameterKind.KEYWORD_ONLY,
            ParameterKind.VAR_POSITIONAL,
        }:
            parts.append("*")
        parts.append(_STARS.get(parameter.kind, "") + parameter.name + ("=..." if parameter.has_default else ""))
        previous = parameter.kind
    if previous is ParameterKind.POSITIONAL_ONLY:
        parts.append("/")
    return parts
