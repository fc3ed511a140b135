"""The documents of ``cache ls``, ``cache verify`` and ``cache gc``; sizes in bytes, times in seconds of unix time."""

from typing import Literal

from typing_extensions import TypedDict

__all__ = [
    "CacheClearingDocument",
    "CacheDifferenceDocument",
    "CacheDocument",
    "CacheEntryDocument",
    "CacheLeftoverDocument",
    "CacheRemovalDocument",
    "CacheVerdictDocument",
    "CacheVerificationDocument",
]

Kind = Literal["environment", "code", "requirements", "bundle", "fresh", "kept"]


class CacheEntryDocument(TypedDict):
    """One entry; `environment` is the name of the one that code was built for, `in_use` that a run holds it."""

    kind: Kind
    name: str
    path: str
    size: int
    last_used: float
    complete: bool
    in_use: bool
    environment: str | None
    python: str | None
    installer: str | None


class CacheLeftoverDocument(TypedDict):
    """A file or directory that a killed run left behind, or that PRESERVE_TMP kept."""

    path: str
    size: int
    reason: str


class CacheDocument(TypedDict):
    """What `cache ls` tells; `size` is that of all entries."""

    schema: Literal["bundlekit/cache/1"]
    directory: str
    size: int
    entries: list[CacheEntryDocument]
    leftovers: list[CacheLeftoverDocument]


class CacheDifferenceDocument(TypedDict):
    """One file of an entry that is not as it was installed."""

    path: str
    change: Literal["edited", "missing", "added"]


class CacheVerdictDocument(TypedDict):
    """What `cache verify` found in one entry."""

    kind: Kind
    name: str
    path: str
    verdict: Literal["sound", "damaged", "incomplete", "busy", "unknown"]
    differences: list[CacheDifferenceDocument]
    removed: bool


class CacheVerificationDocument(TypedDict):
    """What `cache verify` tells; `sound` is false when any entry is damaged."""

    schema: Literal["bundlekit/cache-verification/1"]
    directory: str
    sound: bool
    entries: list[CacheVerdictDocument]


class CacheRemovalDocument(TypedDict):
    """One entry or leftover that went, or would go; a leftover has neither kind nor name."""

    kind: Kind | None
    name: str | None
    path: str
    size: int
    reason: str


class CacheClearingDocument(TypedDict):
    """What `cache gc` did, or would do; `left` is the size of what stays, `in_use` the paths that are held."""

    schema: Literal["bundlekit/cache-gc/1"]
    directory: str
    dry_run: bool
    freed: int
    left: int
    removed: list[CacheRemovalDocument]
    in_use: list[str]
