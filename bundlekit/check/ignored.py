"""What is wrong with comments and settings that speak of findings: it shows only when all rules have run."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name
from bundlekit.model.place import Place
from bundlekit.model.policy import IgnoreComment, names_rule
from bundlekit.model.project import Project

__all__ = ["hides_others", "nearest_code", "sound_comments", "unknown_codes", "unused"]

_FAMILY = len("BK3")
_UNREAD = frozenset({"BK101", "BK103", "BK106", "BK311"})
"""Codes of documents and sources that cannot be read."""


def sound_comments(comments: Iterable[IgnoreComment], codes: Collection[str]) -> tuple[IgnoreComment, ...]:
    """Return the comments that name nothing but rules: the others ignore nothing."""
    return tuple(each for each in comments if all(names_rule(code, codes) for code in each.codes))


def hides_others(found: Iterable[Finding]) -> bool:
    """Whether something that the bundle needs cannot be read, so that nobody knows what else is to be found."""
    return any(finding.code in _UNREAD and finding.severity is Severity.ERROR for finding in found)


def unused(
    comments: Iterable[IgnoreComment], found: Iterable[Finding], looked_for: Callable[[str], bool]
) -> Iterator[Finding]:
    """Yield BK109 for each comment with codes that were `looked_for` and of which nothing is `found` at its line."""
    listed = list(found)
    if hides_others(listed):
        return
    at_line: defaultdict[tuple[str | None, int | None], set[str]] = defaultdict(set)
    for finding in listed:
        at_line[finding.path, finding.line].add(finding.code)
    unread = {finding.path for finding in listed if finding.code in _UNREAD}
    for comment in comments:
        if comment.path in unread:
            continue
        there = at_line.get((comment.path, comment.target), set())
        idle = [code for code in comment.codes if looked_for(code) and not names_rule(code, there)]
        if idle:
            message = f"the comment ignores {', '.join(idle)}, of which nothing is found in line {comment.target}"
            hint = "take it out, or move it to the line of the finding or the one above"
            yield Finding("BK109", Severity.WARNING, message, comment.path, comment.line, comment.column, hint)


def unknown_codes(project: Project, codes: Collection[str]) -> Iterator[Finding]:
    """Yield BK108 and BK110 for what comments and settings name and with which none of the rules' `codes` begins."""
    for comment in project.ignores:
        for code in comment.codes:
            if not names_rule(code, codes):
                message = f"the comment names {code!r:.40}, with which no rule's code begins, so it ignores nothing"
                place = Place(comment.path, comment.line, comment.column)
                yield Finding("BK108", Severity.WARNING, message, *place, nearest_code(code, codes))
    for code, place in project.settings.named_codes:
        if not names_rule(code, codes):
            message = f"no rule's code begins with {code!r:.40}, so it has no effect here"
            yield Finding("BK110", Severity.WARNING, message, *place, nearest_code(code, codes))


def nearest_code(prefix: str, codes: Collection[str]) -> str:
    """Return a hint that names the code which `prefix` was most likely meant to be, where there is one like it."""
    wanted = prefix.strip().upper()
    family = sorted(code for code in codes if code[:_FAMILY] == wanted[:_FAMILY])
    near = nearest_name(wanted, family) or nearest_name(wanted, codes)
    listed = "`bundlekit rules` lists them; a family is a prefix such as BK3"
    return f"nearest code: {near}; {listed}" if near else listed
