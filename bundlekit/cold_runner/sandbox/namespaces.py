"""Namespaces of a child's own: a network of a loopback alone, a view of the files, shared memory. Never one of pids.

See: namespaces(7), user_namespaces(7), netdevice(7).
"""

import os
import sys

from .system_calls import SystemCalls

__all__ = ["enter_namespaces", "load_for_namespaces"]

_CLONE_NEWNS = 0x00020000
_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_NAME_BYTES, _REQUEST_BYTES = 16, 40


def load_for_namespaces() -> None:
    """Import what entering them takes: a fork of a process with threads must not import."""
    import _socket  # noqa: F401, PLC0415 - the socket module would import ten others
    import fcntl  # noqa: F401, PLC0415 - as above


def enter_namespaces(calls: SystemCalls, *, mounts: bool, network: bool) -> None:
    """Enter a new namespace of each kind that is asked for; in a user namespace where that takes no privilege.

    With that of the files goes that of System V shared memory and of message queues, which outlive their processes.

    Raises:
        OSError: the kernel, its settings or a container's do not allow it.
    """
    flags = (_CLONE_NEWNS | _CLONE_NEWIPC if mounts else 0) | (_CLONE_NEWNET if network else 0)
    if not flags:
        return
    user, group = os.geteuid(), os.getegid()
    try:
        calls.unshare(flags)
    except PermissionError:
        calls.unshare(flags | _CLONE_NEWUSER)
        # The supervisor's memory is kept from others of the same user, and its files in /proc from the user itself.
        calls.set_dumpable(on=True)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
        calls.set_dumpable(on=False)
    if network:
        _raise_loopback()


def _raise_loopback() -> None:
    import _socket  # noqa: PLC0415 - loaded before
    import fcntl  # noqa: PLC0415 - loaded before

    endpoint = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    try:
        request = b"lo".ljust(_NAME_BYTES, b"\0") + _IFF_UP.to_bytes(2, sys.byteorder)
        fcntl.ioctl(endpoint.fileno(), _SIOCSIFFLAGS, request.ljust(_REQUEST_BYTES, b"\0"))
    finally:
        endpoint.close()


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)
