"""Where entries are kept: the cache itself, or a throw-away part of it that is gone with the run.

A throw-away part is locked while its run lasts; one that a killed run left behind is swept by the next.
"""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .entry_lock import cache_failure
from .environment import Place
from .tree_removal import remove_tree

__all__ = ["KEPT", "chosen_place", "warn_of_others"]

KEPT = "kept"
"""The file in a throw-away part that is to stay."""


@contextmanager
def chosen_place(cache_dir: str, fresh: bool, preserve: bool, log: Callable[[str], None]) -> Iterator[Place]:  # noqa: FBT001 - two named settings of the runner
    """Yield the place for a run's entries; a fresh one is removed afterwards unless `preserve` says to keep it.

    Raises:
        RunnerError: E_CACHE when the directory cannot be used.
    """
    _check(cache_dir, log)
    if not fresh:
        yield Place(cache_dir, lasting=True)
        return
    try:
        parent = os.path.join(cache_dir, "fresh")
        os.makedirs(parent, mode=0o700, exist_ok=True)
        _sweep(parent)
        directory, descriptor = _claimed(parent)
    except OSError as error:
        raise cache_failure(cache_dir, error) from error
    try:
        yield Place(directory, lasting=False)
    finally:
        if preserve:
            with open(os.path.join(directory, KEPT), "wb"):
                log(f"PRESERVE_TMP: kept the environment and the bundle's code in {directory}")
        else:
            try:
                _drop(directory)
            except OSError as error:
                log(f"Warning: {directory} cannot be removed: {error.strerror or error}")
        os.close(descriptor)


def _check(cache_dir: str, log: Callable[[str], None]) -> None:
    # PATH, PYTHONPATH and .pth files cannot express these.
    if not os.path.isabs(cache_dir) or any(char in cache_dir for char in ":\n\r"):
        message = f"expected an absolute cache directory without colons and line breaks, found {cache_dir!r:.200}"
        raise RunnerError(ErrorCode.CACHE, Phase.ENVIRONMENT, message)
    try:
        os.makedirs(cache_dir, mode=0o700, exist_ok=True)
        state = os.stat(cache_dir)
    except OSError as error:
        raise cache_failure(cache_dir, error) from error
    warn_of_others(cache_dir, state, log)


def warn_of_others(cache_dir: str, state: os.stat_result, log: Callable[[str], None]) -> None:
    """Say so if `state`, that of `cache_dir`, lets other users write there: to change what is run once it was read."""
    if state.st_uid not in {os.getuid(), 0} or state.st_mode & stat.S_IWOTH:
        log(f"Warning: other users can write to the cache {cache_dir}, and so to the code that is run from it")


def _claimed(parent: str) -> tuple[str, int]:
    while True:
        directory = os.path.join(parent, os.urandom(16).hex())
        descriptor = os.open(directory + ".lock", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.mkdir(directory, 0o700)
            # A sweeper may have taken the new lock, and removed its file, before we held it.
            if os.path.exists(directory + ".lock"):
                return directory, descriptor
        except BlockingIOError:
            pass
        os.close(descriptor)
        _drop(directory)


def _sweep(parent: str) -> None:
    for name in os.listdir(parent):
        directory = os.path.join(parent, name.removesuffix(".lock"))
        if not name.endswith(".lock") or os.path.exists(os.path.join(directory, KEPT)):
            continue
        try:
            descriptor = os.open(directory + ".lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _drop(directory)
        except OSError:
            continue
        finally:
            os.close(descriptor)


def _drop(directory: str) -> None:
    remove_tree(directory)
    remove_tree(directory + ".lock")
