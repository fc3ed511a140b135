"""The memory of another process, as the kernel shows it to whoever may trace that process.

See: proc(5), /proc/pid/maps and /proc/pid/mem; ptrace(2), PTRACE_MODE_ATTACH.
"""

import contextlib
import os
import struct
from typing import NamedTuple, Self

__all__ = ["Mapping", "ProcessMemory"]

_PAGE = 4096
"""Either all or nothing of one is mapped, on machines whose pages are larger too."""


class Mapping(NamedTuple):
    """A range of addresses; `path` is the file's that is mapped there from `offset`, or a word such as ``[heap]``."""

    start: int
    end: int
    is_writable: bool
    offset: int
    path: str


class ProcessMemory:
    """Reads and writes a process that does not run meanwhile; use it as a context manager.

    What is not mapped reads as nothing. Pages with single words are kept: open it anew to see changes.

    Raises:
        OSError: the process is gone, or is not ours to look at.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        self._pages: dict[int, bytes] = {}

    def __enter__(self) -> Self:
        """Return the memory itself."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def mappings(self) -> tuple[Mapping, ...]:
        """Return all that is mapped, by address."""
        with open(f"/proc/{self.pid}/maps", "rb") as file:  # noqa: PTH123 - what pathlib adds costs more than the look
            lines = file.read().decode("utf-8", "surrogateescape").splitlines()
        return tuple(map(_mapping, lines))

    def read(self, address: int, size: int) -> bytes:
        """Return what is at `address`: fewer bytes where the mapping ends before."""
        parts = []
        while size > 0:
            with contextlib.suppress(OSError, OverflowError):
                if data := os.pread(self._descriptor, size, address):
                    parts.append(data)
                    address, size = address + len(data), size - len(data)
                    continue
            break
        return b"".join(parts)

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """Return `count` words of 64 bits, or none of them where they are not all mapped."""
        start = address & -_PAGE
        if address - start + 8 * count > _PAGE:
            data, offset = self.read(address, 8 * count), 0
        else:
            page = self._pages.get(start)
            if page is None:
                page = self._pages[start] = self.read(start, _PAGE)
            data, offset = page, address - start
        return struct.unpack_from(f"<{count}Q", data, offset) if len(data) >= offset + 8 * count else ()

    def write(self, address: int, data: bytes) -> None:
        """Put `data` at `address`.

        Raises:
            OSError: it is not all mapped, or this kernel lets nobody write who does not trace the process.
        """
        self._pages.clear()
        # Opened for this alone: where writing is not allowed, reading mostly is.
        descriptor = os.open(f"/proc/{self.pid}/mem", os.O_WRONLY | os.O_CLOEXEC)
        try:
            written = os.pwrite(descriptor, data, address)
        finally:
            os.close(descriptor)
        if written != len(data):
            message = f"memory at {address:#x} ends before the {len(data)} bytes that belong there"
            raise OSError(message)


def _mapping(line: str) -> Mapping:
    addresses, permissions, offset, _, _, *path = line.split(maxsplit=5)
    start, _, end = addresses.partition("-")
    return Mapping(int(start, 16), int(end, 16), permissions[1] == "w", int(offset, 16), path[0] if path else "")
