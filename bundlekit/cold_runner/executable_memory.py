"""What executables said about themselves, remembered as long as their files do not change: saves a process a task.

A memory is a convenience: one that cannot be read or written is ignored.
"""

import hashlib
import json
import os
from collections.abc import Callable

__all__ = ["remembered"]


def remembered(cache_dir: str, executable: str, ask: Callable[[str], dict[str, str]]) -> dict[str, str]:
    """Return what `ask` says about `executable`, asked once for each state of its file (size, times, inode)."""
    path = _memory_path(cache_dir, executable)
    known = _read(path) if path else None
    if known is not None:
        return known
    answer = ask(executable)
    if path:
        _write(path, answer)
    return answer


def _memory_path(cache_dir: str, executable: str) -> str | None:
    try:
        real = os.path.realpath(executable)
        state = os.stat(real)
    except OSError:
        return None
    identity = repr((1, executable, real, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino))
    return os.path.join(cache_dir, "probes", hashlib.sha256(os.fsencode(identity)).hexdigest() + ".json")


def _read(path: str) -> dict[str, str] | None:
    try:
        with open(path, "rb") as file:
            document = json.loads(file.read())
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict):
        return None
    return {str(key): str(value) for key, value in document.items()}


def _write(path: str, answer: dict[str, str]) -> None:
    staged = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(staged, "w", encoding="utf-8") as file:
            json.dump(answer, file)
        os.replace(staged, path)
    except OSError:
        return
