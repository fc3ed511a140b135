"""A view of the files in which nothing can be changed but the task's own, and private places are not there at all.

It does what Landlock cannot: modes and times cannot be changed either, and the sockets of agents and daemons, which are
files, cannot be found. It needs a mount namespace of this process's own, which dies with the last process in it.

See: mount_namespaces(7), mount_setattr(2).
"""

import os
from collections.abc import Iterable, Iterator

from .system_calls import SystemCalls

__all__ = ["hide_files"]

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 0x1, 0x2, 0x4, 0x20
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_EMPTY = "size=1m,mode=0755"
_TEMPORARY = "mode=1777"
"""As large as the system's own: half of the memory. Libraries look at the size before they put arrays there."""


def hide_files(
    calls: SystemCalls,
    *,
    readable: Iterable[str],
    writable: Iterable[str],
    empty: Iterable[str],
    temporary: Iterable[str],
) -> None:
    """Make all files read-only but those below `writable`.

    The directories `empty` and `temporary` become empty, the latter writable and gone with the process, except for
    what in them is `readable` or `writable`.
    """
    hidden = dict.fromkeys(empty, _EMPTY) | dict.fromkeys(temporary, _TEMPORARY)
    outermost = {path: data for path, data in hidden.items() if not any(_is_below(path, other) for other in hidden)}
    calls.mount("", "/", "", _MS_REC | _MS_PRIVATE)
    kept = list(_opened(readable, outermost, is_writable=False)) + list(_opened(writable, None, is_writable=True))
    calls.set_read_only("/", on=True)
    for path, data in outermost.items():
        if os.path.isdir(path):
            calls.mount("tmpfs", path, "tmpfs", _MS_NOSUID | _MS_NODEV, data)
    for path, descriptor, is_writable in kept:
        _make_place(path, is_directory=os.path.isdir(f"/proc/self/fd/{descriptor}"))
        calls.mount(f"/proc/self/fd/{descriptor}", path, "", _MS_BIND | _MS_REC)
        os.close(descriptor)
        calls.set_read_only(path, on=not is_writable)
    for path, data in outermost.items():
        if data == _EMPTY and os.path.isdir(path):
            # Not what was bound below it: those are mounts of their own.
            calls.mount("", path, "", _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)


def _opened(paths: Iterable[str], below: Iterable[str] | None, *, is_writable: bool) -> Iterator[tuple[str, int, bool]]:
    """Yield each of `paths` that exists with a descriptor of it; with `below`, only those in one of these.

    A path that leads through links is there under both names, as the links in a hidden place are hidden too.
    """
    done: set[str] = set()
    for path in paths:
        for name in (os.path.realpath(path), path):
            wanted = below is None or any(_is_below(name, place) for place in below)
            if name in done or not wanted or not os.path.exists(path):
                continue
            done.add(name)
            yield name, os.open(path, os.O_PATH | os.O_CLOEXEC), is_writable


def _make_place(path: str, *, is_directory: bool) -> None:
    """Make what `path` can be mounted on, if it was hidden."""
    if os.path.exists(path):
        return
    os.makedirs(path if is_directory else os.path.dirname(path), exist_ok=True)
    if not is_directory:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))


def _is_below(path: str, directory: str) -> bool:
    return path != directory and path.startswith(directory.rstrip("/") + "/")
