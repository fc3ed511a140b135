"""Reads those settings of [tool.bundlekit] that decide which findings count, and how much."""

from collections.abc import Iterator

from bundlekit.model.declaration import Settings
from bundlekit.model.finding import Severity
from bundlekit.model.policy import PerFileIgnore
from bundlekit.read.document import finding_at
from bundlekit.read.typed_table import TypedTable

__all__ = ["POLICY_KEYS", "read_policy_settings"]

POLICY_KEYS = ("select", "ignore", "per-file-ignores", "severity", "baseline")
_SEVERITIES = tuple(each.value for each in Severity)


def read_policy_settings(table: TypedTable) -> Settings:
    """Return settings with those of `table` that are about findings; whether each code is a rule's is not asked."""
    select, ignore = table.texts("select"), table.texts("ignore")
    per_file, severity = table.table("per-file-ignores"), table.table("severity")
    listed = [(pattern, per_file.texts(pattern)) for pattern in per_file.values]
    named = [*select, *ignore, *(text for _, texts in listed for text in texts)]
    return Settings(
        select=tuple(text.value for text in select),
        ignore=tuple(text.value for text in ignore),
        per_file_ignores=tuple(
            PerFileIgnore(pattern, tuple(text.value for text in texts))
            for pattern, texts in listed
            if _is_pattern(per_file, pattern)
        ),
        severities=tuple(_severities(severity)),
        baseline=_baseline(table),
        named_codes=(
            *((text.value, text.place) for text in named),
            *((code, severity.document.key_place((*severity.keys, code))) for code in severity.values),
        ),
    )


def _is_pattern(table: TypedTable, pattern: str) -> bool:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - most bundles have no patterns of their own

    try:
        matches_something = any(each.include for each in GitIgnoreSpec.from_lines([pattern]).patterns)
    except ValueError:
        matches_something = False
    if not matches_something:
        # One that begins with ! only takes back what another has matched.
        message = f"per-file-ignores: {pattern!r:.60} is no gitignore pattern that matches files"
        place = table.document.key_place((*table.keys, pattern))
        table.document.problems.append(finding_at(table.document.shape_code, message, place))
    return matches_something


def _severities(table: TypedTable) -> Iterator[tuple[str, Severity]]:
    for code, text in table.pairs():
        if text.value in _SEVERITIES:
            yield code, Severity(text.value)
        else:
            table.refuse((*table.keys, code), f"one of {', '.join(_SEVERITIES)}", text.value)


def _baseline(table: TypedTable) -> str | None:
    text = table.text("baseline")
    if text is None:
        return None
    if text.value.strip() and not text.value.startswith("/") and ".." not in text.value.split("/"):
        return text.value
    table.refuse((*table.keys, "baseline"), "the path of a file inside the bundle", text.value)
    return None
