"""The commands ``rules`` and ``explain``."""

from typing import Annotated

import typer

from bundlekit.cli.parameters import OutputFormat, ResultOutput
from bundlekit.cli.terminal import show

__all__ = ["explain", "rules"]


def rules(output: ResultOutput = OutputFormat.TEXT) -> None:
    """List every rule with its code, severity and title."""
    from bundlekit.api.catalogue import catalogue
    from bundlekit.report.catalogue import rule_document

    listed = catalogue()
    lines = (f"{rule.code}  {rule.severity.value:<7}  {rule.title}" for rule in listed)
    show(output, [rule_document(rule) for rule in listed], lines)


def explain(
    code: Annotated[str, typer.Argument(help="A rule's code, such as BK301.")],
    output: ResultOutput = OutputFormat.TEXT,
) -> None:
    """Explain one rule: what it looks for, why it matters, and an example of each side."""
    from bundlekit.api.catalogue import rule_of
    from bundlekit.report.catalogue import explanation, rule_document

    rule = rule_of(code)
    show(output, rule_document(rule), explanation(rule).splitlines())
