"""The files that a process has below its own directories.

Runs in a warm process, under the conditions of the module `main`.
"""

import binascii
import posix
import stat
from _io import FileIO

from .state_items import told

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .state_items import Item

__all__ = ["group_of_files", "placed"]

_MAX_FILES = 5000
_MAX_READ, _MAX_READ_TOTAL = 1 << 20, 1 << 25
_LEFT_OUT = frozenset({"__pycache__"})


def group_of_files(places: "dict[str, str]") -> "tuple[str, int, list[Item]]":
    """Return what there is below `places`, directories by the names that are shown for them."""
    left = [_MAX_FILES, _MAX_READ_TOTAL]
    found = [each for name, place in places.items() for each in _below(place, name, left)]
    return "<files>", 1, found


def placed(path: str, places: "dict[str, str]") -> str:
    """Return `path` as it is shown: what is below one of `places` by the name of that."""
    for name, place in places.items():
        if path == place:
            return name or "."
        if path.startswith(f"{place}/"):
            return f"{name}/{path[len(place) + 1 :]}" if name else path[len(place) + 1 :]
    return path


def _below(directory: str, shown: str, left: "list[int]") -> "Iterator[Item]":
    pending = [(directory, shown)]
    while pending:
        path, name = pending.pop()
        try:
            entries = sorted(posix.scandir(path), key=_name)
        except OSError:
            continue
        for entry in entries:
            left[0] -= 1
            if left[0] < 0:
                return
            if entry.name in _LEFT_OUT:
                continue
            own = f"{name}/{entry.name}" if name else entry.name
            if entry.is_dir(follow_symlinks=False):
                pending.append((entry.path, own))
                yield told("file", f"{own}/", "directory", "a directory")
            else:
                yield from _file(entry.path, own, left)


def _name(entry: "posix.DirEntry[str]") -> str:
    return entry.name


def _file(path: str, own: str, left: "list[int]") -> "Iterator[Item]":
    try:
        state = posix.lstat(path)
        content = _content(path, state, left)
    except OSError:
        return
    size = "1 byte" if state.st_size == 1 else f"{state.st_size} bytes"
    yield told("file", own, f"{state.st_mode:o} {state.st_size} {content}", size)


def _content(path: str, state: posix.stat_result, left: "list[int]") -> str:
    """Return what tells the content of a file: of a large one when it was written."""
    if stat.S_ISLNK(state.st_mode):
        return posix.readlink(path)
    if not stat.S_ISREG(state.st_mode):
        return "special"
    if state.st_size > min(_MAX_READ, left[1]):
        return str(state.st_mtime_ns)
    left[1] -= state.st_size
    with FileIO(path) as file:
        return f"{binascii.crc32(file.read(_MAX_READ)):x}"
