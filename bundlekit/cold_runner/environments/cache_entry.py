"""One directory of the cache: built once, at its final path, under a kernel lock, and complete only with its marker.

The marker is written last and holds the full key; a directory without it, or with another, is debris and is built
again. Whoever uses an entry holds the lock shared, whoever builds it holds it alone. The kernel drops the locks of the
dead, so nothing in a lock file is ever read.
See: DESIGN decision 4; flock(2).
"""

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .tree_removal import remove_tree

__all__ = ["MARKER", "cache_failure", "held_entry", "is_complete"]

MARKER = "bundlekit-complete.json"

_LONGEST_PAUSE_S = 0.1
_SAY_AFTER_S = 1.0
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def held_entry(
    directory: str,
    key: Mapping[str, str],
    build: Callable[[str, int], None],
    *,
    lock_path: str,
    needs: str,
    deadline: float,
    log: Callable[[str], None],
) -> Iterator[bool]:
    """Hold the entry `directory`, built first if it is not there with `key`; yields whether it was there already.

    An entry also counts as absent when the path `needs` in it leads nowhere: a link to an interpreter that was removed.
    `build` gets the path of a directory that does not exist yet and the descriptor of the lock, for its children.

    Raises:
        RunnerError: E_CACHE when the cache cannot be used, E_IO when building meets an I/O error, E_TIMEOUT when
            another process holds the entry beyond `deadline`; and whatever `build` raises.
    """
    descriptor = _opened(lock_path)
    try:
        reused = True
        patience = _Patience(directory, deadline, log)
        # Looked at anew each time round: whoever waits to build must see that another has built meanwhile, and may now
        # hold the entry for hours. A lock is not changed in one step either, so nothing is known after a change.
        while not (_takes(descriptor, fcntl.LOCK_SH, directory) and is_complete(directory, key, needs)):
            if _takes(descriptor, fcntl.LOCK_EX, directory):
                if not is_complete(directory, key, needs):
                    reused = False
                    _build(directory, key, build, descriptor)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                patience.wait()
        yield reused
    finally:
        os.close(descriptor)


def is_complete(directory: str, key: Mapping[str, str], needs: str) -> bool:
    """Return whether `directory` was built to its end with exactly this key, and `needs` in it leads somewhere."""
    try:
        with open(os.path.join(directory, MARKER), "rb") as file:
            return file.read() == _marker(key) and os.path.exists(os.path.join(directory, needs))
    except OSError:
        return False


def cache_failure(path: str, error: OSError) -> RunnerError:
    """Return the error for a cache at `path` that cannot be used."""
    if error.errno in _FULL:
        message = f"the disk of the cache is full or a quota is used up ({path}); free some space and try again"
        return RunnerError(ErrorCode.IO, Phase.ENVIRONMENT, message, retryable=True)
    message = f"the cache cannot be used: {path}: {error.strerror or error}; make it writable or set VENVS_DIR"
    return RunnerError(ErrorCode.CACHE, Phase.ENVIRONMENT, message)


def _opened(path: str) -> int:
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        # A ready entry of a read-only cache can be used: a lock needs no more than an open descriptor.
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            raise cache_failure(path, error) from error


def _takes(descriptor: int, kind: int, what: str) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise cache_failure(what, error) from error
    return True


class _Patience:
    """Waits a little longer each time, says so once, and ends at the deadline."""

    def __init__(self, what: str, deadline: float, log: Callable[[str], None]) -> None:
        self._what, self._deadline, self._log = what, deadline, log
        self._pause_s, self._say_at = 0.001, time.monotonic() + _SAY_AFTER_S

    def wait(self) -> None:
        now = time.monotonic()
        if now >= self._deadline:
            message = f"another process did not release {self._what} by the deadline; try again or allow more time"
            raise RunnerError(ErrorCode.TIMEOUT, Phase.ENVIRONMENT, message, retryable=True)
        if now >= self._say_at:
            self._say_at = float("inf")
            self._log(f"Waiting for another process that is building {self._what}")
        time.sleep(min(self._pause_s, self._deadline - now))
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)


def _build(directory: str, key: Mapping[str, str], build: Callable[[str, int], None], descriptor: int) -> None:
    try:
        remove_tree(directory)
        os.makedirs(os.path.dirname(directory), mode=0o700, exist_ok=True)
        build(directory, descriptor)
        _write_marker(directory, key)
    except OSError as error:
        _discard(directory)
        if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM} or error.errno in _FULL:
            raise cache_failure(directory, error) from error
        message = f"{directory} could not be built: {error.strerror or error}"
        raise RunnerError(ErrorCode.IO, Phase.ENVIRONMENT, message) from error
    except BaseException:
        _discard(directory)
        raise


def _discard(directory: str) -> None:
    try:
        remove_tree(directory)
    except OSError:
        return  # without its marker it counts as absent


def _marker(key: Mapping[str, str]) -> bytes:
    return json.dumps(dict(key), sort_keys=True, indent=1).encode()


def _write_marker(directory: str, key: Mapping[str, str]) -> None:
    path = os.path.join(directory, MARKER)
    staged = path + ".part"
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, _marker(key))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(staged, path)
