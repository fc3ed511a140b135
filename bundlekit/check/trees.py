"""The syntax trees of a project, each parsed when it is first asked for and once."""

import ast

from bundlekit.check.syntax import Parsed, SyntaxFailure, compile_error, parse
from bundlekit.model.project import Project

__all__ = ["Trees"]


class Trees:
    """Parsed sources by path."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._followed: dict[str, ast.Module | SyntaxFailure] = {}

    def tree(self, path: str) -> ast.Module | SyntaxFailure | None:
        """Return the tree of the source at `path` as importing it would compile it, None if it was not read."""
        if path not in self._followed:
            source = self._project.sources.get(path)
            if source is None:
                return None
            parsed = parse(source.data, path)
            if isinstance(parsed, Parsed):
                self._followed[path] = compile_error(source.data, path, parsed.tree) or parsed.tree
            else:
                self._followed[path] = parsed
        return self._followed[path]

    def followed(self) -> dict[str, SyntaxFailure | None]:
        """Return the sources that some reference led to so far, and why they cannot be imported if they cannot."""
        return {path: tree if isinstance(tree, SyntaxFailure) else None for path, tree in self._followed.items()}
