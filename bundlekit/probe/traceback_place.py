"""Where in the bundle's own files a traceback points."""

import re
from collections.abc import Iterable, Sequence

from bundlekit.model.place import Place

__all__ = ["place_of_traceback"]

_FRAME = re.compile(r'^\s*File "(?P<file>[^"\n]+)", line (?P<line>\d+)', re.MULTILINE)


def place_of_traceback(text: str, sources: Iterable[str], source_roots: Sequence[str]) -> Place | None:
    """Return the place of the innermost frame of the traceback in `text` that is in one of the bundle's `sources`.

    A child runs a copy of the tree, or the installed package without its source root, so files are told by the end of
    their paths; the longest that fits wins.
    """
    ends = {"/" + end: path for path in sources for end in (path, _below_root(path, source_roots))}
    for frame in reversed(list(_FRAME.finditer(text))):
        fitting = [end for end in ends if frame["file"].endswith(end)]
        if fitting:
            return Place(ends[max(fitting, key=len)], int(frame["line"]))
    return None


def _below_root(path: str, source_roots: Sequence[str]) -> str:
    for root in source_roots:
        if root not in {"", "."} and path.startswith(root + "/"):
            return path[len(root) + 1 :]
    return path
