"""The system calls that Python has no functions for, by ctypes; each raises OSError as functions of ``os`` do.

See: landlock(7), seccomp(2), mount(2), mount_setattr(2), unshare(2), capset(2), prctl(2).
"""

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes

__all__ = ["SystemCalls", "system_calls"]

_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_LAST_CAPABILITY = 63
_STEP_BYTES = 8

_MOUNT_SETATTR = 442
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
"""These have the same numbers on every architecture."""

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 1
_LANDLOCK_VERSION = 1
_LANDLOCK_RULE_PATH_BENEATH = 1


def system_calls() -> "SystemCalls | None":
    """Return the system calls, or None where there are none: not Linux, or a Python that was built without ctypes."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes  # noqa: PLC0415 - costs most of an interpreter's start, and only a sandbox needs it

        return SystemCalls(ctypes.CDLL(None, use_errno=True), ctypes.get_errno)
    except (ImportError, OSError):
        return None


class SystemCalls:
    """The C library. Everything here acts on the calling process and on what it will start."""

    def __init__(self, libc: "ctypes.CDLL", errno: "Errno") -> None:
        self._libc = libc
        self._errno = errno

    def unshare(self, flags: int) -> None:
        """Leave the namespaces that `flags` name for new ones."""
        self._checked("unshare", self._libc.unshare(flags))

    def set_dumpable(self, *, on: bool) -> None:
        """Let others of the same user, and files in /proc, at the memory of this process, or not."""
        self._checked("prctl", self._libc.prctl(_PR_SET_DUMPABLE, int(on), 0, 0, 0))

    def mount(self, source: str, target: str, kind: str, flags: int, data: str = "") -> None:
        """Mount `source` at `target`."""
        texts = [os.fsencode(text) or None for text in (source, target, kind, data)]
        self._checked(f"mount {target}", self._libc.mount(*texts[:3], flags, texts[3]))

    def set_read_only(self, path: str, *, on: bool) -> None:
        """Make the mount at `path`, and all below it, read-only or writable."""
        attributes = (_MOUNT_ATTR_RDONLY, 0) if on else (0, _MOUNT_ATTR_RDONLY)
        packed = b"".join(each.to_bytes(8, sys.byteorder) for each in (*attributes, 0, 0))
        arguments = (_AT_FDCWD, os.fsencode(path), _AT_RECURSIVE, packed, len(packed))
        self._checked(f"mount_setattr {path}", self._libc.syscall(_MOUNT_SETATTR, *arguments))

    def landlock_abi(self) -> int:
        """Return the version of Landlock that the kernel has, 0 where it has none or it is off."""
        return max(0, int(self._libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)))

    def landlock_ruleset(self, attributes: bytes) -> int:
        """Return a descriptor of a new set of Landlock rules."""
        made = self._libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
        return self._checked("landlock_create_ruleset", made)

    def landlock_allow(self, ruleset: int, rights: int, path: int) -> None:
        """Allow `rights` on what the descriptor `path` stands for and all below it."""
        packed = rights.to_bytes(8, sys.byteorder) + path.to_bytes(4, sys.byteorder)
        added = self._libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_RULE_PATH_BENEATH, packed, 0)
        self._checked("landlock_add_rule", added)

    def landlock_restrict(self, ruleset: int) -> None:
        """Hold this process to the rules for ever."""
        self._checked("landlock_restrict_self", self._libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0))

    def filter_calls(self, program: bytes) -> None:
        """Have the kernel ask the BPF `program` about every system call from now on."""
        import ctypes  # noqa: PLC0415 - loaded by `system_calls`

        buffer = ctypes.create_string_buffer(program, len(program))
        steps = (len(program) // _STEP_BYTES).to_bytes(8, sys.byteorder)
        described = steps + ctypes.addressof(buffer).to_bytes(8, sys.byteorder)
        self._checked("seccomp", self._libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, described, 0, 0))

    def give_up_privileges(self) -> None:
        """Never gain a privilege again, and keep none but to read and write what root can, which Landlock limits.

        Root's right over files stays because a cache may belong to another user than a container's root.
        """
        self._checked("prctl", self._libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        # Both fail for who has nothing to give up, and that is as well.
        self._libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
        for capability in range(_LAST_CAPABILITY + 1):
            if capability != _CAP_DAC_OVERRIDE:
                self._libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        header = _CAPABILITY_VERSION_3.to_bytes(4, sys.byteorder) + bytes(4)
        for kept in (1 << _CAP_DAC_OVERRIDE, 0):
            low = kept.to_bytes(4, sys.byteorder)
            if self._libc.capset(header, low + low + bytes(16)) == 0:
                return
        self._checked("capset", -1)

    def _checked(self, name: str, returned: int) -> int:
        if returned < 0:
            number = self._errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")
        return int(returned)


if TYPE_CHECKING:
    from collections.abc import Callable

    Errno = Callable[[], int]
