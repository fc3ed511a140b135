"""Whether a ``requires-python`` specifier admits an interpreter: the operators of PEP 440 on release segments.

``packaging`` is not available in the stdlib-only world. An interpreter counts as its release (3.14.0rc1 as 3.14.0), as
pip does it; in a specifier, a pre- or post-release sorts just below or above its release.
See: PEP 440, "Version specifiers".
"""

import re
from collections.abc import Callable

__all__ = ["admits"]

_Key = tuple[tuple[int, ...], int]

_CLAUSE = re.compile(
    r"(?P<operator>~=|===|==|!=|<=|>=|<|>)\s*v?(?P<release>\d+(?:\.\d+)*)(?P<wildcard>\.\*)?"
    r"(?P<suffix>(?:[-_.]?(?:alpha|beta|preview|pre|post|rev|dev|rc|a|b|c|r)[-_.]?\d*)+)?",
    re.ASCII | re.IGNORECASE,
)
_AFTER = re.compile(r"[-_.]?(?:post|rev|r(?!c))", re.ASCII | re.IGNORECASE)

_COMPARISONS: dict[str, Callable[[_Key, _Key], bool]] = {
    ">=": lambda found, wanted: found >= wanted,
    "<=": lambda found, wanted: found <= wanted,
    ">": lambda found, wanted: found > wanted,
    "<": lambda found, wanted: found < wanted,
    "==": lambda found, wanted: found == wanted,
    "===": lambda found, wanted: found == wanted,
    "!=": lambda found, wanted: found != wanted,
}


def admits(specifier: str, version: tuple[int, ...]) -> bool:
    """Return whether every clause of `specifier` holds for the release `version`, such as ``(3, 12, 1)``.

    Raises:
        ValueError: a clause is not one of PEP 440.
    """
    clauses = [clause.strip() for clause in specifier.split(",")]
    # Every clause is parsed before the verdict: an invalid one behind a false one is invalid all the same.
    verdicts = [_holds(clause, version) for clause in clauses if clause]
    return all(verdicts)


def _holds(clause: str, version: tuple[int, ...]) -> bool:
    match = _CLAUSE.fullmatch(clause)
    if match is None:
        msg = f"expected clauses such as '>=3.11' or '<4', found {clause!r:.100}"
        raise ValueError(msg)
    operator, suffix = match["operator"], match["suffix"] or ""
    release = tuple(int(part) for part in match["release"].split("."))
    if match["wildcard"]:
        if operator not in {"==", "!="} or suffix:
            msg = f"a wildcard goes with '==' or '!=' only, found {clause!r:.100}"
            raise ValueError(msg)
        return _starts_with(version, release) is (operator == "==")
    found, wanted = _key(version, ""), _key(release, suffix)
    if operator == "~=":
        if len(release) == 1:
            msg = f"'~=' wants at least two numbers, found {clause!r:.100}"
            raise ValueError(msg)
        return found >= wanted and _starts_with(version, release[:-1])
    return _COMPARISONS[operator](found, wanted)


def _starts_with(version: tuple[int, ...], prefix: tuple[int, ...]) -> bool:
    padded = version + (0,) * (len(prefix) - len(version))
    return padded[: len(prefix)] == prefix


def _key(release: tuple[int, ...], suffix: str) -> _Key:
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    rank = 0 if not suffix else (1 if _AFTER.match(suffix) else -1)
    return release, rank
