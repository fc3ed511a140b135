"""Writes what the caller is to read: whole, or the caller learns from the status and the log that it was not.

By descriptor: Python's own stream is absent when its caller closed it, and fails at exit when a disk is full.
"""

import os
import select

from .codes import EXIT_STATUS, ErrorCode, Phase
from .runner_error import RunnerError
from .stderr_log import StderrLog

__all__ = ["answer", "write_whole"]

_STDOUT = 1


def answer(text: bytes, status: int, log: StderrLog) -> int:
    """Write `text` to stdout and return the exit status to end with: `status`, or that of the failure to write."""
    try:
        write_whole(_STDOUT, text)
    except RunnerError as error:
        log.line(f"Failed: {error.code}: {error.message}")
        return EXIT_STATUS[error.code]
    return status


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of `data`; a caller that no longer reads has no use for the rest, and the exit status still tells.

    Raises:
        RunnerError: E_IO when it cannot be written, for one on a full disk.
    """
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            # The caller's end of a pipe decides for both.
            _await_room(descriptor)
        except BrokenPipeError:
            return
        except OSError as error:
            message = f"the answer cannot be written to the standard output: {error.strerror or error}"
            raise RunnerError(ErrorCode.IO, Phase.RESULT, message) from error


def _await_room(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()
