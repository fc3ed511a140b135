"""What a directory holds, so that a test can tell that nothing was touched."""

import stat
from pathlib import Path

__all__ = ["inventory"]


def inventory(directory: Path) -> dict[str, tuple[int, int, int, bytes | str]]:
    """Return mode, links, time and content of everything below `directory`, by its path; of a link, where it leads."""
    found: dict[str, tuple[int, int, int, bytes | str]] = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        content: bytes | str = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        if stat.S_ISLNK(status.st_mode):
            content = str(path.readlink())
        found[str(path.relative_to(directory))] = (status.st_mode, status.st_nlink, status.st_mtime_ns, content)
    return found
