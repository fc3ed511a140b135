"""Which pattern keeps a file of the tree out of the bundle, and how to bring the file back."""

from bundlekit.model.project import Project

__all__ = ["bring_back", "left_out_by"]

_SETTING = " (exclude)"


def left_out_by(project: Project, path: str) -> str | None:
    """Return the pattern that leaves out `path`, which is in the tree, or None."""
    return next(
        (
            entry.pattern
            for entry in project.excluded
            if path == entry.path or (entry.path.endswith("/") and path.startswith(entry.path))
        ),
        None,
    )


def bring_back(path: str, pattern: str) -> str:
    """Return how to ship the file at `path` although `pattern` leaves it out."""
    if pattern.endswith(_SETTING):
        # Patterns of `exclude` are looked at last, so none of `include` overrides them.
        shown = pattern.removesuffix(_SETTING)
        return f"take {shown!r} out of exclude in [tool.bundlekit], or add {f'!{path}'!r} behind it"
    return f"bring it back with include = [{path!r}] in [tool.bundlekit], or with !{path} in .modelopsignore"
