"""Names of members: which cannot ship at all, and which ship but do not port to other systems. Pure; no disk.

See: DESIGN decision 2; HOSTILE_CORPUS B (names), A17 (collisions) and N09 (the kinds of ``.git``).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bundlekit.cold_runner.exclusions import RESERVED_DIRECTORY

__all__ = [
    "MAX_COMPONENT_BYTES",
    "MAX_DEPTH",
    "MAX_PATH_BYTES",
    "NameProblem",
    "colliding_paths",
    "component_error",
    "is_git_name",
    "is_reserved_name",
    "path_error",
    "path_limit_error",
    "portability_warnings",
]

MAX_COMPONENT_BYTES = 255
"""What Linux and macOS allow for one component, in UTF-8."""

MAX_PATH_BYTES = 4096
MAX_DEPTH = 100
"""Components of a path: deeper than any bundle, shallower than any stack."""

_INVISIBLE = {
    "Cc": "a control character",
    "Cf": "an invisible or direction-changing character",
    "Cs": "bytes that are not UTF-8",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}
_DRIVE = re.compile(r"[A-Za-z]:")
_WINDOWS_FORBIDDEN = frozenset('<>:"|?*')
_WINDOWS_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE)


class NameProblem(NamedTuple):
    """A path and what is wrong with it, worded to follow the path in a sentence."""

    path: str
    reason: str


def component_error(name: str) -> str | None:
    """Return why no file or directory of this name can ship, or None."""
    if name in {"", ".", ".."}:
        return f"has the component {name!r}"
    if "\\" in name or "/" in name:
        return "contains a backslash or a slash"
    if name.isascii():
        return None if name.isprintable() else "contains a control character"
    for character in name:
        kind = _INVISIBLE.get(unicodedata.category(character))
        if kind is not None:
            return f"contains {kind} ({character!a})"
    if not frozenset("/\\").isdisjoint(unicodedata.normalize("NFKC", name)):
        return "contains a character that compatibility normalisation turns into a path separator"
    return None


def path_limit_error(path: str) -> str | None:
    """Return which limit of length or depth the path exceeds, or None."""
    size = len(path.encode("utf-8", "surrogateescape"))
    if size <= MAX_COMPONENT_BYTES:
        return f"is more than {MAX_DEPTH} levels deep" if path.count("/") >= MAX_DEPTH else None
    if size > MAX_PATH_BYTES:
        return f"is {size} bytes long, more than {MAX_PATH_BYTES}"
    components = path.split("/")
    if len(components) > MAX_DEPTH:
        return f"is more than {MAX_DEPTH} levels deep"
    longest = max(len(component.encode("utf-8", "surrogateescape")) for component in components)
    if longest > MAX_COMPONENT_BYTES:
        return f"has a component of {longest} bytes, more than {MAX_COMPONENT_BYTES}"
    return None


def path_error(path: str) -> str | None:
    """Return why a member of this path, relative and in POSIX form, cannot be in an archive, or None.

    Length and depth apart, which are limits: see :func:`path_limit_error`.
    """
    if path.startswith("/"):
        return "is absolute"
    components = path.split("/")
    if components[0] == "~" or _DRIVE.fullmatch(components[0]):
        return f"starts with {components[0]!r}, which some systems take for another place"
    for component in components:
        reason = component_error(component)
        if reason is not None:
            return reason
        if is_git_name(component):
            return "is in a directory that git takes for its own"
        if is_reserved_name(component):
            return f"is in {RESERVED_DIRECTORY}/, which is reserved"
    return None


def is_git_name(name: str) -> bool:
    """Whether some system takes a directory of this name for ``.git``: by case, NTFS streams, HFS+ ignored characters.

    See: CVE-2014-9390, git's verify_path.
    """
    if ".git" not in name and "~" not in name and name.isascii() and "git" not in name.lower():
        return False
    visible = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return visible.split(":")[0].rstrip(". ").casefold() in {".git", "git~1"}


def is_reserved_name(name: str) -> bool:
    """Whether the name is that of the directory that holds the manifest, in any case."""
    return name.casefold() == RESERVED_DIRECTORY


def colliding_paths(paths: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of different paths, or directories of paths, that are one after Unicode normalisation (NFC)."""
    seen: dict[str, str] = {}
    pairs = []
    for path in _with_parents(paths):
        first = seen.setdefault(path if path.isascii() else unicodedata.normalize("NFC", path), path)
        if first != path:
            pairs.append((first, path))
    return tuple(pairs)


def portability_warnings(paths: Iterable[str]) -> tuple[NameProblem, ...]:
    """Return what of these paths would not arrive on Windows or macOS: forbidden names, and names equal but for case.

    Ordered as the paths are; a directory is reported once, before what is in it.
    """
    problems = []
    seen: dict[str, str] = {}
    for path in _with_parents(paths):
        reason = _windows_reason(path.rpartition("/")[2])
        if reason is not None:
            problems.append(NameProblem(path, reason))
        first = seen.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
        if first != path:
            problems.append(NameProblem(path, f"differs from {first!r} only by case, which Windows and macOS ignore"))
    return tuple(problems)


def _windows_reason(name: str) -> str | None:
    forbidden = sorted(_WINDOWS_FORBIDDEN.intersection(name))
    if forbidden:
        return f"contains {forbidden[0]!r}, which Windows forbids"
    if name.endswith((".", " ")):
        return "ends in a dot or a space, which Windows drops"
    if _WINDOWS_DEVICE.fullmatch(name.split(".", maxsplit=1)[0].rstrip(" ")):
        return "is the name of a device on Windows"
    return None


def _with_parents(paths: Iterable[str]) -> Iterator[str]:
    """Yield each path after those of its directories that did not come before."""
    directories: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        if parent and parent not in directories:
            components = parent.split("/")
            for depth in range(1, len(components) + 1):
                directory = "/".join(components[:depth])
                if directory not in directories:
                    directories.add(directory)
                    yield directory
        yield path
