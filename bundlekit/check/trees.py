"""The syntax trees of a project, each parsed when it is first asked for and once."""

import ast

from bundlekit.check.syntax import Parsed, SyntaxFailure, compile_error, parse
from bundlekit.model.project import Project

__all__ = ["Trees"]


class Trees:
    """Parsed sources by path."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._kept: dict[str, ast.Module | SyntaxFailure] = {}

    def tree(self, path: str) -> ast.Module | SyntaxFailure | None:
        """Return the tree of the source at `path` as importing it would compile it, None if it was not read."""
        if path not in self._kept:
            source = self._project.sources.get(path)
            if source is None:
                return None
            parsed = parse(source.data, path)
            if isinstance(parsed, Parsed):
                self._kept[path] = compile_error(source.data, path, parsed.tree) or parsed.tree
            else:
                self._kept[path] = parsed
        return self._kept[path]

    def failure(self, path: str) -> SyntaxFailure | None:
        """Return why the source at `path` is no Python; its tree is dropped again unless it was asked for before."""
        if path in self._kept:
            kept = self._kept[path]
            return kept if isinstance(kept, SyntaxFailure) else None
        parsed = parse(self._project.sources[path].data, path)
        if isinstance(parsed, SyntaxFailure):
            self._kept[path] = parsed
            return parsed
        return None

    @property
    def followed(self) -> frozenset[str]:
        """The sources that a reference led to so far."""
        return frozenset(self._kept)
