"""A rule -> its explanation and its JSON document."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bundlekit.model.rule import Rule

if TYPE_CHECKING:
    from bundlekit.model.documents.reports import RuleDocument

__all__ = ["explanation", "explanation_markdown", "rule_document"]

_LANGUAGES = {"py": "python", "toml": "toml", "json": "json", "yaml": "yaml"}


def explanation(rule: Rule[object]) -> str:
    """Return the rule's page under fixed headings."""
    return (
        f"{rule.code} ({rule.severity.value}): {rule.title}\n\n"
        f"Why it matters\n  {rule.why}\n\n"
        f"What is found\n{_bundle(rule.bad)}\n"
        f"What is sound\n{_bundle(rule.good)}"
    )


def explanation_markdown(rule: Rule[object]) -> str:
    """Return the same page in Markdown, without its first line."""
    return (
        f"### Why it matters\n\n{rule.why}\n\n"
        f"### What is found\n\n{_bundle_markdown(rule.bad)}"
        f"### What is sound\n\n{_bundle_markdown(rule.good)}"
    )


def rule_document(rule: Rule[object]) -> "RuleDocument":
    """Return the rule as the JSON document of ``rules`` and ``explain``."""
    return {
        "code": rule.code,
        "severity": rule.severity.value,
        "title": rule.title,
        "why": rule.why,
        "good": dict(rule.good),
        "bad": dict(rule.bad),
    }


def _bundle(files: Mapping[str, str]) -> str:
    parts = []
    for path, text in files.items():
        body = "".join(f"    {line}\n" for line in text.splitlines()) or "    (empty)\n"
        parts.append(f"  {path}\n{body}")
    return "".join(parts) or "  (an empty directory)\n"


def _bundle_markdown(files: Mapping[str, str]) -> str:
    parts = []
    for path, text in files.items():
        body = f"{text.rstrip()}\n" if text.strip() else ""
        parts.append(f"`{path}`\n\n```{_LANGUAGES.get(path.rpartition('.')[2], '')}\n{body}```\n\n")
    return "".join(parts) or "An empty directory.\n\n"
