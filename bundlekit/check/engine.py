"""Runs the rules over a project, and answers the probe's question what the static stage believes."""

from collections.abc import Collection, Iterator, Sequence

from bundlekit.check.columns import in_characters
from bundlekit.check.evidence import Evidence, Verdict
from bundlekit.check.ignored import sound_comments, unknown_codes, unused
from bundlekit.check.rules import RULES, StaticRule
from bundlekit.check.syntax import paused_collector
from bundlekit.check.values import Function
from bundlekit.model.declaration import TargetDeclaration
from bundlekit.model.finding import Finding, Severity
from bundlekit.model.policy import names_rule
from bundlekit.model.project import Project
from bundlekit.model.signature import Signature, Unknown

__all__ = ["StaticAnswers", "check"]


def check(project: Project, *, rules: Sequence[StaticRule] = RULES, later: Collection[str] = ()) -> list[Finding]:
    """Return what `rules` find in `project`, by place; the same finding of two rules once.

    `later` are the codes of rules that need a run: comments and settings may name them too.
    """
    with paused_collector():
        evidence = Evidence(project)
        found = dict.fromkeys(finding for rule in rules for finding in _found(rule, evidence))
    codes = frozenset((*(rule.code for rule in rules), *later))
    shown = [*in_characters(found, project.sources), *unknown_codes(project, codes)]
    idle = unused(sound_comments(project.ignores, codes), shown, lambda code: not names_rule(code, later))
    return sorted([*shown, *idle], key=_place)


class StaticAnswers:
    """The signatures that reading the source gives: to be compared with those of the running objects.

    None stands for a reference about which there is an error finding already.
    """

    def __init__(self, project: Project) -> None:
        self._evidence = Evidence(project)

    def wire_signature(self) -> Signature | Unknown | None:
        """Return the signature of the wire in effect; None too where there is none or more than one."""
        wires = self._evidence.wires
        return _answer(wires[0].verdict) if len(wires) == 1 else None

    def target_signature(self, target: TargetDeclaration) -> Signature | Unknown | None:
        """Return the signature of one declared target."""
        return _answer(self._evidence.judged(target).verdict)


def _found(rule: StaticRule, evidence: Evidence) -> Iterator[Finding]:
    """Yield what `rule` finds until something is nested more deeply than a function that follows it may go."""
    try:
        yield from rule.check(evidence)
    except RecursionError:
        # The same words for every rule, so that they are said once.
        message = "a source, or a chain of imports, is nested too deeply to be followed: not all rules saw all of it"
        yield Finding("BK311", Severity.INFO, message, hint="break up its longest expression or chain of conditions")


def _answer(verdict: Verdict) -> Signature | Unknown | None:
    match verdict:
        case Function(signature=signature):
            return signature
        case Unknown():
            return verdict
        case _:
            return None


def _place(finding: Finding) -> tuple[str, int, int, str, str]:
    return (finding.path or "", finding.line or 0, finding.column or 0, finding.code, finding.message)
