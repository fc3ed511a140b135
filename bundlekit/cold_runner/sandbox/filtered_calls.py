"""System calls that no model makes, refused by seccomp; and, where there is no network of its own, most sockets.

Root without capabilities and users are refused most of these by the kernel itself; what is left is what they may do and
what has been the way out of many a container: io_uring, new namespaces, key rings, bpf, perf.

See: seccomp(2).
"""

import errno
import os
import struct
import sys

from .system_calls import SystemCalls

__all__ = ["can_filter_calls", "filter_calls"]

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""The kernel's name of each, and the column of :data:`_REFUSED`; all are little-endian with 64 bits."""

_ABSENT = (425, 426, 427, 435)
"""io_uring_setup, _enter, _register, and clone3, whose flags cannot be seen from here; libraries do without."""
_REFUSED = (
    (248, 217),  # add_key
    (249, 218),  # request_key
    (250, 219),  # keyctl
    (272, 97),  # unshare
    (308, 268),  # setns
    (165, 40),  # mount
    (166, 39),  # umount2
    (155, 41),  # pivot_root
    (428, 428),  # open_tree
    (429, 429),  # move_mount
    (430, 430),  # fsopen
    (442, 442),  # mount_setattr
    (304, 265),  # open_by_handle_at
    (298, 241),  # perf_event_open
    (321, 280),  # bpf
    (323, 282),  # userfaultfd
)
_CLONE = (56, 220)
_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET."""
_SOCKET = (41, 198)
_FAMILIES = (1, 16)
"""AF_UNIX, and AF_NETLINK, by which the C library asks what addresses this machine has."""
_FIRST_OF_X32 = 0x40000000

_LOAD, _IS, _AT_LEAST, _HAS_ANY_OF, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOWING = (_RETURN, 0, 0, _ALLOW)


def can_filter_calls() -> bool:
    """Return whether the numbers of the calls are known for this machine."""
    return os.uname().machine in _ARCHITECTURES and sys.maxsize > 1 << 32


def filter_calls(calls: SystemCalls, *, sockets: bool) -> None:
    """Refuse the calls for ever, in this process and all that it starts; without `sockets` those that leave it, too."""
    name, column = _ARCHITECTURES[os.uname().machine]
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_IS, 1, 0, name), _failing(errno.EPERM), (_LOAD, 0, 0, _NUMBER)]
    steps += [(_AT_LEAST, 0, 1, _FIRST_OF_X32), _failing(errno.ENOSYS)]
    for number in _ABSENT:
        steps += [(_IS, 0, 1, number), _failing(errno.ENOSYS)]
    for numbers in _REFUSED:
        steps += [(_IS, 0, 1, numbers[column]), _failing(errno.EPERM)]
    # Past the four steps that follow, unless it is that call; past the failure, if it asks for none of these.
    steps += [(_IS, 0, 4, _CLONE[column]), (_LOAD, 0, 0, _FIRST_ARGUMENT)]
    steps += [(_HAS_ANY_OF, 0, 1, _NEW_NAMESPACES), _failing(errno.EPERM), _ALLOWING]
    if not sockets:
        # Past the four steps that follow, unless it is that call; past the failure, if it is one of these families.
        steps += [(_IS, 0, 4, _SOCKET[column]), (_LOAD, 0, 0, _FIRST_ARGUMENT)]
        steps += [(_IS, 2, 0, _FAMILIES[0]), (_IS, 1, 0, _FAMILIES[1]), _failing(errno.EACCES)]
    steps.append(_ALLOWING)
    calls.filter_calls(b"".join(struct.pack("=HBBI", *step) for step in steps))


def _failing(number: int) -> tuple[int, int, int, int]:
    return _RETURN, 0, 0, _FAIL | number
