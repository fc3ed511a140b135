"""The syntax trees of a project and of what it uses, each parsed when it is first asked for and once."""

import ast

from bundlekit.check.files import Files, is_outside
from bundlekit.check.syntax import Parsed, SyntaxFailure, compile_error, parse

__all__ = ["Trees"]


class Trees:
    """Parsed sources by path, of a bundle and of a library."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._followed: dict[str, ast.Module | SyntaxFailure] = {}

    def tree(self, path: str) -> ast.Module | SyntaxFailure | None:
        """Return the tree of the source at `path` as importing it would compile it, None if it was not read."""
        if path not in self._followed:
            data = self._files.source(path)
            if data is None:
                return None
            parsed = parse(data, path)
            if isinstance(parsed, Parsed):
                # What is installed was compiled when it was: asking again costs as much as parsing it.
                error = None if is_outside(path) else compile_error(data, path, parsed.tree)
                self._followed[path] = error or parsed.tree
            else:
                self._followed[path] = parsed
        return self._followed[path]

    def followed(self) -> dict[str, SyntaxFailure | None]:
        """Return the bundle's sources that some reference led to so far, and why one cannot be imported."""
        return {
            path: tree if isinstance(tree, SyntaxFailure) else None
            for path, tree in self._followed.items()
            if not is_outside(path)
        }
