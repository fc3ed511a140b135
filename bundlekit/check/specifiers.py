"""Whether any version at all satisfies several clauses at once (PEP 440)."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

__all__ = ["contradiction"]

_BOUND = re.compile(r"(>=|<=|<|>)\s*(\d+(?:\.\d+)*)", re.ASCII)
_PLAIN_BOUNDS = re.compile(rf"\s*{_BOUND.pattern}\s*(?:,\s*{_BOUND.pattern}\s*)*", re.ASCII)
_CLAUSE = re.compile(r"(?:===|~=|==|!=|<=|>=|<|>)\s*([^\s,]+)")


def contradiction(specifiers: str) -> bool:
    """Whether the comma-separated clauses admit no version; False for what is not valid or compares text (``===``).

    Every version that decides is tried: those that the clauses name, what comes right before and after each, and where
    the next release of each length begins. Between two of them all versions get the same answers.
    """
    if "===" in specifiers or len(_CLAUSE.findall(specifiers)) < 2:  # noqa: PLR2004 - one clause contradicts nothing
        return False
    plain = _PLAIN_BOUNDS.fullmatch(specifiers)
    if plain:
        return _bounds_cross(specifiers)
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - only where clauses could clash
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - as above

    try:
        wanted = SpecifierSet(specifiers)
        named = [Version(text.removesuffix(".*")) for text in _CLAUSE.findall(specifiers)]
    except (InvalidSpecifier, InvalidVersion):
        return False
    return not any(_admits(wanted, candidate) for version in named for candidate in _around(version))


def _bounds_cross(specifiers: str) -> bool:
    """Whether a lower bound lies above an upper one, where all clauses are plain bounds."""
    lower: tuple[tuple[int, ...], bool] = ((), False)
    upper: list[tuple[tuple[int, ...], bool]] = []
    for operator, text in _BOUND.findall(specifiers):
        release = tuple(int(part) for part in text.split("."))
        while release and release[-1] == 0:
            release = release[:-1]
        if operator.startswith(">"):
            lower = max(lower, (release, operator == ">"))
        else:
            upper.append((release, operator == "<"))
    return any(release < lower[0] or (release == lower[0] and (is_open or lower[1])) for release, is_open in upper)


def _admits(wanted: "SpecifierSet", candidate: str) -> bool:
    return wanted.contains(candidate, prereleases=True)


def _around(version: "Version") -> Iterator[str]:
    yield "0"
    yield str(version)
    release = list(version.release)
    epoch = f"{version.epoch}!" if version.epoch else ""
    for length in range(1, len(release) + 1):
        part = release[:length]
        yield epoch + _dotted([*part[:-1], part[-1] + 1])
        if part[-1]:
            yield epoch + _dotted([*part[:-1], part[-1] - 1, 999999])
    yield epoch + _dotted([*release, 0, 0, 1])
    for suffix in ("a0", ".dev0", ".post0", ".post999999"):
        yield (
            f"{version.public.partition('+')[0]}{suffix}"
            if version.is_prerelease
            else epoch + _dotted(release) + suffix
        )


def _dotted(numbers: list[int]) -> str:
    return ".".join(str(number) for number in numbers)
