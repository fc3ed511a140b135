"""What is wrong with comments and settings that speak of findings: it shows only when all rules have run."""

import re
from collections.abc import Iterator, Sequence

from bundlekit.model.finding import Finding, Severity
from bundlekit.model.nearest import nearest_name
from bundlekit.model.place import Place
from bundlekit.model.project import Project

__all__ = ["unknown_codes", "unused"]

_DYNAMIC = re.compile(r"BK(?:[679]\d{0,2}|52\d|503)?", re.ASCII)
"""Codes of rules that need a run, and the prefix of all: reading alone cannot tell that nothing has them."""


def unused(project: Project, found: Sequence[Finding]) -> Iterator[Finding]:
    """Yield BK109 for each comment that speaks of no finding among `found`, unless a run might still give one."""
    for comment in project.ignores:
        codes = [code for code in comment.codes if not _DYNAMIC.fullmatch(code)]
        if len(codes) == len(comment.codes) and not any(comment.covers(finding) for finding in found):
            message = f"the comment ignores {', '.join(codes)}, of which nothing is found there"
            hint = "take the comment out, or move it to the line of the finding or the one above"
            yield Finding("BK109", Severity.WARNING, message, comment.path, comment.line, comment.column, hint)


def unknown_codes(project: Project, codes: Sequence[str]) -> Iterator[Finding]:
    """Yield BK110 for each code of settings and comments with which none of the rules' `codes` begins."""
    named = [
        *project.settings.named_codes,
        *((code, Place(each.path, each.line, each.column)) for each in project.ignores for code in each.codes),
    ]
    for code, place in named:
        if _DYNAMIC.fullmatch(code) or any(known.startswith(code) for known in codes):
            continue
        near = nearest_name(code, codes)
        hint = f"nearest code: {near}" if near else "`bundlekit rules` lists them all"
        yield Finding("BK110", Severity.WARNING, f"no rule's code begins with {code!r:.40}", *place, hint)
