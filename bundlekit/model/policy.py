"""Which findings count, and how much: selection, ignores, comments, a baseline and changed severities, in one place.

Static and dynamic findings pass through :func:`judged` alike. What keeps a finding from counting is asked in this
order, and the first answer is the one that is reported: selection and ignores, per-file ignores, comments, baseline.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.fingerprint import fingerprints

__all__ = [
    "IgnoreComment",
    "Judgement",
    "Means",
    "PerFileIgnore",
    "Policy",
    "Selection",
    "Suppressed",
    "fails",
    "judged",
    "names_rule",
]


class Means(StrEnum):
    """What keeps a finding from counting."""

    SELECT = "select"
    IGNORE = "ignore"
    PER_FILE = "per-file-ignores"
    COMMENT = "comment"
    BASELINE = "baseline"


class Selection(NamedTuple):
    """Code prefixes from one origin: the settings, or the command line."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def decides(self, code: str, before: Means | None) -> Means | None:
        """Return what this origin makes of a code of which the origins before it made `before`; None counts.

        As ruff has it: `select` begins anew whatever was said before, `ignore` alone only takes away. The longest
        prefix wins, so that a family can be ignored but for one code; on a tie, ignoring does.
        """
        chosen, ignored = _longest(code, self.select), _longest(code, self.ignore)
        if not self.select:
            return Means.IGNORE if ignored >= 0 else before
        if chosen > ignored:
            return None
        return Means.IGNORE if ignored >= 0 else Means.SELECT


class IgnoreComment(NamedTuple):
    """A comment ``# bundlekit: ignore[CODES] reason`` and where it stands; `target` is the line that it speaks of."""

    path: str
    line: int
    column: int
    codes: tuple[str, ...]
    target: int

    def covers(self, finding: Finding) -> bool:
        """Whether the comment speaks of `finding`; never of one without a line."""
        is_there = finding.path == self.path and finding.line == self.target
        return is_there and finding.code.startswith(self.codes)


class PerFileIgnore(NamedTuple):
    """Code prefixes that do not count in files that a gitignore `pattern` matches."""

    pattern: str
    codes: tuple[str, ...]


class Policy(NamedTuple):
    """What decides. A later selection has the last word; `severities` are code prefixes with what they become.

    `known` are fingerprints of a baseline; where the policy `learns` one, everything that would count is known.
    """

    selections: tuple[Selection, ...] = ()
    per_file: tuple[PerFileIgnore, ...] = ()
    comments: tuple[IgnoreComment, ...] = ()
    severities: tuple[tuple[str, Severity], ...] = ()
    known: frozenset[str] = frozenset()
    learns: bool = False

    def selects(self, code: str) -> Means | None:
        """Return what keeps every finding with this code from counting, None where nothing does."""
        means = None
        for selection in self.selections:
            means = selection.decides(code, means)
        return means

    def of_everything(self) -> "Policy":
        """Return this policy with everything selected that is not ignored."""
        return self._replace(selections=tuple(Selection((), each.ignore) for each in self.selections))


class Suppressed(NamedTuple):
    """A finding that does not count, and why."""

    finding: Finding
    by: Means


class Judgement(NamedTuple):
    """The findings that count, with their severities, and those that do not; `reweighed` of the former have another."""

    counted: tuple[Finding, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    reweighed: int = 0

    def joined(self, other: "Judgement") -> "Judgement":
        """Return this judgement and another one as one."""
        return Judgement(
            (*self.counted, *other.counted),
            (*self.suppressed, *other.suppressed),
            self.reweighed + other.reweighed,
        )

    def everything(self) -> list[Finding]:
        """Return all findings that were judged, whether they count or not."""
        return [*self.counted, *(each.finding for each in self.suppressed)]


def judged(findings: Iterable[Finding], policy: Policy) -> Judgement:
    """Return which of `findings` count under `policy`."""
    matches = _matcher(policy.per_file)
    remaining: list[Finding] = []
    own_severities: list[Severity] = []
    suppressed: list[Suppressed] = []
    for finding in findings:
        weighed = _weighed(finding, policy.severities)
        by = _means(weighed, policy, matches)
        if by is None:
            remaining.append(weighed)
            own_severities.append(finding.severity)
        else:
            suppressed.append(Suppressed(weighed, by))
    counted: list[Finding] = []
    reweighed = 0
    for finding, own, is_known in zip(remaining, own_severities, _known(remaining, policy), strict=True):
        if is_known:
            suppressed.append(Suppressed(finding, Means.BASELINE))
        else:
            counted.append(finding)
            reweighed += finding.severity is not own
    return Judgement(tuple(counted), tuple(suppressed), reweighed)


def fails(findings: Sequence[Finding], policy: Policy) -> bool:
    """Whether a stage that runs the bundle failed by `findings`.

    Not to be shown is not to have passed: an error that is merely not selected fails it too.
    """
    counted = (*judged(findings, policy).counted, *judged(findings, policy.of_everything()).counted)
    return any(finding.severity is Severity.ERROR for finding in counted)


def names_rule(prefix: str, codes: Iterable[str]) -> bool:
    """Whether one of `codes` begins with `prefix`; the empty one, with which all of them do, names none."""
    return bool(prefix) and any(code.startswith(prefix) for code in codes)


def _weighed(finding: Finding, severities: Sequence[tuple[str, Severity]]) -> Finding:
    found = max(
        (each for each in severities if finding.code.startswith(each[0])), key=lambda each: len(each[0]), default=None
    )
    return finding if found is None else finding._replace(severity=found[1])


def _means(finding: Finding, policy: Policy, matches: Callable[[str, str], bool]) -> Means | None:
    means = policy.selects(finding.code)
    if means is not None:
        return means
    for each in policy.per_file:
        if finding.path is not None and finding.code.startswith(each.codes) and matches(each.pattern, finding.path):
            return Means.PER_FILE
    return Means.COMMENT if any(comment.covers(finding) for comment in policy.comments) else None


def _known(findings: Sequence[Finding], policy: Policy) -> list[bool]:
    """Return of each finding whether the baseline has it; only those that would count are numbered among equal ones."""
    if policy.learns or not policy.known:
        return [policy.learns] * len(findings)
    return [identity in policy.known for identity in fingerprints(findings)]


def _longest(code: str, prefixes: Sequence[str]) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)


def _matcher(per_file: Sequence[PerFileIgnore]) -> Callable[[str, str], bool]:
    if not per_file:
        return lambda _pattern, _path: False
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - most bundles have no patterns of their own

    specs = {each.pattern: GitIgnoreSpec.from_lines([each.pattern]) for each in per_file}
    return lambda pattern, path: specs[pattern].match_file(path)
