"""Texts of a fixed form, for the JSON Schemas alone."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple, Protocol

__all__ = ["ChecksumText", "CodeText", "DigestText", "TextPattern"]


class TextPattern(NamedTuple):
    """The regular expression that a text of the document matches, for the JSON Schema alone."""

    pattern: str

    def __get_pydantic_json_schema__(self, core_schema: object, handler: "_SchemaHandler") -> dict[str, object]:
        """Add the pattern to the schema of the annotated text."""
        return {**handler(core_schema), "pattern": self.pattern}


class _SchemaHandler(Protocol):
    """What pydantic hands to the hook above: a call from a core schema to its JSON Schema."""

    def __call__(self, core_schema: object, /) -> Mapping[str, object]: ...


DigestText = Annotated[str, TextPattern("^sha256:[0-9a-f]{64}$")]


ChecksumText = Annotated[str, TextPattern("^[0-9a-f]{64}$")]


CodeText = Annotated[str, TextPattern("^BK[0-9]{3}$")]
