"""Outputs that are too large for memory: written to their files as they come, published once the task has succeeded.

They are staged in a directory beside their place, so that publishing is a rename and a failed task leaves nothing.
"""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from .codes import ErrorCode, Phase
from .environments.tree_removal import remove_tree
from .runner_error import RunnerError

__all__ = ["INLINE_LIMIT", "OutputFile", "OutputFiles"]

INLINE_LIMIT = 512 * 1024
"""Above this many bytes an output goes into a file, if there is a directory for it."""


class OutputFile:
    """One output on its way to a file; its truth value is whether it holds anything, as that of bytes is."""

    def __init__(self, directory: str, staged: str) -> None:
        self._directory = directory
        self._staged = staged
        self._hash = hashlib.blake2b(digest_size=32)
        self._size = 0
        with _writing(staged):
            self._descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)

    def __len__(self) -> int:
        return self._size

    def extend(self, data: bytes | bytearray | memoryview) -> None:
        """Append `data`.

        Raises:
            RunnerError: E_IO when it cannot be written.
        """
        self._hash.update(data)
        self._size += len(data)
        view = memoryview(data)
        with _writing(self._staged):
            while view:
                view = view[os.write(self._descriptor, view) :]

    @property
    def checksum(self) -> str:
        """The BLAKE2b-256 of what was written, in hex."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Let go of the file; may be called more than once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def publish(self) -> str:
        """Give the file its lasting name, which is its checksum, and return the path.

        Raises:
            RunnerError: E_IO when that fails.
        """
        self.close()
        path = os.path.join(self._directory, f"{self.checksum}.bin")
        with _writing(path):
            os.replace(self._staged, path)
        return path


class OutputFiles:
    """Opens the files of one task in `directory`."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._staging = os.path.join(directory, f".bundlekit-{os.urandom(16).hex()}")
        self._opened: list[OutputFile] = []

    def open(self) -> OutputFile:
        """Return a new, empty file; the one before it is complete by now.

        Raises:
            RunnerError: E_IO when it cannot be made.
        """
        if self._opened:
            # Thousands may come, and descriptors are few.
            self._opened[-1].close()
        else:
            with _writing(self._staging):
                os.mkdir(self._staging, 0o700)
        file = OutputFile(self._directory, os.path.join(self._staging, str(len(self._opened))))
        self._opened.append(file)
        return file

    def discard(self) -> None:
        """Remove what was not published."""
        if self._opened:
            self._opened[-1].close()
        remove_tree(self._staging)


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"the output cannot be written: {path}: {error.strerror or error}"
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise RunnerError(ErrorCode.IO, Phase.RESULT, message, retryable=full) from error
