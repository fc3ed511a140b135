"""Which pattern keeps a file of the tree out of the bundle, and how to bring the file back."""

from collections.abc import Iterable

from bundlekit.model.project import NOT_TRACKED, Project

__all__ = ["bring_back", "left_out_by", "left_out_module"]

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


def left_out_module(project: Project, modules: Iterable[str]) -> tuple[str, str] | None:
    """Return the file of one of the dotted `modules` that the tree has and the bundle leaves out, and the pattern."""
    stems = dict.fromkeys(module.replace(".", "/") for module in modules)
    paths = [f"{stem}{suffix}" for stem in stems for suffix in (".py", "/__init__.py")]
    # A source root of which nothing ships is none any more.
    for root in dict.fromkeys((*project.source_roots, "src")):
        for path in paths:
            inside = f"{root}/{path}" if root else path
            pattern = left_out_by(project, inside) if inside in project.unshipped else None
            if pattern is not None:
                return inside, pattern
    return None


def bring_back(path: str, pattern: str) -> str:
    """Return how to ship the file at `path` although `pattern` leaves it out."""
    if pattern.endswith(_SETTING):
        # Patterns of `exclude` are looked at last, so none of `include` overrides them.
        shown = pattern.removesuffix(_SETTING)
        return f"take {shown!r} out of exclude in [tool.bundlekit], or add {f'!{path}'!r} behind it"
    if pattern == NOT_TRACKED:
        return f"track it with `mops bundle add {path}`, or name it in include of [tool.bundlekit]"
    return f"bring it back with include = [{path!r}] in [tool.bundlekit], or with !{path} in .modelopsignore"
