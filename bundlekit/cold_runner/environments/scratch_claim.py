"""Scratch directories, locked while their process lives: so those of the dead can be told from the rest."""

import fcntl
import os

__all__ = ["claimed"]


def claimed(directory: str) -> int | None:
    """Lock the directory, made private if need be, as long as the returned descriptor is open; None if it cannot be."""
    try:
        if not os.path.isdir(directory):
            os.mkdir(directory, 0o700)
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return None  # whoever writes there says what is wrong
    return descriptor
