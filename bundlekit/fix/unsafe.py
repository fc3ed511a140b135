"""Why an edit is not made."""

__all__ = ["UnsafeEditError"]


class UnsafeEditError(ValueError):
    """The edit would change something else, or cannot be made here; the text says why."""
