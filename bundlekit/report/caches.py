"""What the cache holds, what is wrong with it and what went -> JSON documents and lines for people."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bundlekit.model.counted import sized
from bundlekit.report.printable import printable
from bundlekit.report.text import Style

if TYPE_CHECKING:
    from bundlekit.cold_runner.environments.cached_entries import CachedEntry
    from bundlekit.model.cache import Cleared, Contents, Verified
    from bundlekit.model.documents.caches import (
        CacheClearingDocument,
        CacheDocument,
        CacheEntryDocument,
        CacheRemovalDocument,
        CacheVerificationDocument,
    )

__all__ = [
    "clearing_document",
    "clearing_lines",
    "contents_document",
    "contents_lines",
    "verification_document",
    "verification_lines",
]

_DIFFERENCES_SHOWN = 10
_NAME_SHOWN = 12
_SPANS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def contents_document(contents: "Contents") -> "CacheDocument":
    """Return the JSON document of ``cache ls``."""
    return {
        "schema": "bundlekit/cache/1",
        "directory": contents.directory,
        "size": sum(each.size_bytes for each in contents.entries),
        "entries": [_entry(each) for each in contents.entries],
        "leftovers": [
            {"path": each.path, "size": each.size_bytes, "reason": each.reason} for each in contents.leftovers
        ],
    }


def contents_lines(contents: "Contents", style: Style) -> Iterator[str]:
    """Yield one line for each entry, the least recently used first, then the leftovers and the sum."""
    for entry in sorted(contents.entries, key=lambda each: each.last_used_s):
        yield f"{_row(entry)}  {_ago(entry.last_used_s):>10}  {_state(entry, style)}"
    for leftover in contents.leftovers:
        size = sized(leftover.size_bytes)
        yield f"{'leftover':<12}  {size:>10}  {printable(leftover.path)}: {leftover.reason}"
    count = len(contents.entries)
    size = sized(sum(each.size_bytes for each in contents.entries))
    yield f"{count} entr{'y' if count == 1 else 'ies'}, {size} in {printable(contents.directory)}"
    if contents.leftovers or not all(each.is_complete or each.is_held for each in contents.entries):
        yield "  hint: `bundlekit cache gc` removes what is incomplete or left over"


def verification_document(verified: "Verified") -> "CacheVerificationDocument":
    """Return the JSON document of ``cache verify``."""
    return {
        "schema": "bundlekit/cache-verification/1",
        "directory": verified.directory,
        "sound": not verified.damaged,
        "entries": [
            {
                "kind": each.entry.kind,
                "name": each.entry.name,
                "path": each.entry.directory,
                "verdict": each.verdict,
                "differences": [{"path": one.path, "change": one.change} for one in each.differences],
                "removed": each.entry.directory in verified.removed,
            }
            for each in verified.verifications
        ],
    }


def verification_lines(verified: "Verified", style: Style) -> Iterator[str]:
    """Yield what differs in each damaged entry, what could not be told, and how many are sound."""
    for each in verified.verifications:
        if each.verdict == "damaged":
            yield f"{style('damaged', 'error')} {printable(each.entry.directory)}"
            for one in each.differences[:_DIFFERENCES_SHOWN]:
                yield f"  {one.change} {printable(one.path)}"
            if len(each.differences) > _DIFFERENCES_SHOWN:
                yield f"  and {len(each.differences) - _DIFFERENCES_SHOWN} more"
        elif each.verdict != "sound":
            yield f"{style(each.verdict, 'warning')} {printable(each.entry.directory)}"
    sound = sum(each.verdict == "sound" for each in verified.verifications)
    yield f"{sound} of {len(verified.verifications)} entries are as they were installed"
    left = [each for each in verified.damaged if each.entry.directory not in verified.removed]
    if verified.removed:
        yield f"removed {len(verified.removed)}; the next task that needs one builds it again"
    if left:
        yield "  hint: `bundlekit cache verify --remove` removes what is damaged and not in use; it is then built again"


def clearing_document(cleared: "Cleared") -> "CacheClearingDocument":
    """Return the JSON document of ``cache gc``."""
    entries: list[CacheRemovalDocument] = [
        {
            "kind": each.entry.kind,
            "name": each.entry.name,
            "path": each.entry.directory,
            "size": each.entry.size_bytes,
            "reason": each.reason,
        }
        for each in cleared.removals
    ]
    leftovers: list[CacheRemovalDocument] = [
        {"kind": None, "name": None, "path": each.path, "size": each.size_bytes, "reason": each.reason}
        for each in cleared.leftovers
    ]
    return {
        "schema": "bundlekit/cache-gc/1",
        "directory": cleared.directory,
        "dry_run": cleared.dry_run,
        "freed": cleared.freed_bytes,
        "left": cleared.left_bytes,
        "removed": [*entries, *leftovers],
        "in_use": [each.directory for each in (*cleared.held, *cleared.spared)],
    }


def clearing_lines(cleared: "Cleared", style: Style) -> Iterator[str]:
    """Yield each entry and leftover that went, or would go, with the reason, and what that frees."""
    word = "would remove" if cleared.dry_run else "removed"
    for each in cleared.removals:
        yield f"{word} {_row(each.entry)}  {each.reason}, last used {_ago(each.entry.last_used_s)}"
    for leftover in cleared.leftovers:
        row = f"{'leftover':<12}  {sized(leftover.size_bytes):>10}"
        yield f"{word} {row}  {printable(leftover.path)}: {leftover.reason}"
    count = len(cleared.held) + len(cleared.spared)
    if count:
        yield f"{count} in use: not touched"
    freed = f"{'would free' if cleared.dry_run else 'freed'} {sized(cleared.freed_bytes)}"
    yield f"{style(freed, 'good')}; {sized(cleared.left_bytes)} left in {printable(cleared.directory)}"


def _entry(entry: "CachedEntry") -> "CacheEntryDocument":
    return {
        "kind": entry.kind,
        "name": entry.name,
        "path": entry.directory,
        "size": entry.size_bytes,
        "last_used": round(entry.last_used_s, 3),
        "complete": entry.is_complete,
        "in_use": entry.is_held,
        "environment": entry.owner or None,
        "python": entry.facts.get("version"),
        "installer": entry.facts.get("installer"),
    }


def _row(entry: "CachedEntry") -> str:
    return f"{entry.kind:<12}  {sized(entry.size_bytes):>10}  {entry.name[:_NAME_SHOWN]}"


def _state(entry: "CachedEntry", style: Style) -> str:
    if entry.is_held:
        return style("in use" if entry.is_complete else "being built", "good")
    if not entry.is_complete:
        return style("incomplete", "warning")
    facts = entry.facts
    if "installer" in facts:
        return f"Python {printable(facts.get('version', '?'))}, {printable(facts['installer'])}"
    return f"for environment {entry.owner[:_NAME_SHOWN]}" if entry.owner else "ready"


def _ago(moment_s: float) -> str:
    # A clock that was set back leaves stamps of the future.
    seconds = max(0, int(time.time() - moment_s))
    length, unit = next(((length, unit) for length, unit in _SPANS if seconds >= length), (1, "s"))
    return f"{seconds // length} {unit} ago"
