"""Reads those settings of [tool.bundlekit] that decide what ships."""

from collections.abc import Iterator

from bundlekit.model.declaration import Settings
from bundlekit.read.document import finding_at
from bundlekit.read.typed_table import TypedTable

__all__ = ["SHIPPING_KEYS", "read_shipping_settings"]

SHIPPING_KEYS = ("include", "exclude", "symlinks", "allow-secrets", "large-bundle-bytes")
_SYMLINKS = ("refuse", "copy")


def read_shipping_settings(table: TypedTable) -> Settings:
    """Return settings with those of `table` that are about files."""
    large = table.number("large-bundle-bytes")
    if large is not None and (not isinstance(large, int) or large <= 0):
        table.refuse((*table.keys, "large-bundle-bytes"), "an integer above 0", large)
        large = None
    settings = Settings(
        include=tuple(text.value for text in table.texts("include")),
        exclude=tuple(text.value for text in table.texts("exclude")),
        copy_symlinks=_copies(table),
        allow_secrets=tuple(_patterns(table, "allow-secrets")),
    )
    return settings if large is None else settings._replace(large_bundle_bytes=int(large))


def _copies(table: TypedTable) -> bool:
    text = table.text("symlinks")
    if text is not None and text.value not in _SYMLINKS:
        table.refuse((*table.keys, "symlinks"), f"one of {', '.join(_SYMLINKS)}", text.value)
    return text is not None and text.value == "copy"


def _patterns(table: TypedTable, key: str) -> Iterator[str]:
    """Yield the gitignore patterns of an array; one that is none is a finding, and has no effect."""
    texts = table.texts(key)
    if not texts:
        return
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - most bundles have no patterns of their own

    for text in texts:
        try:
            GitIgnoreSpec.from_lines([text.value])
        except ValueError:
            message = f"{key}: {text.value!r:.60} is no gitignore pattern"
            table.document.problems.append(finding_at(table.document.shape_code, message, text.place))
        else:
            yield text.value
