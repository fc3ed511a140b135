"""A throw-away, writable view of a bundle's files for one task, and an honest account of what was written there.

An overlay mount where this process may make one, else a plain copy. See: DESIGN decision 4.
"""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .overlay import OverlayLayer, Overlays
from .tree_removal import discard_tree
from .writes import State, Write, same_content, states_below

__all__ = ["CopyLayer", "Layer", "copied", "is_small", "task_layer"]

_CHUNK = 1 << 20
_FEW_FILES, _FEW_BYTES = 20, 1 << 16
_CLOCK_TICK_NS = 20_000_000
"""Kernels stamp files with a coarse clock: within this time of the copy an equal stamp proves nothing."""


class Layer(Protocol):
    """A task's files at `path`."""

    path: str

    def writes(self) -> tuple[Write, ...]:
        """Return what differs from the bundle's files now, by content and mode, sorted by path.

        New directories are named, with a slash at the end, only if they are empty. A file that was touched or replaced
        by an equal one is no write.
        """


class CopyLayer:
    """A copy of the bundle's files, alone in the directory `own`."""

    def __init__(self, tree: str, own: str) -> None:
        self.own = own
        self.path = path = os.path.join(own, "bundle")
        self._tree = tree
        self._before = states_below(path)
        self._settled_ns = time.time_ns() - _CLOCK_TICK_NS
        self._seen: tuple[Write, ...] | None = None

    def renew(self) -> None:
        """Forget what was seen: another task begins."""
        self._seen = None

    def writes(self) -> tuple[Write, ...]:
        """Return what a look at every file finds, the first time after a task."""
        if self._seen is None:
            self._seen = self._found()
        return self._seen

    def _found(self) -> tuple[Write, ...]:
        after = states_below(self.path)
        parents = {path.rstrip("/").rpartition("/")[0] + "/" for path in after}
        found = [Write(path, "deleted") for path in self._before if path not in after and not path.endswith("/")]
        for path, state in after.items():
            before = self._before.get(path)
            if path.endswith("/"):
                if before is None and path not in parents:
                    found.append(Write(path, "created"))
            elif before is None:
                found.append(Write(path, "created"))
            elif self._differs(path, before, state):
                found.append(Write(path, "modified"))
        return tuple(sorted(found))

    def _differs(self, path: str, before: State, after: State) -> bool:
        if before.mode != after.mode or before.size != after.size:
            return True
        if before == after and after.changed_ns < self._settled_ns:
            return False
        return not same_content(os.path.join(self._tree, path), os.path.join(self.path, path))


@contextmanager
def task_layer(
    tree: str, scratch_parent: str | None = None, *, preserve: bool = False, overlays: Overlays | None = None
) -> Iterator[Layer]:
    """Yield a writable view of the directory `tree`, made in `scratch_parent` (else TMPDIR) and removed afterwards.

    With `preserve` it is a copy that stays, with what was written there, once it was complete.

    Raises:
        RunnerError: E_IO when the copy cannot be made.
    """
    if overlays is not None and scratch_parent is not None and not preserve and not is_small(tree):
        # In a directory of its own, as a copy is: a task may write beside its files.
        own = os.path.join(scratch_parent, f"bundlekit-task-{os.urandom(16).hex()}")
        path = os.path.join(own, "bundle")
        for each in (own, path):
            os.mkdir(each, 0o700)
        upper = overlays.over(tree, path, own)
        if upper is not None:
            yield OverlayLayer(tree, path, upper)
            return
        discard_tree(own)
    layer = copied(tree, scratch_parent or os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - its own directory is private
    try:
        yield layer
    finally:
        if not preserve:
            discard_tree(layer.own)


def copied(tree: str, parent: str) -> CopyLayer:
    """Return a copy of the directory `tree` in a new directory below `parent`.

    Raises:
        RunnerError: E_IO when it cannot be made.
    """
    own = os.path.join(parent, f"bundlekit-task-{os.urandom(16).hex()}")
    try:
        os.mkdir(own, 0o700)
        _copy_tree(tree, os.path.join(own, "bundle"))
        return CopyLayer(tree, own)
    except OSError as error:
        if os.path.lexists(own):
            discard_tree(own)
        message = f"the task's copy of the bundle could not be made in {parent}: {error.strerror or error}"
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise RunnerError(ErrorCode.IO, Phase.ENVIRONMENT, message, retryable=full) from error


def is_small(tree: str) -> bool:
    """Whether copying costs less than mounting and unmounting, by measurement about half a millisecond."""
    names, folders = 0, [tree]
    while folders and names <= _FEW_FILES:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                names += 1
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.stat(follow_symlinks=False).st_size > _FEW_BYTES:
                    return False
    return names <= _FEW_FILES


def _copy_tree(source: str, destination: str) -> None:
    os.mkdir(destination, 0o755)
    with os.scandir(source) as entries:
        for entry in entries:
            target = os.path.join(destination, entry.name)
            if entry.is_dir(follow_symlinks=False):
                _copy_tree(entry.path, target)
            else:
                _copy_file(entry.path, target)


def _copy_file(source: str, destination: str) -> None:
    reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        state = os.fstat(reading)
        writing = os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if not _copied_by_kernel(reading, writing, state.st_size):
                _copy_bytes(reading, writing)
            os.fchmod(writing, stat.S_IMODE(state.st_mode))
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _copied_by_kernel(reading: int, writing: int, size: int) -> bool:
    # Shares the blocks instead of copying them where the file system can (Btrfs, XFS).
    try:
        while size > 0:
            copied = os.copy_file_range(reading, writing, size)
            if copied == 0:
                return False
            size -= copied
    except (AttributeError, OSError):
        os.lseek(reading, 0, os.SEEK_SET)
        os.lseek(writing, 0, os.SEEK_SET)
        return False
    return True


def _copy_bytes(reading: int, writing: int) -> None:
    while chunk := os.read(reading, _CHUNK):
        view = memoryview(chunk)
        while view:
            view = view[os.write(writing, view) :]
