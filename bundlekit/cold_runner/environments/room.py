"""The directories of a server's tasks: HOME, TMPDIR and copies of small bundles.

Each task meets them empty, or as they were made. What a task has left untouched serves the next one, since making and
removing directories costs more than all else that a task needs; the rest is thrown away when nobody waits.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .layer import CopyLayer, copied
from .tree_removal import discard_tree

__all__ = ["Home", "Room", "made_home", "made_private"]


class Home(NamedTuple):
    """What a task has as HOME and TMPDIR, both in `own`."""

    own: str
    home: str
    tmp: str


class _Exact(NamedTuple):
    """All that tells a file or directory from another without reading it."""

    mode: int
    owner: tuple[int, int]
    size: int
    place: tuple[int, int]
    links: int
    modified_ns: int
    changed_ns: int
    attributes: tuple[tuple[str, bytes], ...]


class Room:
    """Makes directories in `scratch`, which is this process's own and is removed by whoever made it."""

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch
        self._home: tuple[Home, dict[str, _Exact]] | None = None
        self._copies: dict[str, tuple[CopyLayer, dict[str, _Exact]]] = {}
        self._rubbish: list[str] = []

    @contextmanager
    def home(self) -> Iterator[Home]:
        """Yield empty directories for one task.

        Raises:
            RunnerError: E_IO when they cannot be made.
        """
        kept, self._home = self._home, None
        if kept is None:
            made = made_home(self._scratch)
            kept = made, _exact_states(made.own)
        home, before = kept
        try:
            yield home
        finally:
            if _exact_states(home.own) == before:
                self._home = kept
            else:
                self._rubbish.append(home.own)

    @contextmanager
    def copy(self, tree: str) -> Iterator[CopyLayer]:
        """Yield a copy of the directory `tree` for one task.

        Raises:
            RunnerError: E_IO when it cannot be made.
        """
        kept = self._copies.pop(tree, None)
        if kept is None:
            layer = copied(tree, self._scratch)
            kept = layer, _exact_states(layer.own)
        layer, before = kept
        layer.renew()
        try:
            yield layer
        finally:
            if _exact_states(layer.own) == before and not layer.writes():
                self._copies[tree] = kept
            else:
                self._rubbish.append(layer.own)
            if len(self._copies) > _MOST_COPIES:
                oldest, _ = self._copies.pop(next(iter(self._copies)))
                self._rubbish.append(oldest.own)

    def tidy(self) -> None:
        """Remove what tasks have left."""
        while self._rubbish:
            discard_tree(self._rubbish.pop())


_MOST_COPIES = 4


def made_home(parent: str) -> Home:
    """Return new directories for a task below `parent`, which is made if it is not there.

    Raises:
        RunnerError: E_IO when they cannot be made.
    """
    # A short name: sockets below TMPDIR, such as those of multiprocessing, have 107 bytes for their whole path.
    own = os.path.join(parent, os.urandom(4).hex())
    made = Home(own, os.path.join(own, "home"), os.path.join(own, "tmp"))
    for directory in (parent, *made):
        made_private(directory)
    return made


def made_private(directory: str) -> None:
    """Make `directory`, for us alone, if it is not there.

    Raises:
        RunnerError: E_IO when it cannot be made.
    """
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        return
    except OSError as error:
        message = f"expected room for a task's own directory at {directory}, found none: {error.strerror}"
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise RunnerError(ErrorCode.IO, Phase.ENVIRONMENT, message, retryable=full) from error


def _exact_states(root: str) -> dict[str, _Exact]:
    """Return the state of `root` and of all below it."""
    states = {}
    pending = [root]
    while pending:
        path = pending.pop()
        try:
            state = os.lstat(path)
            if stat.S_ISDIR(state.st_mode):
                pending += [os.path.join(path, name) for name in os.listdir(path)]
        except OSError:
            continue
        states[path] = _Exact(
            state.st_mode,
            (state.st_uid, state.st_gid),
            state.st_size,
            (state.st_dev, state.st_ino),
            state.st_nlink,
            state.st_mtime_ns,
            state.st_ctime_ns,
            _attributes(path),
        )
    return states


def _attributes(path: str) -> tuple[tuple[str, bytes], ...]:
    """Return the extended attributes of a file; where SELinux or an inherited ACL rules, every file has some."""
    try:
        names = sorted(os.listxattr(path, follow_symlinks=False))
        return tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in names)
    except (OSError, AttributeError):
        return ()  # a file system, or a platform, without them
