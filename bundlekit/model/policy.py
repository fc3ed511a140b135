"""Which findings count, and how much: selection, ignores, comments, a baseline and changed severities, in one place."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.fingerprint import fingerprints

__all__ = ["IgnoreComment", "Judgement", "Means", "PerFileIgnore", "Policy", "Suppressed", "judged"]


class Means(StrEnum):
    """What keeps a finding from counting."""

    SELECT = "select"
    IGNORE = "ignore"
    PER_FILE = "per-file-ignores"
    COMMENT = "comment"
    BASELINE = "baseline"


class IgnoreComment(NamedTuple):
    """A comment ``# bundlekit: ignore[CODES] reason``: `lines` are those whose findings it speaks of, from 1."""

    path: str
    line: int
    column: int
    codes: tuple[str, ...]
    lines: tuple[int, ...]

    def covers(self, finding: Finding) -> bool:
        """Whether the comment speaks of `finding`."""
        is_there = finding.line is None or finding.line in self.lines
        return finding.path == self.path and is_there and finding.code.startswith(self.codes)


class PerFileIgnore(NamedTuple):
    """Code prefixes that do not count in files that a gitignore `pattern` matches."""

    pattern: str
    codes: tuple[str, ...]


class Policy(NamedTuple):
    """What decides. `severities` are code prefixes with what they become; `known` are fingerprints of a baseline."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file: tuple[PerFileIgnore, ...] = ()
    comments: tuple[IgnoreComment, ...] = ()
    severities: tuple[tuple[str, Severity], ...] = ()
    known: frozenset[str] = frozenset()


class Suppressed(NamedTuple):
    """A finding that does not count, and why."""

    finding: Finding
    by: Means


class Judgement(NamedTuple):
    """The findings that count, with their severities, and those that do not."""

    counted: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()


def judged(findings: Iterable[Finding], policy: Policy) -> Judgement:
    """Return which of `findings` count under `policy`."""
    weighed = [_weighed(finding, policy.severities) for finding in findings]
    matches = _matcher(policy.per_file)
    counted: list[Finding] = []
    suppressed: list[Suppressed] = []
    for finding, identity in zip(weighed, fingerprints(weighed), strict=True):
        by = _means(finding, policy, matches)
        if by is None and identity in policy.known:
            by = Means.BASELINE
        if by is None:
            counted.append(finding)
        else:
            suppressed.append(Suppressed(finding, by))
    return Judgement(tuple(counted), tuple(suppressed))


def _weighed(finding: Finding, severities: Sequence[tuple[str, Severity]]) -> Finding:
    found = max(
        (each for each in severities if finding.code.startswith(each[0])), key=lambda each: len(each[0]), default=None
    )
    return finding if found is None else finding._replace(severity=found[1])


def _means(finding: Finding, policy: Policy, matches: Callable[[str, str], bool]) -> Means | None:
    # The longest prefix wins, so that a family can be ignored but for one code; on a tie, ignoring does.
    chosen, ignored = _longest(finding.code, policy.select or ("",)), _longest(finding.code, policy.ignore)
    if ignored >= chosen >= 0:
        return Means.IGNORE
    if chosen < 0:
        return Means.SELECT
    for each in policy.per_file:
        if finding.path is not None and finding.code.startswith(each.codes) and matches(each.pattern, finding.path):
            return Means.PER_FILE
    return Means.COMMENT if any(comment.covers(finding) for comment in policy.comments) else None


def _longest(code: str, prefixes: Sequence[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)


def _matcher(per_file: Sequence[PerFileIgnore]) -> Callable[[str, str], bool]:
    if not per_file:
        return lambda _pattern, _path: False
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - most bundles have no patterns of their own

    specs = {each.pattern: GitIgnoreSpec.from_lines([each.pattern]) for each in per_file}
    return lambda pattern, path: specs[pattern].match_file(path)
