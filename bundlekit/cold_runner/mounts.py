"""Namespaces of our own for mounts and shared objects, and mounts in them whose content is thrown away with the mount.

Everything here may be refused by the kernel, a container or a lack of rights; then the answer is False and a copy takes
the overlay's place.

See: unshare(2), mount(2), mount_namespaces(7), ipc_namespaces(7), mq_overview(7), the kernel's "Overlay Filesystem";
DESIGN decision 4.
"""

import os
import sys

__all__ = [
    "enter_ipc_namespace",
    "enter_mount_namespace",
    "mount_overlay",
    "mount_queues",
    "mount_scratch",
    "mount_shared_memory",
    "unmount",
]

_CLONE_NEWNS, _CLONE_NEWIPC = 0x00020000, 0x08000000
_MS_NOSUID, _MS_NODEV, _MS_REC, _MS_SLAVE = 2, 4, 1 << 14, 1 << 19
_FOLLOWING = _MS_REC | _MS_SLAVE
_MNT_DETACH = 2


def enter_mount_namespace() -> bool:
    """Let what this thread and its children mount be theirs alone; return whether they may mount from now on.

    What they have mounted is gone with the last of them. It needs the right to administer the system: a user namespace
    would give it to anybody, but files of other users lose their owner in one, and then ssh and git refuse to work.
    """
    # What is mounted elsewhere on the machine still shows up here.
    return (
        sys.platform == "linux" and _called("unshare", _CLONE_NEWNS) and _mounted("none", "/", None, _FOLLOWING, None)
    )


def enter_ipc_namespace() -> bool:
    """Have System V objects and message queues be of this thread and its later children alone, with none there yet."""
    return sys.platform == "linux" and _called("unshare", _CLONE_NEWIPC)


def mount_queues(directory: str) -> bool:
    """Show the message queues of this thread's namespace as files in `directory`."""
    return _mounted("mqueue", directory, "mqueue", _MS_NOSUID | _MS_NODEV, None)


def mount_shared_memory(directory: str) -> bool:
    """Mount an empty file system in memory on `directory` that anybody may use, as the machine's own shared memory."""
    return _mounted("tmpfs", directory, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=1777")


def mount_scratch(directory: str, size_bytes: int) -> bool:
    """Mount an empty file system in memory on `directory`, that holds at most `size_bytes`."""
    return _mounted("tmpfs", directory, "tmpfs", _MS_NOSUID | _MS_NODEV, f"size={size_bytes},mode=0700")


def mount_overlay(below: str, upper: str, work: str, directory: str) -> bool:
    """Show `below` in `directory`; what is written there goes to `upper`, beside which `work` is an empty directory."""
    if any(set(path) & set(',:\\"') for path in (below, upper, work)):
        return False  # they mean something in the options of a mount
    options = f"lowerdir={below},upperdir={upper},workdir={work}"
    return _mounted("overlay", directory, "overlay", _MS_NOSUID | _MS_NODEV, options)


def unmount(directory: str) -> bool:
    """Take the mount on `directory` away, also from those who still use it."""
    return _called("umount2", os.fsencode(directory), _MNT_DETACH)


def _mounted(source: str, target: str, kind: str | None, flags: int, options: str | None) -> bool:
    return _called(
        "mount",
        os.fsencode(source),
        os.fsencode(target),
        None if kind is None else os.fsencode(kind),
        flags,
        None if options is None else os.fsencode(options),
    )


def _called(name: str, *arguments: bytes | int | None) -> bool:
    try:
        # The ctypes package costs most of an interpreter start; its core is all that a call needs.
        import _ctypes  # noqa: PLC0415 - the standalone runner must start without it where it is not built

        program = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]  # None is the program itself, as in dlopen(3)
        function = _ctypes.dlsym(program, name)
        return bool(_ctypes.call_function(function, arguments) == 0)
    except (ImportError, AttributeError, OSError):
        return False
