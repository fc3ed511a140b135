"""Files, TCP ports, signals and abstract sockets out of reach, by Landlock: for this process and all that it starts.

What is not allowed is denied. Paths may still be looked up, and the status, mode and times of files read and changed:
Landlock has no right for these. Sockets that are files can be connected to, and UDP is free, up to the newest kernels.

See: landlock(7).
"""

import os
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress

from .layers import TCP_ABI
from .system_calls import SystemCalls

__all__ = ["restrict"]

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_ALL_OF_ABI_1 = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_TCP = 0b11
_SCOPES = 0b11
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV

_SCOPE_ABI = 6

_SINCE = ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEV))


def restrict(
    calls: SystemCalls,
    abi: int,
    *,
    readable: Iterable[str],
    writable: Iterable[str],
    devices: Iterable[str],
    tcp: bool,
) -> None:
    """Leave this process with what is `readable` (and can be executed), `writable`, or one of the `devices`.

    What of these does not exist is passed over. Without `tcp` no TCP port can be bound or connected to. Signals and
    abstract sockets reach only what is held as this process is.
    """
    handled = _ALL_OF_ABI_1
    for since, rights in _SINCE:
        handled |= rights if abi >= since else 0
    everything = handled & ~(_MAKE_CHAR | _MAKE_BLOCK)
    attributes = [handled]
    if abi >= TCP_ABI:
        attributes.append(0 if tcp else _TCP)
    if abi >= _SCOPE_ABI:
        attributes.append(_SCOPES)
    ruleset = calls.landlock_ruleset(b"".join(each.to_bytes(8, sys.byteorder) for each in attributes))
    try:
        reading = _EXECUTE | _READ_FILE | _READ_DIR
        using = (_READ_FILE | _WRITE_FILE | _READ_DIR | _TRUNCATE | _IOCTL_DEV) & handled
        for paths, rights in ((readable, reading), (writable, everything), (devices, using)):
            for path in paths:
                _allow(calls, ruleset, path, rights)
        calls.landlock_restrict(ruleset)
    finally:
        os.close(ruleset)


def _allow(calls: SystemCalls, ruleset: int, path: str, rights: int) -> None:
    descriptor = -1
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if descriptor < 0:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _ON_FILES
        calls.landlock_allow(ruleset, rights, descriptor)
    finally:
        os.close(descriptor)
