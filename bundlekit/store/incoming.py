"""A file that is being received: hashed as it grows, continued where it stopped, and kept only if it is the one."""

import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from bundlekit.errors import DigestMismatchError
from bundlekit.store.oci_documents import Descriptor

__all__ = ["Incoming"]

_CHUNK = 1 << 20


class Incoming:
    """The file `path` on its way to hold `blob`. Whoever receives it holds its lock; others wait.

    Raises:
        OSError: it cannot be opened or read.
    """

    def __init__(self, blob: Descriptor, path: Path) -> None:
        self._blob = blob
        self._descriptor = _locked(path)
        self._hasher = hashlib.sha256()
        self.size = 0
        try:
            self._take_up()
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    @property
    def is_whole(self) -> bool:
        """Whether as many bytes are there as the blob has."""
        return self.size >= self._blob.size

    def take(self, data: bytes) -> None:
        """Append `data`.

        Raises:
            DigestMismatchError: the blob does not have so many bytes.
        """
        if self.size + len(data) > self._blob.size:
            message = f"expected the blob {self._blob.digest} of {self._blob.size:,} bytes, and more than that came"
            raise DigestMismatchError(message, subject=self._blob.digest)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._hasher.update(data)
        self.size += len(data)

    def start_again(self) -> None:
        """Drop what is there."""
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._hasher = hashlib.sha256()
        self.size = 0

    def finish(self) -> None:
        """Bring the file to the disk, if it is the blob.

        Raises:
            DigestMismatchError: it is not.
        """
        if self.size != self._blob.size or self._hasher.hexdigest() != self._blob.digest.hex:
            found = f"{self.size:,} bytes with the digest sha256:{self._hasher.hexdigest()}"
            message = f"expected the blob {self._blob.digest} of {self._blob.size:,} bytes, found {found}"
            raise DigestMismatchError(message, subject=self._blob.digest)
        os.fsync(self._descriptor)

    def _take_up(self) -> None:
        """Hash what an earlier transfer has left."""
        while chunk := os.read(self._descriptor, _CHUNK):
            self._hasher.update(chunk)
            self.size += len(chunk)
        if self.size > self._blob.size:
            self.start_again()


def _locked(path: Path) -> int:
    """Return a descriptor of the file at `path`, made if need be, whose lock is held alone."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Whoever held it has perhaps moved the file to its place: it is nobody's to write to any more.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.lstat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
