"""The kernel lock of one entry of the cache, on a file beside it whose content is never read.

Whoever uses an entry holds its lock shared, whoever builds or removes it holds it alone; the kernel drops the locks of
the dead. The file goes with the entry, by the hand of who holds it alone: so whoever got a lock looks whether the path
still leads to the file that was locked. The time of the file tells when the entry was last used.
See: flock(2).
"""

import errno
import fcntl
import os

from ..codes import ErrorCode, Phase
from ..runner_error import RunnerError

__all__ = ["FULL", "EntryLock", "cache_failure", "is_held"]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class EntryLock:
    """An open lock file, made with its directories if need be; `what` is the entry, for messages.

    Raises:
        RunnerError: E_CACHE when it cannot be had, E_IO when the disk is full.
    """

    def __init__(self, path: str, what: str) -> None:
        self._path, self._what = path, what
        self.descriptor = _opened(path)

    def takes(self, kind: int) -> bool:
        """Return whether the lock was had at once, as `kind` (LOCK_SH or LOCK_EX); any held before is lost if not.

        Raises:
            RunnerError: E_CACHE where the file system has no locks.
        """
        try:
            fcntl.flock(self.descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise cache_failure(self._what, error) from error
        if _leads_to(self._path, self.descriptor):
            return True
        # The entry was removed, and its lock with it, between our opening and our locking.
        self.close()
        self.descriptor = _opened(self._path)
        return False

    def release(self) -> None:
        """Let go of the lock; the file stays open."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def note_use(self) -> None:
        """Stamp the time of use; a cache that is not ours to write to has none."""
        try:
            os.utime(self.descriptor)
        except OSError:
            return

    def changed_s(self) -> float:
        """Return the unix time of the last use."""
        return os.fstat(self.descriptor).st_mtime

    def remove(self) -> None:
        """Remove the file; only for who holds the lock alone."""
        os.unlink(self._path)

    def close(self) -> None:
        """Close the file, and let go of the lock unless a child has inherited it."""
        os.close(self.descriptor)


def is_held(path: str) -> bool:
    """Return whether anybody holds the lock at `path` (of a file or a directory), shared or alone, at this moment."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def cache_failure(path: str, error: OSError) -> RunnerError:
    """Return the error for a cache at `path` that cannot be used."""
    if error.errno in FULL:
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


def _leads_to(path: str, descriptor: int) -> bool:
    try:
        there = os.stat(path)
    except OSError:
        return False
    held = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)
