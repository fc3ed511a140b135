"""The directories of the standard library and of an environment, listed and read when a question leads there."""

import os
from collections.abc import Sequence
from pathlib import Path

from bundlekit.model.library import Entries
from bundlekit.read.document import MAX_DOCUMENT_BYTES, open_without_waiting

__all__ = ["DiskLibrary", "standard_library"]


class DiskLibrary:
    """Modules on this machine's disk. Listings are kept, contents are not: the checker keeps what it parses."""

    def __init__(
        self,
        stdlib_roots: Sequence[str],
        site_roots: Sequence[str] = (),
        *,
        is_complete: bool = False,
        version: tuple[int, int] | None = None,
    ) -> None:
        self.stdlib_roots = tuple(stdlib_roots)
        self.site_roots = tuple(site_roots)
        self.is_complete = is_complete
        self.version = version
        self._listed: dict[str, Entries] = {}

    def entries(self, directory: str) -> Entries:
        """Return what is in `directory`, links followed as importing does; nothing where it cannot be listed."""
        if directory not in self._listed:
            self._listed[directory] = _entries(directory)
        return self._listed[directory]

    def source(self, path: str) -> bytes | None:
        """Return the file at `path`, None where it cannot be read or is too large to be looked at."""
        try:
            with open(path, "rb", opener=open_without_waiting) as file:
                data = file.read(MAX_DOCUMENT_BYTES + 1)
        except OSError:
            return None
        return None if len(data) > MAX_DOCUMENT_BYTES else data


def standard_library() -> DiskLibrary:
    """Return the standard library of the interpreter that runs bundlekit, without any environment."""
    return DiskLibrary([str(Path(os.__file__).parent)])


def _entries(directory: str) -> Entries:
    files: set[str] = set()
    directories: set[str] = set()
    try:
        with os.scandir(directory) as listing:
            for entry in listing:
                (directories if entry.is_dir() else files).add(entry.name)
    except OSError:
        return Entries()
    return Entries(frozenset(files), frozenset(directories))
