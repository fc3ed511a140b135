"""One directory of the cache: built once, at its final path, under a kernel lock, and complete only with its marker.

The marker is written last and holds the full key; a directory without it, or with another, is debris and is built
again. Whoever uses an entry holds the lock shared, whoever builds it holds it alone.
See: DESIGN decision 4.
"""

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError
from .entry_lock import FULL, EntryLock, cache_failure
from .tree_removal import remove_tree

__all__ = ["MARKER", "held_entry", "is_complete"]

MARKER = "bundlekit-complete.json"

_LONGEST_PAUSE_S = 0.1
_SAY_AFTER_S = 1.0


@contextmanager
def held_entry(
    directory: str,
    key: Mapping[str, str],
    build: Callable[[str, int], None],
    *,
    lock_path: str,
    needs: Sequence[str],
    deadline: float,
    log: Callable[[str], None],
    lasting: bool = True,
) -> Iterator[bool]:
    """Hold the entry `directory`, built first if it is not there with `key`; yields whether it was there already.

    An entry also counts as absent when one of the paths `needs` in it leads nowhere: a link to an interpreter that was
    removed. One that is `lasting` gets an inventory, for who verifies it later.
    `build` gets the path of a directory that does not exist yet and the descriptor of the lock, for its children.

    Raises:
        RunnerError: E_CACHE when the cache cannot be used, E_IO when building meets an I/O error, E_TIMEOUT when
            another process holds the entry beyond `deadline`; and whatever `build` raises.
    """
    lock = EntryLock(lock_path, directory)
    try:
        reused = True
        patience = _Patience(directory, deadline, log)
        # Looked at anew each time round: whoever waits to build must see that another has built meanwhile, and may now
        # hold the entry for hours. A lock is not changed in one step either, so nothing is known after a change.
        while not (lock.takes(fcntl.LOCK_SH) and is_complete(directory, key, needs)):
            if lock.takes(fcntl.LOCK_EX):
                if not is_complete(directory, key, needs):
                    reused = False
                    _build(directory, key, build, lock.descriptor, lasting=lasting)
                    _check_complete(directory, key, needs)
            else:
                lock.release()
                patience.wait()
        lock.note_use()
        yield reused
    finally:
        lock.close()


def is_complete(directory: str, key: Mapping[str, str], needs: Sequence[str]) -> bool:
    """Return whether `directory` was built to its end with exactly this key, and each of `needs` leads somewhere."""
    try:
        with open(os.path.join(directory, MARKER), "rb") as file:
            found = file.read()
    except OSError:
        return False
    return found == _marker(key) and all(os.path.exists(os.path.join(directory, path)) for path in needs)


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


def _build(
    directory: str, key: Mapping[str, str], build: Callable[[str, int], None], descriptor: int, *, lasting: bool
) -> None:
    try:
        remove_tree(directory)
        os.makedirs(os.path.dirname(directory), mode=0o700, exist_ok=True)
        build(directory, descriptor)
        if lasting:
            from .entry_inventory import write_inventory  # noqa: PLC0415 - a ready entry is not built

            write_inventory(directory)
        _write_marker(directory, key)
    except OSError as error:
        _discard(directory)
        if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM} or error.errno in FULL:
            raise cache_failure(directory, error) from error
        message = f"{directory} could not be built: {error.strerror or error}"
        raise RunnerError(ErrorCode.IO, Phase.ENVIRONMENT, message) from error
    except BaseException:
        _discard(directory)
        raise


def _check_complete(directory: str, key: Mapping[str, str], needs: Sequence[str]) -> None:
    """Raise E_CACHE when what was just built is not there: it would be built again and again."""
    if not is_complete(directory, key, needs):
        message = f"{directory} was built, and part of it was gone at once: something else removes files there"
        raise RunnerError(ErrorCode.CACHE, Phase.ENVIRONMENT, message)


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
        rest = memoryview(_marker(key))
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(staged, path)
