"""The commands ``rules`` and ``explain``."""

from typing import Annotated

import typer

from bundlekit.cli.parameters import OutputFormat, ResultOutput
from bundlekit.cli.terminal import show

__all__ = ["explain", "rules"]


def rules(output: ResultOutput = OutputFormat.TEXT) -> None:
    """List every rule with its code, severity and title."""
    from bundlekit.api.catalogue import catalogue, fixable_codes
    from bundlekit.report.catalogue import rule_document

    listed = catalogue()
    fixable = fixable_codes(listed) if output is OutputFormat.JSON else frozenset()
    lines = (f"{rule.code}  {rule.severity.value:<7}  {rule.title}" for rule in listed)
    show(output, [rule_document(rule, fixable=rule.code in fixable) for rule in listed], lines)


def explain(
    code: Annotated[str, typer.Argument(help="A rule's code, such as BK301.")],
    output: ResultOutput = OutputFormat.TEXT,
) -> None:
    """Explain one rule: why it matters, an example of each side, and how to mend and to ignore what it finds."""
    from bundlekit.api.catalogue import fixable_codes, rule_of
    from bundlekit.report.catalogue import explanation, rule_document

    rule = rule_of(code)
    fixable = bool(fixable_codes([rule]))
    show(output, rule_document(rule, fixable=fixable), explanation(rule, fixable=fixable).splitlines())
