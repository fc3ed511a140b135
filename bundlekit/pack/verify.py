"""An archive checked without writing anything: every byte, both ways between the files and the manifest."""

from pathlib import Path

from bundlekit.pack.archive_reader import ArchiveContent, read_archive
from bundlekit.pack.hashing import Progress

__all__ = ["verify_archive"]


def verify_archive(path: Path, *, progress: Progress | None = None) -> ArchiveContent:
    """Return the manifest and digest of the archive at `path`, all of which was read and found right.

    Raises:
        As :func:`bundlekit.pack.archive_reader.read_archive`.
    """
    return read_archive(path, progress=progress)
