"""What a receipt says of an archive."""

from enum import StrEnum
from typing import Final, NamedTuple

from bundlekit.model.digest import Digest

__all__ = ["PREDICATE_TYPE", "STATEMENT_TYPE", "CheckedReceipt", "Result", "Versions"]

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:bundlekit:validation:1"


class Result(StrEnum):
    """How a validation ended. UNPROVED: nothing failed, and no task that anyone vouched for was run."""

    PASSED = "passed"
    UNPROVED = "unproved"
    FAILED = "failed"


class Versions(NamedTuple):
    """What validates: `tool` is bundlekit with its version; `rules` and `runner` are digests of their sources."""

    tool: str
    rules: Digest
    runner: Digest


class CheckedReceipt(NamedTuple):
    """A receipt that is about the archive it was held against.

    `same_rules` and `same_runner` tell whether this installation would validate by the very same ones.
    """

    path: str
    result: Result
    level: str
    tool: str
    same_rules: bool
    same_runner: bool
    validated_at: str
    isolation: str | None
