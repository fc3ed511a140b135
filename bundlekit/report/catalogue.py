"""A rule -> its explanation and its JSON document."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bundlekit.model.finding import Severity
from bundlekit.model.rule import Rule

if TYPE_CHECKING:
    from bundlekit.model.documents.reports import RuleDocument

__all__ = ["explanation", "explanation_markdown", "rule_document"]

_LANGUAGES = {"py": "python", "toml": "toml", "json": "json", "yaml": "yaml"}


def explanation(rule: Rule[object], *, fixable: bool | None = None) -> str:
    """Return the rule's page under fixed headings; how to mend it is left out where nobody asked whether that works."""
    ways = "`bundlekit validate --fix`, where that is safe; --diff shows what it would change"
    ways = ways if fixable else "by hand: the hint of each finding says what to do"
    mending = "" if fixable is None else f"How to mend it\n  {ways}\n\n"
    return (
        f"{rule.code} ({rule.severity.value}): {rule.title}\n\n"
        f"Why it matters\n  {rule.why}\n\n"
        f"What is found\n{_bundle(rule.bad)}\n"
        f"What is sound\n{_bundle(rule.good)}\n"
        f"{mending}"
        f"How to ignore it\n{_ways_to_ignore(rule)}"
    )


def explanation_markdown(rule: Rule[object]) -> str:
    """Return the same page in Markdown, without its first line."""
    return (
        f"### Why it matters\n\n{rule.why}\n\n"
        f"### What is found\n\n{_bundle_markdown(rule.bad)}"
        f"### What is sound\n\n{_bundle_markdown(rule.good)}"
        f"### How to ignore it\n\n```\n{_ways_to_ignore(rule)}```\n"
    )


def rule_document(rule: Rule[object], *, fixable: bool) -> "RuleDocument":
    """Return the rule as the JSON document of ``rules`` and ``explain``."""
    return {
        "code": rule.code,
        "severity": rule.severity.value,
        "title": rule.title,
        "why": rule.why,
        "fixable": fixable,
        "good": dict(rule.good),
        "bad": dict(rule.bad),
    }


def _ways_to_ignore(rule: Rule[object]) -> str:
    other = Severity.INFO if rule.severity is Severity.WARNING else Severity.WARNING
    ways = (
        (f"# bundlekit: ignore[{rule.code}] and why", "behind the line that it names, or alone above it"),
        (f'per-file-ignores = {{ "FILES" = ["{rule.code}"] }}', "in [tool.bundlekit], FILES as in .gitignore"),
        (f'ignore = ["{rule.code}"]', f"there too, or --ignore {rule.code}"),
        (f'severity = {{ {rule.code} = "{other.value}" }}', "there too, to have it told and weighed otherwise"),
    )
    width = max(len(written) for written, _ in ways)
    return "".join(f"  {written:<{width}}  {where}\n" for written, where in ways)


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
