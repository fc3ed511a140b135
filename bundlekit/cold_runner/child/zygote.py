"""Runs in a zygote: an interpreter that has loaded nothing, and forks one child for each job.

A bundle and the extension modules it needs are loaded after the fork, anew in each child, so no state in them is ever
shared. Only what `preload` names is loaded before it. One thread is a condition: a fork takes none of the others along.

It has the descriptors of a child up to JOB_FD, and CONTROL_FD, a socket on which the supervisor hands over, for each
child, the descriptors that :data:`FIELDS` lists. Imports are as frugal as those of `main`.

See: DESIGN decision 5; PERFORMANCE, "What a fork shares that an exec does not".
"""

import marshal
import os
import sys

from . import main as child
from .channel import GO_FD, JOB_FD, RESULT_FD

TYPE_CHECKING = False  # as in `main`
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import BinaryIO

__all__ = ["CONTROL_FD", "FIELDS", "READY", "main"]

CONTROL_FD = 6
FIELDS = (2, JOB_FD, RESULT_FD, GO_FD)
"""The places in which a child has the descriptors that it gets, in the order in which they are sent; 1 is as 2."""
READY = b"+"
_LAST_RESERVED = 9


def main(orders: "BinaryIO", load: "Callable[[list[tuple[str, CodeType | str]]], None]") -> None:
    """Import what is to be there before the fork, tell how that went, and fork until the supervisor is gone.

    Returns in the children only, where the interpreter should end in its own way.
    """
    import _socket  # noqa: PLC0415 - the part in C: the module around it would be found loaded by the bundle

    preload = marshal.load(orders)  # noqa: S302 - the supervisor wrote it
    orders.close()
    for name in preload:
        __import__(name)
    control = _socket.socket(fileno=CONTROL_FD)
    control.send(READY if _threads() == 1 else f"{_threads()} threads".encode())
    while os.open(os.devnull, os.O_RDWR) < _LAST_RESERVED:
        pass  # so that what is received lies above the places where it is put
    room = _socket.CMSG_SPACE(4 * len(FIELDS))
    while True:
        data, ancillary, _, _ = control.recvmsg(1, room)
        if not data:
            os._exit(0)
        received = memoryview(ancillary[0][2]).cast("i").tolist()
        if _forked(received, control):
            break
    control.detach()
    _reseed()
    child.main(open(JOB_FD, "rb"), load)  # noqa: SIM115 - it is closed there


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _forked(received: list[int], control: object) -> bool:
    """Fork a child that has the descriptors `received`; return whether this is the child.

    It is a grandchild whose parent ends at once, so that it falls to the supervisor, which waits for it.
    """
    parent = os.fork()
    if parent:
        os.waitpid(parent, 0)
        for descriptor in received:
            os.close(descriptor)
        return False
    if os.fork():
        os._exit(0)
    os.setsid()
    for place, descriptor in zip((1, *FIELDS), (received[0], *received), strict=True):
        os.dup2(descriptor, place, inheritable=place <= 2)  # noqa: PLR2004 - the last of the standard descriptors
    control.send(os.getpid().to_bytes(4, "big"))  # type: ignore[attr-defined]  # a socket, whose type is not loaded
    os.closerange(GO_FD + 1, max(received) + 1)
    return True


def _reseed() -> None:
    """Give global generators that were there before the fork a seed of their own, as in an interpreter of its own."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
