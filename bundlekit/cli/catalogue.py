"""The commands ``rules`` and ``explain``."""

from typing import Annotated

import typer

from bundlekit.cli.parameters import OutputFormat, ResultOutput

__all__ = ["explain", "rules"]


def rules(output: ResultOutput = OutputFormat.TEXT) -> None:
    """List every rule with its code, severity and title."""
    from bundlekit.api.catalogue import catalogue
    from bundlekit.report.catalogue import rule_document
    from bundlekit.report.documents import json_text

    if output is OutputFormat.JSON:
        typer.echo(json_text([rule_document(rule) for rule in catalogue()]), nl=False)
        return
    for rule in catalogue():
        typer.echo(f"{rule.code}  {rule.severity.value:<7}  {rule.title}")


def explain(
    code: Annotated[str, typer.Argument(help="A rule's code, such as BK301.")],
    output: ResultOutput = OutputFormat.TEXT,
) -> None:
    """Explain one rule: what it looks for, why it matters, and an example of each side."""
    from bundlekit.api.catalogue import rule_of
    from bundlekit.report.catalogue import explanation, rule_document
    from bundlekit.report.documents import json_text

    rule = rule_of(code)
    typer.echo(json_text(rule_document(rule)) if output is OutputFormat.JSON else explanation(rule), nl=False)
